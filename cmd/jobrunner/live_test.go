package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// onScreen gives a screen that draws as on a terminal of a size, and what is
// seen there.
func onScreen(t *testing.T, columns, rows int) (*screen, *vt) {
	t.Helper()
	v := newVT(columns, rows)
	t.Cleanup(func() {
		if len(v.unknown) > 0 || len(v.tooWide) > 0 {
			t.Errorf("sequences that are not known: %q; too wide: %q", v.unknown, v.tooWide)
		}
	})
	size := func() (columns, rows int) { return v.columns, v.rows }
	return &screen{Writer: v, sized: size, colour: true, glyphs: &fancy}, v
}

// Frames are drawn over each other, and only what has changed is written.
func TestFrames(t *testing.T) {
	s, v := onScreen(t, 20, 6)
	v.Write([]byte("before\r\n"))
	var written bytes.Buffer
	s.Writer = &tee{v, &written}
	l := &live{s: s}
	for _, frame := range [][]string{
		{"one", "two", "three"}, {"one", "2", "three"}, {"one"}, {"one", "two", strings.Repeat("x", 20)},
	} {
		written.Reset()
		if err := l.draw(always(frame)); err != nil {
			t.Fatal(err)
		}
		if want := append([]string{"before"}, frame...); !slices.Equal(v.lines(), want) {
			t.Errorf("got %q, want %q", v.lines(), want)
		}
		if v.noCursor || v.noWrap || v.row != len(frame)+1 {
			t.Errorf("after %q the cursor is in line %d, hidden %t, no wrap %t", frame, v.row, v.noCursor, v.noWrap)
		}
		if frame[0] == "one" && len(l.drawn) > 0 && v.scrolled > 0 {
			t.Errorf("%q scrolled", frame)
		}
	}
	written.Reset()
	l.draw(always([]string{"one", "two", "drei"}))
	if got := written.String(); strings.Contains(got, "one") || strings.Contains(got, "two") || !strings.Contains(got, "drei") {
		t.Errorf("wrote %q, want only the line that changed", got)
	}
	l.draw(always(slices.Repeat([]string{"much"}, 10)))
	if want := slices.Repeat([]string{"much"}, 5); !slices.Equal(v.lines(), want) {
		t.Errorf("got %q, want as many lines as there is room for", v.lines())
	}
	l.erase()
	if len(v.lines()) != 0 {
		t.Errorf("got %q, want nothing left", v.lines())
	}
}

// After the window was pulled to another size nothing of the old frame is left.
func TestFrameOfAnotherSize(t *testing.T) {
	for _, whole := range []bool{false, true} {
		s, v := onScreen(t, 20, 6)
		v.Write([]byte("before\r\n"))
		l := &live{s: s}
		if whole {
			l.enter()
		}
		l.draw(always([]string{strings.Repeat("a", 20), "b"}))
		v.resize(10, 5)
		frame := []string{strings.Repeat("c", 10), "d"}
		l.draw(always(frame))
		if !slices.Equal(v.lines(), frame) {
			t.Errorf("whole %t: got %q, want %q", whole, v.lines(), frame)
		}
		if !whole {
			continue
		}
		l.draw(always([]string{"e"}))
		if want := []string{"e"}; !slices.Equal(v.lines(), want) {
			t.Errorf("got %q, want %q", v.lines(), want)
		}
		l.leave()
		if want := []string{"before"}; !slices.Equal(v.lines(), want) || v.noCursor || v.noWrap {
			t.Errorf("got %q, want what stood there before: %q", v.lines(), want)
		}
	}
}

// always is a frame for any size.
func always(lines []string) func(*screen, int) []string {
	return func(*screen, int) []string { return lines }
}

// tee writes to a screen and keeps what was written.
type tee struct {
	v    *vt
	kept *bytes.Buffer
}

func (w *tee) Write(p []byte) (int, error) {
	w.kept.Write(p)
	return w.v.Write(p)
}
