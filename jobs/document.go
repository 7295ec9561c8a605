package jobs

import (
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// ParseFile reads a request file by the extension of its name: .yaml, .yml,
// .json, .txt or .job. It gives at least one Item, and one with a Fault if
// anything in the file is wrong; positions bear the name as it is given.
func ParseFile(name string, data []byte) []Item {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return ParseYAML(data, name)
	case ".json":
		return ParseJSON(data, name)
	case ".txt", ".job":
		if items := ParseLines(data, name); len(items) > 0 {
			return items
		}
		return []Item{emptyFile(data, name)}
	}
	f := &Fault{File: name, Message: "this is no request file", Hint: "name it *.yaml, *.yml, *.json, *.txt or *.job"}
	return []Item{{Fault: f, file: name}}
}

func emptyFile(data []byte, name string) Item {
	f := &Fault{File: name, Line: 1, Column: 1, Message: "the file is empty"}
	if len(data) > 0 {
		f.Message = "the file holds no request"
	}
	return Item{Fault: f, file: name}
}

// fileText decodes a request file and checks its text before any parser sees
// it.
func fileText(data []byte, file string) ([]byte, *Fault) {
	text, f := decodeFile(data)
	if f == nil {
		var at int
		if at, f = checkText(text); f != nil {
			p := positionAt(text[:at])
			f.Line, f.Column = p.Line, p.Column
		}
	}
	if f != nil {
		f.File = file
		return nil, f
	}
	return text, nil
}

// document reads one document, whatever notation it was written in. file is
// the name for positions.
func document(n *yaml.Node, file string) Item {
	it := glance(n)
	fail := func(f *Fault) Item {
		it.Fault = f
		return it
	}
	v := value{node: n, file: file, name: "the document"}
	pairs, f := v.pairs()
	if f != nil {
		return fail(f)
	}
	if len(pairs) == 0 {
		return fail(v.fault("the document is empty", "write at least type: or script:"))
	}
	at := Position{File: file, Line: n.Line, Column: n.Column}
	for _, p := range pairs {
		if p.name == "action" {
			it.Command, f = readCommand(pairs, at)
			it.Fault = f
			return it
		}
	}
	it.Request, it.Fault = readRequest(pairs, at)
	return it
}

// ParseRequestNode reads a request that stands in another file, such as that of
// a schedule in the configuration: as strictly as a request file, but a command
// is none. file is the name for positions.
func ParseRequestNode(node *yaml.Node, file string) (*Request, *Fault) {
	v := value{node: node, file: file, name: "request"}
	pairs, f := v.pairs()
	if f != nil {
		return nil, f
	}
	for _, p := range pairs {
		if p.name == "action" {
			return nil, p.keyFault("a command cannot stand here", "write a request: type: or script:")
		}
	}
	if len(pairs) == 0 {
		return nil, v.fault("request is empty", "write at least type: or script:")
	}
	return readRequest(pairs, Position{File: file, Line: node.Line, Column: node.Column})
}

// glance notes what can be shown of a document, also of a faulty one.
func glance(n *yaml.Node) Item {
	var it Item
	if n.Kind != yaml.MappingNode {
		return it
	}
	found := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k, v := n.Content[i], n.Content[i+1]; k.Kind == yaml.ScalarNode && v.Kind == yaml.ScalarNode {
			found[k.Value] = v.Value
		}
	}
	for _, key := range []string{"action", "type", "script"} { // the last one there is what a line would begin with
		if found[key] != "" {
			it.FirstWord = brief(found[key])
		}
	}
	if id := found["id"]; isID(id) {
		it.ID, it.Spelling = strings.ToLower(id), id
	}
	return it
}
