package jobs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxDepth is how deep a document is looked into; requests need three levels.
const maxDepth = 16

// ParseJSON reads the objects of a JSON file, one after the other, one Item
// each, as strictly as ParseYAML: a doubled key and text that follows the last
// object are Faults too. It ends at the first syntax error.
func ParseJSON(data []byte, file string) []Item {
	text, f := fileText(data, file)
	if f != nil {
		return []Item{{Fault: f, file: file}}
	}
	items := parseObjects(text, Position{File: file, Line: 1, Column: 1})
	if len(items) == 0 {
		return []Item{emptyFile(text, file)}
	}
	for i := range items {
		items[i].file = file
	}
	return items
}

// parseObjectLine reads a line of the queue file that is one JSON object; at
// is where it begins.
func parseObjectLine(line string, at Position) Item {
	items := parseObjects([]byte(line), at)
	it := items[0]
	if it.Fault == nil && len(items) > 1 {
		it.Request, it.Command = nil, nil
		if it.Fault = items[1].Fault; it.Fault == nil {
			it.Fault = at.Fault("more than one object stands on the line", "write one request a line")
		}
	}
	if it.Fault != nil && it.FirstWord == "" {
		// No further than to the first key: what follows may be a secret.
		word, _, _ := strings.Cut(strings.Fields(line)[0], ":")
		it.FirstWord = brief(word)
	}
	return it
}

// parseObjects reads JSON values up to the end of text or the first error; at
// is where text begins. Two decoders go in step: one refuses what is not well
// formed, one value at a time, and the other takes that value apart.
func parseObjects(text []byte, at Position) []Item {
	var items []Item
	check := json.NewDecoder(bytes.NewReader(text))
	tree := treeReader{dec: json.NewDecoder(bytes.NewReader(text)), text: text, places: placer{text: text, at: at}}
	tree.dec.UseNumber()
	for {
		var raw json.RawMessage
		begin := int(check.InputOffset())
		err := check.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return items
		}
		if err != nil {
			return append(items, Item{Fault: tree.syntaxFault(begin)})
		}
		n, f := tree.next(0)
		if f != nil {
			return append(items, Item{Fault: f})
		}
		items = append(items, document(n, at.File))
	}
}

// treeReader makes nodes of JSON values that are known to be well formed, so
// that one decoder serves both notations.
type treeReader struct {
	dec    *json.Decoder
	text   []byte
	places placer
}

// next reads one value.
func (t *treeReader) next(depth int) (*yaml.Node, *Fault) {
	start := int(t.dec.InputOffset())
	start += len(t.text[start:]) - len(bytes.TrimLeft(t.text[start:], " \t\r\n,:"))
	at := t.places.position(start)
	token, err := t.dec.Token()
	if err != nil {
		return nil, at.Fault("not valid JSON: "+err.Error(), "")
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: at.Line, Column: at.Column}
	switch v := token.(type) {
	case json.Delim:
		return n, t.children(n, v, depth)
	case string:
		n.Tag, n.Style, n.Value = "!!str", yaml.DoubleQuotedStyle, v
		if loneSurrogate(string(t.text[start:t.dec.InputOffset()]), v) {
			return nil, at.Fault(`a \u escape is half of a pair, and no character`, "")
		}
	case json.Number:
		n.Tag, n.Value = "!!float", v.String()
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n, nil
}

// children reads what follows the opening bracket of n, and the closing one.
func (t *treeReader) children(n *yaml.Node, bracket json.Delim, depth int) *Fault {
	at := t.places.at
	if depth == maxDepth {
		return at.Fault("the object is nested too deep", "")
	}
	n.Kind, n.Tag = yaml.MappingNode, "!!map"
	if bracket == '[' {
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	}
	for t.dec.More() {
		child, f := t.next(depth + 1)
		if f != nil {
			return f
		}
		n.Content = append(n.Content, child)
	}
	if _, err := t.dec.Token(); err != nil {
		return at.Fault("not valid JSON: "+err.Error(), "")
	}
	return nil
}

// syntaxFault says what is wrong with the value that follows begin.
func (t *treeReader) syntaxFault(begin int) *Fault {
	rest := t.text[begin:]
	var raw json.RawMessage
	var syntax *json.SyntaxError
	// Offsets of the whole text's decoder are of no use: they count from
	// wherever its buffer began.
	err := json.Unmarshal(rest, &raw)
	if !errors.As(err, &syntax) || int(syntax.Offset) >= len(bytes.TrimRight(rest, " \t\r\n")) && strings.Contains(err.Error(), "unexpected end") {
		return t.places.position(len(bytes.TrimRight(t.text, " \t\r\n"))).Fault("not valid JSON: it ends in the middle", "")
	}
	message := syntax.Error()
	if strings.HasSuffix(message, "exceeded max depth") {
		message = "it is nested too deep"
	}
	return t.places.position(begin+max(int(syntax.Offset)-1, 0)).Fault("not valid JSON: "+message, "")
}

// loneSurrogate reports whether decoding made up a replacement character that
// the source does not have.
func loneSurrogate(source, decoded string) bool {
	made := strings.Count(decoded, "\uFFFD")
	if made == 0 {
		return false
	}
	return made > strings.Count(source, "\uFFFD")+strings.Count(strings.ToLower(source), `\ufffd`)
}

// placer turns offsets of a text, asked for in growing order, into positions.
type placer struct {
	text   []byte
	at     Position // of offset
	offset int
}

func (p *placer) position(offset int) Position {
	for _, r := range string(p.text[p.offset:max(p.offset, offset)]) {
		if p.at.Column++; r == '\n' {
			p.at.Line, p.at.Column = p.at.Line+1, 1
		}
	}
	p.offset = max(p.offset, offset)
	return p.at
}

// positionAt gives the position that follows before, without a file.
func positionAt(before []byte) Position {
	p := placer{text: before, at: Position{Line: 1, Column: 1}}
	return p.position(len(before))
}
