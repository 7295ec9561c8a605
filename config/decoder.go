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
	sample string // the smallest content that makes sense, for hints
	lines  int    // that the file has
	faults Faults
	at     map[string]jobs.Position // where each known key stands
	done   map[*yaml.Node]bool      // nodes that were refused already
	later  []func(*Config)          // what can be told only when everything is read

	same    bool   // jobrunner.yaml itself is that of the version in force
	serving bool   // what this process could not do as a daemon is a fault
	lost    Faults // what is wrong only because a file of types is gone
}

// value is what stands behind a key.
type value struct {
	key  string     // dotted, as faults name it; "" for the whole file
	node *yaml.Node // the value
	at   *yaml.Node // the key
}

// under is the dotted name of a key of the mapping v.
func (v value) under(name string) string { return strings.TrimPrefix(v.key+"."+name, ".") }

// fields says for each known key of a mapping where its value goes.
type fields map[string]func(value)

func (d *decoder) faultAt(line, column int, message, hint string) {
	d.faults = append(d.faults, d.makeFault(line, column, message, hint))
}

func (d *decoder) makeFault(line, column int, message, hint string) *jobs.Fault {
	if line > d.lines { // a value that is not there may lie behind the end
		line, column = d.lines, 1
	}
	at := jobs.Position{File: d.file, Line: line, Column: column}
	return at.Fault(message, hint)
}

// fault is about the value: "poll_interval: must be …".
func (d *decoder) fault(v value, message, hint string) {
	at := v.place()
	d.faultAt(at.Line, at.Column, v.about(message), hint)
}

// place is where the value stands; one that is not there has no place of its own.
func (v value) place() *yaml.Node {
	if v.node.Tag == "!!null" {
		return v.at
	}
	return v.node
}

// keyFault is about a value too, and stands at its key; at the value itself if
// it has none, as a member of a list.
func (d *decoder) keyFault(v value, message, hint string) {
	d.faultAt(v.at.Line, v.at.Column, v.about(message), hint)
}

// about begins a message with the name of the value.
func (v value) about(message string) string {
	if v.key == "" {
		return message
	}
	return v.key + ": " + message
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
			d.faultAt(pair.at.Line, pair.at.Column, "unknown key "+show(name)+in(v.key), notOneOf(name, names))
			continue
		}
		pair.key = v.under(name)
		d.at[pair.key] = jobs.Position{File: d.file, Line: pair.at.Line, Column: pair.at.Column}
		set(pair)
	}
}

// gone notes a fault that a type's file can mend. If only those files changed,
// it is no reason to refuse them all.
func (d *decoder) gone(f *jobs.Fault) {
	if d.same {
		d.lost = append(d.lost, f)
	} else {
		d.faults = append(d.faults, f)
	}
}

func (d *decoder) has(key string) bool {
	_, ok := d.at[key]
	return ok
}

// faultOf is about v and stands at its key of that name, at v if there is none.
func (d *decoder) faultOf(v value, name, message, hint string) {
	line, column := d.placeOf(v, name)
	d.faultAt(line, column, v.about(message), hint)
}

// faultUnder stands there too, and is about what stands behind the key.
func (d *decoder) faultUnder(v value, name, message, hint string) {
	line, column := d.placeOf(v, name)
	d.faultAt(line, column, v.under(name)+": "+message, hint)
}

func (d *decoder) placeOf(v value, name string) (line, column int) {
	if at, ok := d.at[v.under(name)]; ok {
		return at.Line, at.Column
	}
	return v.at.Line, v.at.Column
}

// notOneOf is the hint for a word that is none of the known ones.
func notOneOf(word string, known []string) string {
	if near := jobs.Match(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "known are " + strings.Join(known, ", ")
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
