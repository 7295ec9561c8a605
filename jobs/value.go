package jobs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// value is a node of a document, whose kind is not yet known, under the name
// by which a person knows it. Scalars are taken by the text as it is written
// (0.10 stays 0.10, yes stays yes); nothing is ever resolved to another type.
type value struct {
	node *yaml.Node
	file string
	name string // "priority", "env.EPOCHS"; for a pair its key
	key  *yaml.Node
}

func (v value) position() Position {
	return Position{File: v.file, Line: v.node.Line, Column: v.node.Column}
}

func (v value) fault(message, hint string) *Fault { return v.position().Fault(message, hint) }

// wrong says what the value should have been.
func (v value) wrong(want, hint string) *Fault {
	return v.fault(fmt.Sprintf("%s must be %s, not %s", v.name, want, v.describe()), hint)
}

func (v value) describe() string {
	switch v.node.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a mapping"
	}
	if v.isNull() {
		return "nothing"
	}
	return shown(v.node.Value)
}

func (v value) isNull() bool { return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null" }

// isString reports whether a scalar is text, and no number, date or bool.
func (v value) isString() bool {
	return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!str"
}

// plainNode refuses what makes a node more than it looks.
func (v value) plainNode() *Fault {
	n := v.node
	switch {
	case n.Kind == yaml.AliasNode, n.Anchor != "":
		return v.fault("anchors and aliases (& and *) are not allowed", "write the value out, or put it in quotes")
	case n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str":
		return v.fault(fmt.Sprintf("the tag %s is not allowed", shown(n.Tag)), "put the text in quotes")
	case n.Kind == yaml.ScalarNode && strings.ContainsRune(n.Value, 0):
		return v.fault(v.name+" holds a NUL character", "")
	}
	return nil
}

// text gives a scalar as it is written, also one that is empty; null is none.
func (v value) text() (string, *Fault) {
	return v.scalar(`write '' for an empty text, or 'null' in quotes for the word`)
}

// leaveOut is the hint for a null where no text, however short, is wanted.
const leaveOut = "give it one, or leave the key out"

// scalar is text with a hint for null.
func (v value) scalar(empty string) (string, *Fault) {
	if f := v.plainNode(); f != nil {
		return "", f
	}
	if v.node.Kind != yaml.ScalarNode {
		return "", v.wrong("a single value", "")
	}
	if v.isNull() {
		return "", v.fault(v.name+" has no value", empty)
	}
	return v.node.Value, nil
}

// word gives a scalar that is not empty.
func (v value) word() (string, *Fault) {
	s, f := v.scalar(leaveOut)
	if f == nil && s == "" {
		f = v.fault(v.name+" is empty", "")
	}
	return s, f
}

// list gives the scalars of a list.
func (v value) list(one, hint string) ([]string, *Fault) {
	if f := v.plainNode(); f != nil {
		return nil, f
	}
	if v.node.Kind != yaml.SequenceNode {
		return nil, v.wrong("a list", hint)
	}
	texts := make([]string, len(v.node.Content))
	for i, n := range v.node.Content {
		item := value{node: n, file: v.file, name: fmt.Sprintf("%s %d", one, i+1)}
		var f *Fault
		if texts[i], f = item.text(); f != nil {
			return nil, f
		}
	}
	return texts, nil
}

// refs gives the jobs that a list names.
func (v value) refs() ([]Ref, *Fault) {
	texts, f := v.list(v.name+": entry", "write "+v.name+": [<id>]")
	if f != nil {
		return nil, f
	}
	refs := make([]Ref, len(texts))
	for i, text := range texts {
		item := value{node: v.node.Content[i], file: v.file}
		if text == "" {
			return nil, item.fault(fmt.Sprintf("%s: entry %d is empty", v.name, i+1), "")
		}
		refs[i] = Ref{Text: text, At: item.position()}
	}
	return refs, nil
}

// number gives a whole number within bounds, written without quotes.
func (v value) number(least, most int) (int, *Fault) {
	text, f := v.scalar(leaveOut)
	if f != nil {
		return 0, f
	}
	n, err := strconv.Atoi(text)
	if err != nil || v.isString() || strconv.Itoa(n) != strings.TrimPrefix(text, "+") || n < least || n > most {
		return 0, v.wrong(fmt.Sprintf("a whole number from %d to %d", least, most), "")
	}
	return n, nil
}

func (v value) duration() (time.Duration, *Fault) {
	text, f := v.scalar(leaveOut)
	if f != nil {
		return 0, f
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, v.wrong("a duration", "write it as 90s, 10m or 2h")
	}
	return d, nil
}

// truth gives true or false; yes, on and quoted words are neither.
func (v value) truth() (bool, *Fault) {
	text, f := v.scalar(leaveOut)
	if f != nil {
		return false, f
	}
	if v.isString() || text != "true" && text != "false" {
		return false, v.wrong("true or false", "")
	}
	return text == "true", nil
}

// momentLayouts are how a time may be written; where no zone stands it is
// local time. Fractions of a second are read too.
var momentLayouts = []string{
	time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00",
	"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
}

func (v value) moment() (time.Time, *Fault) {
	text, f := v.scalar(leaveOut)
	if f != nil {
		return time.Time{}, f
	}
	for _, layout := range momentLayouts {
		at, err := time.ParseInLocation(layout, text, time.Local)
		if year := at.UTC().Year(); err == nil && year >= 1 && year <= 9999 { // RFC 3339 has no others
			return at, nil
		}
	}
	return time.Time{}, v.wrong("a time", "write it as 2026-12-01T02:00:00+01:00, or 2026-12-01 02:00 for local time")
}

// table gives a flat mapping of scalars.
func (v value) table() (map[string]string, *Fault) {
	pairs, f := v.pairs()
	if f != nil {
		return nil, f
	}
	m := make(map[string]string, len(pairs))
	for _, p := range pairs {
		key := p.name
		p.name = v.name + "." + brief(key)
		if m[key], f = p.text(); f != nil {
			return nil, f
		}
	}
	return m, nil
}

// pairs gives the keys and values of a mapping in their order. No key stands
// twice and each is text.
func (v value) pairs() ([]value, *Fault) {
	if f := v.plainNode(); f != nil {
		return nil, f
	}
	if v.node.Kind != yaml.MappingNode {
		return nil, v.wrong("a mapping (key: value)", "")
	}
	seen := make(map[string]int, len(v.node.Content)/2)
	pairs := make([]value, 0, len(v.node.Content)/2)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := value{node: v.node.Content[i], file: v.file, name: "a key"}
		if k.node.ShortTag() == "!!merge" {
			return nil, k.fault("merge keys (<<) are not allowed", "write the values out")
		}
		key, f := k.scalar("put the word in quotes if it is one")
		if f == nil && key == "" {
			f = k.fault("a key is empty", "")
		}
		if f != nil {
			return nil, f
		}
		if line, twice := seen[key]; twice {
			return nil, k.fault(fmt.Sprintf("key %s stands twice", shown(key)), fmt.Sprintf("the first is on line %d", line))
		}
		seen[key] = k.node.Line
		pairs = append(pairs, value{node: v.node.Content[i+1], file: v.file, name: key, key: k.node})
	}
	return pairs, nil
}

// keyFault makes a Fault at the position of the pair's key.
func (v value) keyFault(message, hint string) *Fault {
	return Position{File: v.file, Line: v.key.Line, Column: v.key.Column}.Fault(message, hint)
}
