package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// table is rows of cells that are printed in columns, two spaces apart.
type table struct {
	head []string
	rows [][]cell
	// flexible are the columns that give way if the table is too wide, from
	// the last one on, and how narrow they may get.
	flexible map[int]int
}

// cell is a text without control characters, and its colour.
type cell struct {
	text   string
	colour string
}

const gap = "  "

// print writes the table; on a terminal no line is wider than that. It returns
// the lines.
func (t *table) lines(s *screen) []string {
	widths := make([]int, len(t.head))
	for i, h := range t.head {
		widths[i] = textWidth(h)
	}
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], textWidth(c.text))
		}
	}
	if s.terminal() {
		columns, _ := s.size()
		t.narrow(widths, columns)
	}
	head := make([]cell, len(t.head))
	for i, h := range t.head {
		head[i] = cell{h, dim}
	}
	out := []string{t.line(s, head, widths)}
	for _, row := range t.rows {
		out = append(out, t.line(s, row, widths))
	}
	return out
}

// narrow takes from the flexible columns what is too much for a line.
func (t *table) narrow(widths []int, columns int) {
	total := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for over := total - columns; over > 0; over-- {
		widest := -1
		for i, least := range t.flexible {
			if widths[i] > least && (widest < 0 || widths[i] > widths[widest] || widths[i] == widths[widest] && i > widest) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

func (t *table) line(s *screen, row []cell, widths []int) string {
	var b strings.Builder
	for i, c := range row {
		text := c.text
		if s.terminal() {
			text = cut(text, widths[i])
		}
		if i > 0 {
			b.WriteString(gap)
		}
		b.WriteString(s.paint(c.colour, text))
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", max(0, widths[i]-textWidth(text))))
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// cut shortens text to a width in columns, with an ellipsis.
func cut(text string, width int) string {
	if textWidth(text) <= width {
		return text
	}
	used := 0
	for i, r := range text {
		if used += runeWidth(r); used > width-1 {
			return text[:i] + "…"
		}
	}
	return text
}

func textWidth(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// wide are the ranges of characters that terminals show in two columns.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{{0x1100, 0x115f, 1}, {0x2e80, 0xa4cf, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1}, {0xfe30, 0xfe6f, 1}, {0xff00, 0xff60, 1}, {0xffe0, 0xffe6, 1}},
	R32: []unicode.Range32{{0x1f300, 0x1f64f, 1}, {0x1f900, 0x1f9ff, 1}, {0x20000, 0x3fffd, 1}},
}

// runeWidth is how many columns a terminal gives a character.
func runeWidth(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}
