package main

import (
	"fmt"
	"io"
	"strings"
)

// live draws lines over and over in the same place of a terminal. Lines that
// have not changed are not written again, and a frame is one write, so that
// nothing flickers. Between two frames the cursor stands below the lines, and
// whoever is interrupted leaves the last frame.
type live struct {
	s     *screen
	whole bool     // the lines are all of the screen, begun by enter
	drawn []string // as they stand there

	columns, rows int // of the terminal when they were drawn
}

// What is written to a terminal beside text and colours.
const (
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
	noWrap      = "\x1b[?7l" // what is too wide is cut off and takes no second line
	wrap        = "\x1b[?7h"
	home        = "\x1b[H"
	clearScreen = "\x1b[H\x1b[2J"
	clearBelow  = "\x1b[J"
	clearLine   = "\x1b[2K"
	otherScreen = "\x1b[?1049h" // what stood there comes back with ownScreen
	ownScreen   = "\x1b[?1049l"
)

// draw draws a frame: what show gives for so many lines at most of a screen of
// one size, whatever becomes of the terminal meanwhile. Lines that there is no
// room for are left out.
func (l *live) draw(show func(s *screen, room int) []string) error {
	columns, rows := l.s.size()
	s := *l.s
	s.sized = func() (int, int) { return columns, rows }
	room := rows
	if !l.whole {
		room = max(1, rows-1) // one is for the cursor
	}
	lines := show(&s, room)
	lines = lines[:min(len(lines), room)]
	var b strings.Builder
	b.WriteString(hideCursor + noWrap)
	l.back(&b, columns, rows)
	for i, line := range lines {
		if i >= len(l.drawn) || l.drawn[i] != line {
			b.WriteString("\r" + clearLine + line)
		}
		if !l.whole || i < len(lines)-1 {
			b.WriteString("\r\n")
		}
	}
	if len(lines) < len(l.drawn) {
		if l.whole {
			b.WriteString("\r\n") // the cursor is in the last line still
		}
		b.WriteString(clearBelow)
	}
	b.WriteString(wrap)
	if !l.whole {
		b.WriteString(showCursor)
	}
	l.drawn = append(l.drawn[:0], lines...)
	_, err := io.WriteString(l.s, b.String())
	return err
}

// back goes to the first line. After the size of the terminal has changed
// nobody knows where the lines are, so then the screen is cleared.
func (l *live) back(b *strings.Builder, columns, rows int) {
	resized := l.columns != 0 && (columns != l.columns || rows != l.rows)
	l.columns, l.rows = columns, rows
	switch {
	case resized:
		b.WriteString(clearScreen)
		l.drawn = nil
	case l.whole:
		b.WriteString(home)
	case len(l.drawn) > 0:
		fmt.Fprintf(b, "\x1b[%dA", len(l.drawn))
	}
}

// erase takes the lines away.
func (l *live) erase() error {
	if len(l.drawn) == 0 {
		return nil
	}
	n := len(l.drawn)
	l.drawn = nil
	_, err := fmt.Fprintf(l.s, "\x1b[%dA\r%s", n, clearBelow)
	return err
}

// enter begins to draw on a screen of its own, which leave takes away again.
func (l *live) enter() error {
	l.whole = true
	_, err := io.WriteString(l.s, otherScreen+hideCursor+clearScreen)
	return err
}

func (l *live) leave() error {
	_, err := io.WriteString(l.s, wrap+showCursor+ownScreen)
	return err
}
