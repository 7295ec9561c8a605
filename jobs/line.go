package jobs

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// minPrefix is how many letters of an id a command must give at least.
const minPrefix = 8

// ParseLine reads one line of a queue file, raw, without its line end. A blank
// line and a comment give an empty Item; everything that is no request in any
// reading gives a Fault. A line that is one word in quotes is read as what the
// quotes hold (cmd.exe's echo writes them), unless that names a script.
func ParseLine(line []byte, at Position) Item {
	text, err := DecodeLine(line)
	if err != nil {
		it := itemOfWords(strings.Fields(Sanitize(string(line[:min(len(line), 1<<10)]))))
		return it.faulty(err.(*Fault), at)
	}
	return parseText(string(text), at)
}

// parseText reads a line that is decoded.
func parseText(line string, at Position) Item {
	body := strings.TrimLeft(line, " \t")
	switch {
	case body == "" || body[0] == '#':
		return Item{}
	case body[0] == '{':
		at.Column = utf8.RuneCountInString(line[:len(line)-len(body)]) + 1
		return parseObjectLine(body, at)
	}
	words, err := Words(line)
	if err != nil {
		it := itemOfWords(strings.Fields(line))
		return it.faulty(err.(*Fault), at)
	}
	it := itemOfWords(texts(words))
	first := words[0]
	if len(words) == 1 && first.Quoted && strings.ContainsAny(first.Text, " \t") {
		if inner := parseText(first.Text, at); !mayBeScript(first.Text, inner) {
			if inner.Fault != nil {
				inner.Fault.Column = 0 // it counts within the quotes
			}
			return inner
		}
		it.Request = &Request{At: at, Target: first.Text, oneWord: true}
		return it
	}
	if action := Action(first.Text); !first.Quoted && isAction(action) {
		c, f := newCommand(action, texts(words[1:]), at)
		if f != nil {
			return it.faulty(f, at)
		}
		it.Command = c
		return it
	}
	return parseWords(it, words, at)
}

// parseWords reads a line of the form [id] target [arg…] [state].
func parseWords(it Item, words []Word, at Position) Item {
	r := &Request{At: at}
	if !words[0].Quoted && isID(words[0].Text) {
		r.Spelling, r.ID = words[0].Text, strings.ToLower(words[0].Text)
		words = words[1:]
		if n := len(words); n > 0 && !words[n-1].Quoted {
			if s, ok := ParseState(words[n-1].Text); ok {
				r.State, words = s, words[:n-1]
			}
		}
		if len(words) == 2 && words[1] == (Word{Text: "-"}) {
			words = words[:1]
		}
	}
	if len(words) == 0 {
		return it.faulty(&Fault{Message: "an id alone is no request", Hint: "write a script or type behind it"}, at)
	}
	r.Target, r.Args = words[0].Text, texts(words[1:])
	if r.Target == "" {
		return it.faulty(&Fault{Message: "the script or type is empty"}, at)
	}
	it.Request = r
	return it
}

// mayBeScript reports whether text with white space inside may yet be the name
// of a script, given what it is when read as a line: nothing, no words at all,
// or a target and arguments.
func mayBeScript(text string, inner Item) bool {
	if inner.Fault != nil {
		_, err := Words(text)
		return err != nil && !strings.HasPrefix(strings.TrimLeft(text, " \t"), "{")
	}
	return inner == Item{} || inner.Request != nil && inner.Request.ID == "" && inner.Request.Target != ""
}

// faulty makes the item one that bears f, at a line's position.
func (it Item) faulty(f *Fault, at Position) Item {
	f.File, f.Line = at.File, at.Line
	it.Request, it.Command, it.Fault = nil, nil, f
	return it
}

// itemOfWords notes what can be shown of a line.
func itemOfWords(words []string) Item {
	var it Item
	if len(words) > 0 && isID(words[0]) {
		it.Spelling, it.ID = words[0], strings.ToLower(words[0])
		words = words[1:]
	}
	if len(words) > 0 {
		it.FirstWord = brief(words[0])
	}
	return it
}

// brief cuts a word that is kept only to be shown.
func brief(word string) string {
	word = Sanitize(word)
	if short := cut(word, shownRunes); short != word {
		return short + ellipsis
	}
	return word
}

func texts(words []Word) []string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.Text
	}
	return list
}

// ParseLines reads the lines of a request file: one Item a line, blank lines
// and comments left out.
func ParseLines(data []byte, file string) []Item {
	data, f := decodeFile(data)
	if f != nil {
		f.File = file
		return []Item{{Fault: f, file: file}}
	}
	sep := []byte("\n")
	if !bytes.Contains(data, sep) {
		sep = []byte("\r")
	}
	var items []Item
	for n := 1; len(data) > 0; n++ {
		var line []byte
		line, data, _ = bytes.Cut(data, sep)
		it := ParseLine(line, Position{File: file, Line: n})
		if it == (Item{}) {
			continue
		}
		it.file = file
		items = append(items, it)
	}
	return items
}
