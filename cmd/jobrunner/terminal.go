package main

import (
	"io"
	"os"
	"strconv"
)

// screen is where a verb prints: a terminal, or a pipe or file, where nothing
// is coloured, cut or redrawn.
type screen struct {
	io.Writer
	sized  func() (columns, rows int) // 0 for what is not known; nil unless it is a terminal
	colour bool
	*glyphs
}

func newScreen(w io.Writer) *screen {
	s := &screen{Writer: w, glyphs: &fancy}
	if f, ok := fileOf(w); ok && isTerminal(f) {
		s.sized = func() (columns, rows int) { return terminalSize(f) }
		s.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if !showsFancy() {
		s.glyphs = &simple
	}
	return s
}

func (s *screen) terminal() bool { return s.sized != nil }

// moves reports whether it is a terminal that can draw again in the same place.
func (s *screen) moves() bool { return s.terminal() && os.Getenv("TERM") != "dumb" }

// size is how many columns and rows a terminal has.
func (s *screen) size() (columns, rows int) {
	columns, rows = s.sized()
	if columns <= 0 {
		columns = positive(os.Getenv("COLUMNS"), 80)
	}
	if rows <= 0 {
		rows = positive(os.Getenv("LINES"), 24)
	}
	return columns, rows
}

// roomy reports whether there is room for more than the essential: always in a
// pipe or file.
func (s *screen) roomy() bool {
	if !s.terminal() {
		return true
	}
	columns, _ := s.size()
	return columns >= 100
}

func positive(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// Colours, as SGR parameters.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
	dim    = "2"
)

// paint colours text if there are colours.
func (s *screen) paint(colour, text string) string {
	if !s.colour || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
