package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const aliasHint = "write the value out; text that begins with * needs quotes"

// document gives the file's one YAML document, nil after a fault that leaves
// nothing to decode.
func (d *decoder) document(data []byte) *yaml.Node {
	d.lines = 1 + bytes.Count(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	if len(data) > maxFile {
		d.faultAt(1, 1, "is larger than 1 MiB", "is it the right file?")
		return nil
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		d.faultAt(1, 1, "is UTF-16", "save it as UTF-8")
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !d.characters(data) || d.tagDirective(data) {
		return nil
	}
	root, err := documents(bytes.NewReader(data))
	switch {
	case err != nil:
		d.syntax(data, err)
		return nil
	case len(root) == 0 || root[0].Tag == "!!null" && len(root) == 1:
		d.faultAt(1, 1, "is empty", "write at least "+d.sample)
		return nil
	case len(root) > 1:
		d.faultAt(root[1].Line, root[1].Column, "a second document begins here", "one file is one configuration: remove the ---")
	}
	d.refuse(root[0])
	if root[0].Kind != yaml.MappingNode {
		d.wrongKind(value{node: root[0], at: root[0]}, "a mapping (key: value)", "for example "+d.sample)
		return nil
	}
	return root[0]
}

// documents reads what r holds, most often one document. The library may
// panic on bytes that nobody thought of; a configuration file must not be able
// to end the daemon.
func documents(r io.Reader) (roots []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("cannot be read as YAML")
		}
	}()
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return nil, err
		}
		roots = append(roots, document.Content...)
	}
}

// characters looks for what is no text, which YAML would refuse without
// saying where.
func (d *decoder) characters(data []byte) bool {
	line, column := 1, 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1:
			d.faultAt(line, column, "is not valid UTF-8", "save it as UTF-8")
			return false
		case r == '\n':
			line, column = line+1, 0
		case r < ' ' && r != '\t' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85, r == 0xfeff, r == 0xfffe, r == 0xffff:
			d.faultAt(line, column, fmt.Sprintf("holds the control character %U", r), "remove it")
			return false
		}
		data, column = data[n:], column+1
	}
	return true
}

// tagDirective refuses %TAG: no tag is taken, and the library compares each one
// with all before it.
func (d *decoder) tagDirective(data []byte) bool {
	i := bytes.Index(append([]byte{'\n'}, data...), []byte("\n%TAG"))
	if i >= 0 {
		d.faultAt(1+bytes.Count(data[:i], []byte("\n")), 1, "a %TAG directive is refused", "remove the line")
	}
	return i >= 0
}

// refuse faults what YAML knows and a configuration has no use for, wherever
// it stands: aliases and merges, which make other values of what is written,
// and tags.
func (d *decoder) refuse(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.faultAt(n.Line, n.Column, "an alias (*) is refused", aliasHint)
		d.refused(n)
		return
	case n.Style&yaml.TaggedStyle != 0:
		d.faultAt(n.Line, n.Column, "a tag (!) is refused", "write the value alone; text that begins with ! needs quotes")
		d.refused(n)
	case n.Tag == "!!merge":
		d.faultAt(n.Line, n.Column, "a merge (<<) is refused", "write the keys out")
		d.refused(n)
	}
	for _, child := range n.Content {
		d.refuse(child)
	}
}

func (d *decoder) refused(n *yaml.Node) {
	if d.done == nil {
		d.done = map[*yaml.Node]bool{}
	}
	d.done[n] = true
}
