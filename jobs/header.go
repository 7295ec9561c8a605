package jobs

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of how far a script is read for what it says of itself.
const (
	maxHeaderLines = 64
	maxHeaderBytes = 16 << 10
)

// headerKeys are the keys that a script may set for its own jobs, beside
// label.NAME and env.NAME: each hands its value on to a request.
var headerKeys = map[string]func(to, from *Request){
	"name":         func(to, from *Request) { to.Name = from.Name },
	"priority":     func(to, from *Request) { to.Priority, to.HasPriority = from.Priority, true },
	"timeout":      func(to, from *Request) { to.Timeout = from.Timeout },
	"retries":      func(to, from *Request) { to.Retries, to.HasRetries = from.Retries, true },
	"delay":        func(to, from *Request) { to.Delay = from.Delay },
	"hold":         func(to, from *Request) { to.Hold = from.Hold },
	"unique_key":   func(to, from *Request) { to.UniqueKey = from.UniqueKey },
	"on_duplicate": func(to, from *Request) { to.OnDuplicate = from.OnDuplicate },
	"workdir":      func(to, from *Request) { to.Workdir = from.Workdir },
}

var headerKeyNames = append(sortedKeys(headerKeys), "label.NAME", "env.NAME")

// commentSigns begin a comment in the languages that scripts are written in.
var commentSigns = []string{"#", "//", "--", "%", ";"}

// readHeader reads the block of comments at the top of a script, where lines
// such as
//
//	#JR timeout=2h
//
// say what a request for it need not say. It gives a Request with those keys
// alone, nil if there are none. name is the script's for positions.
func readHeader(path, name string) (*Request, *Fault) {
	text, err := readTop(path)
	if err != nil {
		return nil, unreadable(name, err)
	}
	at := Position{File: Sanitize(name)}
	var r *Request
	for at.Line = 1; at.Line <= maxHeaderLines && len(text) > 0; at.Line++ {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		words := strings.TrimSpace(string(line))
		if words == "" || at.Line == 1 && strings.HasPrefix(words, "#!") {
			continue
		}
		comment, ours := headerLine(words)
		if !comment {
			break
		}
		if ours == "" {
			continue
		}
		if r == nil {
			r = &Request{At: at, marks: map[string]Position{}}
		}
		if f := r.readHeaderLine(ours, at); f != nil {
			return nil, f
		}
	}
	return r, nil
}

// readTop gives the whole lines that a script begins with.
func readTop(path string) ([]byte, error) {
	f, _, err := openScript(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxHeaderBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxHeaderBytes {
		text = text[:bytes.LastIndexByte(text, '\n')+1]
	}
	return bytes.TrimPrefix(text, []byte(bomUTF8)), nil
}

// headerLine reports whether a line is a comment, and gives it from JR on if
// those letters follow the comment's sign. A doubled sign, as in ##JR, puts the
// line out of use.
func headerLine(line string) (comment bool, ours string) {
	for _, sign := range commentSigns {
		if rest, ok := strings.CutPrefix(line, sign); ok {
			return true, headerWords(rest)
		}
	}
	if first, rest, _ := strings.Cut(line, " "); strings.EqualFold(strings.TrimPrefix(first, "@"), "rem") {
		return true, headerWords(strings.TrimLeft(rest, " \t"))
	}
	return false, ""
}

func headerWords(rest string) string {
	if rest == "JR" || strings.HasPrefix(rest, "JR ") || strings.HasPrefix(rest, "JR\t") {
		return rest
	}
	return ""
}

// readHeaderLine reads what follows a comment's sign: JR key=value.
func (r *Request) readHeaderLine(line string, at Position) *Fault {
	key, text, ok := strings.Cut(line[len("JR"):], "=")
	key, text = strings.TrimSpace(key), strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(line):
		return at.Fault("a JR line is not valid UTF-8", saveAsUTF8)
	case !ok || key == "":
		return at.Fault("a JR line must hold key=value, not "+shown(strings.TrimSpace(line[len("JR"):])), "such as timeout=2h")
	case r.has(key):
		return at.Fault("key "+shown(key)+" stands twice", fmt.Sprintf("the first is on line %d", r.marks[key].Line))
	}
	if n := len(text); n > 1 && text[0] == text[n-1] && (text[0] == '"' || text[0] == '\'') {
		text = text[1 : n-1]
	}
	v := value{node: &yaml.Node{Kind: yaml.ScalarNode, Value: text, Line: at.Line}, file: at.File, name: key}
	switch key {
	case "name", "unique_key", "on_duplicate", "workdir":
		v.node.Tag = "!!str" // the word null is one too
	}
	r.marks[key] = at
	if what, name, ok := strings.Cut(key, "."); ok && name != "" && (what == "env" || what == "label") {
		return r.headerEntry(what, name, v)
	}
	if headerKeys[key] != nil {
		return requestKeys[key](r, v)
	}
	return at.Fault("unknown key "+shown(key), meant(key, headerKeyNames, "keys"))
}

// headerEntry reads env.NAME and label.NAME.
func (r *Request) headerEntry(what, name string, v value) *Fault {
	v.node.Tag = "!!str"
	text, f := v.text()
	if f != nil {
		return f
	}
	if what == "env" {
		r.Env = with(r.Env, name, text)
		return nil
	}
	if message := checkName("label", name); message != "" {
		return v.fault(message, "")
	}
	r.Labels = with(r.Labels, name, text)
	return nil
}

// over gives a request that has what h, the header of its script, says where r
// itself says nothing.
func (r *Request) over(h *Request) *Request {
	if h == nil {
		return r
	}
	m := *r
	m.marks = maps.Clone(h.marks)
	maps.Copy(m.marks, r.marks)
	for key, hand := range headerKeys {
		later := key == "delay" && r.has("not_before")
		if h.has(key) && !r.has(key) && !later {
			hand(&m, h)
		}
	}
	m.Env, m.Labels = joined(h.Env, r.Env), joined(h.Labels, r.Labels)
	return &m
}

// joined gives the entries of both; where both have one, that of b.
func joined(a, b map[string]string) map[string]string {
	if len(a) == 0 {
		return b
	}
	a = maps.Clone(a)
	maps.Copy(a, b)
	return a
}
