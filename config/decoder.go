package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

// decoder turns YAML nodes into values and collects what is wrong on the way.
// A value at fault leaves its destination as it is, with the default.
type decoder struct {
	file   string // as faults name it
	dir    string // where relative paths start
	lines  int    // that the file has
	faults Faults
	at     map[string]jobs.Position // where each known key stands
	done   map[*yaml.Node]bool      // nodes that were refused already
}

// value is what stands behind a key.
type value struct {
	key  string     // dotted, as faults name it; "" for the whole file
	node *yaml.Node // the value
	at   *yaml.Node // the key
}

// fields says for each known key of a mapping where its value goes.
type fields map[string]func(value)

func (d *decoder) faultAt(line, column int, message, hint string) {
	if line > d.lines { // a value that is not there may lie behind the end
		line, column = d.lines, 1
	}
	at := jobs.Position{File: d.file, Line: line, Column: column}
	d.faults = append(d.faults, at.Fault(message, hint))
}

// fault is about the value: "poll_interval: must be …".
func (d *decoder) fault(v value, message, hint string) {
	at := v.node
	if at.Tag == "!!null" { // a value that is not there has no place of its own
		at = v.at
	}
	if v.key != "" {
		message = v.key + ": " + message
	}
	d.faultAt(at.Line, at.Column, message, hint)
}

// wrongKind says what was wanted and what is there instead.
func (d *decoder) wrongKind(v value, want, hint string) {
	if d.done[v.node] {
		return
	}
	if v.node.Tag == "!!null" {
		d.fault(v, "is empty, must be "+want, hint)
		return
	}
	d.fault(v, "must be "+want+", not "+kind(v.node), hint)
}

func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!bool":
		return "true or false"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!timestamp":
		return "a date"
	}
	return "text"
}

// show gives a word of the file for a message: its beginning as far as it is
// plain. What follows may be anything, also a secret, as in a list of
// NAME=value where names were wanted.
func show(word string) string {
	const most = 40
	for i, r := range word {
		plain := r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		if !plain || i == most {
			return `"` + word[:i] + `…"`
		}
	}
	return `"` + word + `"`
}

// pairs gives the keys of a mapping in their order with what stands behind
// them; hint is for a value that is no mapping.
func (d *decoder) pairs(v value, hint string) []value {
	if v.node.Kind != yaml.MappingNode {
		d.wrongKind(v, "a mapping (key: value)", hint)
		return nil
	}
	var pairs []value
	first := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, node := v.node.Content[i], v.node.Content[i+1]
		line, doubled := first[key.Value]
		switch {
		case d.done[key]:
		case key.Kind != yaml.ScalarNode:
			d.faultAt(key.Line, key.Column, "a key must be a word, not "+kind(key), "")
		case doubled:
			d.faultAt(key.Line, key.Column, fmt.Sprintf("key %s%s stands twice", show(key.Value), in(v.key)), fmt.Sprintf("the first is in line %d", line))
		default:
			first[key.Value] = key.Line
			pairs = append(pairs, value{key: key.Value, node: node, at: key})
		}
	}
	return pairs
}

func in(key string) string {
	if key == "" {
		return ""
	}
	return " in " + key
}

// fields decodes a mapping of known keys.
func (d *decoder) fields(v value, known fields) {
	names := slices.Sorted(maps.Keys(known))
	for _, pair := range d.pairs(v, "") {
		name := pair.key
		set, ok := known[name]
		if !ok {
			hint := "known are " + strings.Join(names, ", ")
			if near := jobs.Match(name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			d.faultAt(pair.at.Line, pair.at.Column, "unknown key "+show(name)+in(v.key), hint)
			continue
		}
		pair.key = strings.TrimPrefix(v.key+"."+name, ".")
		d.at[pair.key] = jobs.Position{File: d.file, Line: pair.at.Line, Column: pair.at.Column}
		set(pair)
	}
}

func (d *decoder) has(key string) bool {
	_, ok := d.at[key]
	return ok
}

// items gives the members of a list; hint is for a value that is no list.
func (d *decoder) items(v value, hint string) ([]value, bool) {
	if v.node.Kind != yaml.SequenceNode {
		d.wrongKind(v, "a list", hint)
		return nil, false
	}
	items := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		items[i] = value{key: v.key, node: n, at: n}
	}
	return items, true
}
