package main

import (
	"fmt"
	"slices"
	"strings"
)

// table is rows of cells that are printed in columns, two spaces apart.
type table struct {
	head []string
	rows [][]cell
	// flexible are the columns that give way if the table is too wide, from
	// the last one on, and how narrow they may get.
	flexible map[int]int
	// spare are the columns that are left out, the first one first, if that is
	// not enough.
	spare  []int
	right  []int          // columns whose texts end at the same place
	below  map[int][]cell // further lines below a row
	titled bool           // the first head is the table's title
}

// cell is a text without control characters, and its colour. It may go on in
// other colours.
type cell struct {
	text   string
	colour string
	more   []cell // each without more of its own
}

// width is how many columns it takes.
func (c cell) width() int {
	n := textWidth(c.text)
	for _, m := range c.more {
		n += textWidth(m.text)
	}
	return n
}

// cut shortens it to a width.
func (c cell) cut(width int, ellipsis string) cell {
	if c.width() <= width {
		return c
	}
	room := width
	var parts []cell
	for _, p := range append([]cell{{text: c.text, colour: c.colour}}, c.more...) {
		if w := textWidth(p.text); w < room { // more is to follow
			room -= w
			parts = append(parts, p)
			continue
		}
		parts = append(parts, cell{text: cut(p.text+"x", room, ellipsis), colour: p.colour})
		break
	}
	return joined(parts...)
}

// joined makes one cell of several.
func joined(parts ...cell) cell {
	var c cell
	for i, p := range parts {
		if i == 0 {
			c.text, c.colour = p.text, p.colour
		} else {
			c.more = append(c.more, cell{text: p.text, colour: p.colour})
		}
		c.more = append(c.more, p.more...)
	}
	return c
}

// paint gives the text with its colours.
func (c cell) paint(s *screen) string {
	text := s.paint(c.colour, c.text)
	for _, m := range c.more {
		text += s.paint(m.colour, m.text)
	}
	return text
}

const gap = "  "

// lines gives the table's lines; on a terminal none is wider than that.
func (t *table) lines(s *screen) []string {
	widths := make([]int, len(t.head))
	for i, h := range t.head {
		widths[i] = textWidth(h)
	}
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], c.width())
		}
	}
	columns := 0
	if s.terminal() {
		columns, _ = s.size()
		t.narrow(widths, columns)
	}
	head := make([]cell, len(t.head))
	for i, h := range t.head {
		head[i] = cell{text: h, colour: dim}
	}
	if t.titled {
		head[0].colour = bold
	}
	out := []string{t.line(s, head, widths, columns)}
	for i, row := range t.rows {
		out = append(out, t.line(s, row, widths, columns))
		for _, c := range t.below[i] {
			c = joined(cell{text: strings.Repeat(" ", widths[0]) + gap}, c)
			if columns > 0 {
				c = c.cut(columns, s.ellipsis)
			}
			out = append(out, c.paint(s))
		}
	}
	return out
}

// print prints the table.
func (t *table) print(s *screen) {
	for _, line := range t.lines(s) {
		fmt.Fprintln(s, line)
	}
}

// hidden is the width of a column that is left out.
const hidden = -1

// narrow takes from the columns what is too much for a line.
func (t *table) narrow(widths []int, columns int) {
	for _, spare := range t.spare {
		if t.least(widths) <= columns {
			break
		}
		widths[spare] = hidden
	}
	for over := total(widths) - columns; over > 0; over-- {
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

// least is how narrow the table can be made without leaving columns out.
func (t *table) least(widths []int) int {
	narrowest := slices.Clone(widths)
	for i, w := range t.flexible {
		narrowest[i] = min(narrowest[i], w)
	}
	return total(narrowest)
}

// total is the width of a line with columns of these widths.
func total(widths []int) int {
	sum := -len(gap)
	for _, w := range widths {
		if w != hidden {
			sum += w + len(gap)
		}
	}
	return sum
}

// line writes a row. columns is how wide it may be at most; 0 means any width.
func (t *table) line(s *screen, row []cell, widths []int, columns int) string {
	var parts []cell
	for i, c := range row {
		if widths[i] == hidden {
			continue
		}
		if columns > 0 {
			c = c.cut(widths[i], s.ellipsis)
		}
		if len(parts) > 0 {
			parts = append(parts, cell{text: gap})
		}
		pad := cell{text: strings.Repeat(" ", max(0, widths[i]-c.width()))}
		if slices.Contains(t.right, i) {
			parts = append(parts, pad, c)
		} else {
			parts = append(parts, c, pad)
		}
	}
	for len(parts) > 0 && strings.TrimSpace(parts[len(parts)-1].text) == "" && parts[len(parts)-1].more == nil {
		parts = parts[:len(parts)-1]
	}
	whole := joined(parts...)
	if columns > 0 {
		whole = whole.cut(columns, s.ellipsis)
	}
	return strings.TrimRight(whole.paint(s), " ")
}
