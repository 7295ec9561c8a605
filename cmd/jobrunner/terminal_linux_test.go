package main

import (
	"strings"
	"testing"
)

// Colours are for terminals alone, and not for those who want none; glyphs are
// for those who have them.
func TestColours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": "listen: \"\"\ntypes: {say: {command: [echo]}}\n"})
	w.start()
	w.run("add", "--wait", "say", "hello")
	const colour = "\x1b["
	if out := w.run("list"); strings.Contains(out, colour) || !strings.Contains(out, "COMPLETED") {
		t.Errorf("in a pipe: got %q, want COMPLETED without colours", out)
	}
	for _, c := range []struct {
		env, state string
		coloured   bool
	}{
		{"", "✓ COMPLETED", true},
		{"NO_COLOR=1", "✓ COMPLETED", false},
		{"TERM=dumb", "v COMPLETED", false},
		{"TERM=linux", "v COMPLETED", true},
		{"LC_ALL=C", "v COMPLETED", true},
		{"LC_ALL=de_DE.utf8", "✓ COMPLETED", true},
	} {
		out := w.onTerminal([]string{c.env}, "list")
		if strings.Contains(out, colour) != c.coloured || !strings.Contains(out, c.state) {
			t.Errorf("on a terminal with %s: got %q, want %s, colours %t", c.env, out, c.state, c.coloured)
		}
	}
}
