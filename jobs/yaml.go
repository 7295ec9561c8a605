package jobs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// ParseYAML reads the documents of a YAML file, one Item each, strictly: an
// unknown or doubled key, a wrong type, an anchor, an empty file or text that
// follows the last document is a Fault. It ends at the first syntax error.
func ParseYAML(data []byte, file string) []Item {
	text, f := fileText(data, file)
	if f != nil {
		return []Item{{Fault: f, file: file}}
	}
	f = yamlForbidden(text, file)
	if f == nil {
		f = tagDirective(text, file)
	}
	if f != nil {
		return []Item{{Fault: f, file: file}}
	}
	var items []Item
	dec := yaml.NewDecoder(bytes.NewReader(text))
	for {
		n, err := nextDocument(dec)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return append(items, Item{Fault: yamlFault(err, text, file), file: file})
		}
		withinText(n, text)
		it := document(n, file)
		it.file = file
		items = append(items, it)
	}
	if len(items) == 0 {
		return []Item{emptyFile(text, file)}
	}
	return items
}

// nextDocument reads one document into nodes. Decoding into nodes takes time
// in proportion to the text; decoding into Go values compares all keys of a
// mapping with each other. The parser panics on what it did not foresee.
func nextDocument(dec *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: cannot be read: %v", p)
		}
	}()
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("yaml: a document without content")
	}
	return doc.Content[0], nil
}

// withinText puts a document that is not there, as behind a last --- without a
// line end, at the end of the text: the parser has it on a line of its own.
func withinText(n *yaml.Node, text []byte) {
	if n.ShortTag() != "!!null" || n.Column > 1 || n.Value != "" || bytes.HasSuffix(text, []byte("\n")) {
		return
	}
	if end := positionAt(text); n.Line == end.Line+1 {
		n.Line, n.Column = end.Line, end.Column
	}
}

// yamlForbidden refuses control characters, which YAML does not allow and for
// which its parser gives no position.
func yamlForbidden(text []byte, file string) *Fault {
	i := bytes.IndexFunc(text, func(r rune) bool {
		return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r <= 0x9f && r != 0x85 || r == 0xfffe || r == 0xffff
	})
	if i < 0 {
		return nil
	}
	p := positionAt(text[:i])
	p.File = file
	return p.Fault("a control character stands inside the text", `write it as "\xNN" in double quotes`)
}

// tagDirective refuses %TAG, for no tag of its making is allowed and its parser
// compares each one with all before it.
func tagDirective(text []byte, file string) *Fault {
	const sign = "%TAG"
	i := bytes.Index(text, []byte("\n"+sign)) + 1
	if i == 0 && !bytes.HasPrefix(text, []byte(sign)) {
		return nil
	}
	p := positionAt(text[:i])
	p.File = file
	return p.Fault("a %TAG directive is not allowed", "remove the line")
}

var yamlError = regexp.MustCompile(`(?s)^yaml: (?:line ([0-9]+): )?(.*)$`)

// yamlFault words a syntax error for people.
func yamlFault(err error, text []byte, file string) *Fault {
	message, line := yamlMessage(err)
	f := &Fault{File: file, Line: min(line, max(1, lineCount(text))), Message: "not valid YAML: " + message}
	if locatable[message] && len(text) <= maxLocate {
		p := locate(text, message)
		f.Line, f.Column = p.Line, p.Column
	}
	switch {
	case strings.Contains(message, "expected <document start>"):
		f.Message, f.Hint = "text follows the end of the document", "write --- before a further document"
	case strings.HasPrefix(message, "unknown anchor"):
		f.Message, f.Hint = "anchors and aliases (& and *) are not allowed", "put text that begins with * in quotes"
	case strings.Contains(message, "cannot start any token"):
		if row, column := tabIndent(text); row > 0 {
			return Position{File: file, Line: row, Column: column}.Fault("a tab stands in the indentation", "YAML wants spaces there")
		}
		f.Hint = "put the text in quotes"
	}
	return f
}

// yamlMessage takes the line out of an error of the parser.
func yamlMessage(err error) (message string, line int) {
	m := yamlError.FindStringSubmatch(err.Error())
	if m == nil {
		return err.Error(), 1
	}
	if line, err = strconv.Atoi(m[1]); err != nil {
		return m[2], 1 // it leaves out the first line
	}
	if strings.HasPrefix(m[2], "did not find expected ") {
		line++ // the parser, unlike its scanner, counts from 0
	}
	return m[2], line
}

func lineCount(text []byte) int { return bytes.Count(bytes.TrimRight(text, "\r\n"), []byte("\n")) + 1 }

// maxLocate bounds the text that is parsed again and again to locate an error.
const maxLocate = 2 << 10

// locatable are the errors that never come of a text's merely being cut short.
// For some of them the parser gives the line of the mapping around the error.
var locatable = map[string]bool{
	"did not find expected key":                              true,
	"did not find expected '-' indicator":                    true,
	"mapping values are not allowed in this context":         true,
	"block sequence entries are not allowed in this context": true,
	"found character that cannot start any token":            true,
}

// locate gives the position of the character that first brings the error up.
func locate(text []byte, message string) Position {
	end := sort.Search(len(text), func(n int) bool {
		dec := yaml.NewDecoder(bytes.NewReader(text[:n]))
		for {
			if _, err := nextDocument(dec); err != nil {
				found, _ := yamlMessage(err)
				return found == message
			}
		}
	})
	return positionAt(text[:max(0, end-1)])
}

// tabIndent finds the first tab among the white space that begins a line.
func tabIndent(text []byte) (line, column int) {
	for n := 1; len(text) > 0; n++ {
		var l []byte
		l, text, _ = bytes.Cut(text, []byte("\n"))
		blank := l[:len(l)-len(bytes.TrimLeft(l, " \t"))]
		if i := bytes.IndexByte(blank, '\t'); i >= 0 && len(blank) < len(bytes.TrimRight(l, "\r")) {
			return n, i + 1
		}
	}
	return 0, 0
}
