package ui

import (
	"bytes"
	"strings"
)

// Drawn gives the rows of an output, from its beginning on, as HTML.
func Drawn(data []byte) []string {
	s := newScreen(0)
	for at, line := range bytes.SplitAfter(data, []byte("\n")) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		s.feed(text)
		if ended {
			s.end(int64(at), true)
		}
	}
	var out []string
	for _, r := range s.rows {
		var b strings.Builder
		r.html(&b, len(data)*8+100)
		out = append(out, b.String())
	}
	return out
}
