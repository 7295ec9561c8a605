package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// vt is a terminal's screen as a person sees it, made from the bytes that were
// written to it. It knows the sequences that verbs may write, and notes others.
type vt struct {
	columns, rows int
	cells         [][]glyph
	row, column   int
	sgr           string // colours in force, "" for none
	full          bool   // the last column was written: the next character begins a line

	resized  bool // what comes may still be meant for the size before, until the screen is cleared
	noWrap   bool
	noCursor bool
	main     *vt // the screen that comes back, while the other one is shown

	tooWide  []string // lines of which something did not fit
	unknown  []string // sequences that are not known here
	commands []string // operating system commands
	scrolled int      // lines that have left at the top
	rest     []byte   // the beginning of a character or sequence
}

// glyph is what stands in a column. Behind a character of two columns stands
// an empty one.
type glyph struct{ text, sgr string }

func newVT(columns, rows int) *vt {
	v := &vt{columns: columns, rows: rows}
	v.cells = make([][]glyph, rows)
	for i := range v.cells {
		v.cells[i] = v.blank()
	}
	return v
}

func (v *vt) blank() []glyph { return slices.Repeat([]glyph{{text: " "}}, v.columns) }

// resize is what happens if somebody pulls at the window: lines are cut or
// filled up.
func (v *vt) resize(columns, rows int) {
	next := newVT(columns, rows)
	for i := range min(rows, v.rows) {
		copy(next.cells[i], v.cells[i])
	}
	v.columns, v.rows, v.cells = columns, rows, next.cells
	v.row, v.column, v.full, v.resized = min(v.row, rows-1), min(v.column, columns-1), false, true
}

// lines are what stands on the screen, without blanks at the ends of lines and
// without empty lines at its end.
func (v *vt) lines() []string {
	var all []string
	for row := range v.cells {
		all = append(all, v.line(row))
	}
	for len(all) > 0 && all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

func (v *vt) line(row int) string {
	var b strings.Builder
	for _, c := range v.cells[row] {
		b.WriteString(c.text)
	}
	return strings.TrimRight(b.String(), " ")
}

func (v *vt) String() string { return strings.Join(v.lines(), "\n") }

func (v *vt) Write(p []byte) (int, error) {
	v.rest = append(v.rest, p...)
	for len(v.rest) > 0 {
		n := v.step(v.rest)
		if n == 0 {
			break
		}
		v.rest = v.rest[n:]
	}
	return len(p), nil
}

// step takes one character or sequence and returns how long it is; 0 if it is
// not whole.
func (v *vt) step(p []byte) int {
	switch c := p[0]; {
	case c == 0x1b:
		return v.escape(p)
	case c == '\r':
		v.column, v.full = 0, false
	case c == '\n':
		v.newline()
	case c == '\b':
		v.column, v.full = max(0, v.column-1), false
	case c == '\t':
		v.column = min(v.columns-1, v.column/8*8+8)
	case c < 0x20 || c == 0x7f:
		v.unknown = append(v.unknown, fmt.Sprintf("%q", c))
	default:
		if !utf8.FullRune(p) {
			return 0
		}
		r, n := utf8.DecodeRune(p)
		v.put(r)
		return n
	}
	return 1
}

func (v *vt) newline() {
	v.full = false
	if v.row < v.rows-1 {
		v.row++
		return
	}
	v.cells = append(v.cells[1:], v.blank())
	v.scrolled++
}

func (v *vt) put(r rune) {
	width := runeWidth(r)
	if width == 0 {
		return
	}
	if v.full || v.column+width > v.columns {
		if !v.resized {
			v.tooWide = append(v.tooWide, v.line(v.row)+"|"+string(r))
		}
		if v.noWrap {
			v.column = v.columns - width
		} else {
			v.column = 0
			v.newline()
		}
	}
	v.cells[v.row][v.column] = glyph{string(r), v.sgr}
	if width == 2 {
		v.cells[v.row][v.column+1] = glyph{}
	}
	v.column += width
	if v.full = v.column == v.columns; v.full {
		v.column--
	}
}

func (v *vt) escape(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	switch p[1] {
	case '[':
		for i := 2; i < len(p); i++ {
			if p[i] >= '@' && p[i] <= '~' {
				v.control(string(p[2:i]), p[i])
				return i + 1
			}
		}
		return 0
	case ']':
		for _, end := range []string{"\a", "\x1b\\"} {
			if command, _, ok := strings.Cut(string(p[2:]), end); ok {
				v.commands = append(v.commands, command)
				return len("\x1b]" + command + end)
			}
		}
		return 0
	}
	v.unknown = append(v.unknown, fmt.Sprintf("%q", p[:2]))
	return 2
}

// control carries out a control sequence.
func (v *vt) control(args string, final byte) {
	n, _ := strconv.Atoi(args)
	switch {
	case final == 'm':
		v.sgr = args
		if args == "0" {
			v.sgr = ""
		}
		return
	case final == 'A':
		v.row = max(0, v.row-max(1, n))
	case final == 'B':
		v.row = min(v.rows-1, v.row+max(1, n))
	case final == 'C':
		v.column = min(v.columns-1, v.column+max(1, n))
	case final == 'D':
		v.column = max(0, v.column-max(1, n))
	case final == 'G':
		v.column = min(v.columns, max(1, n)) - 1
	case final == 'H' && args == "":
		v.row, v.column = 0, 0
	case final == 'K':
		v.erase(v.row, [2]int{v.column, v.columns}, n)
	case final == 'J' && n == 0:
		v.erase(v.row, [2]int{v.column, v.columns}, 0)
		for row := v.row + 1; row < v.rows; row++ {
			v.cells[row] = v.blank()
		}
	case final == 'J' && n == 2:
		v.resized = false
		for row := range v.rows {
			v.cells[row] = v.blank()
		}
	case final == 'h' || final == 'l':
		v.mode(args, final == 'h')
	default:
		v.unknown = append(v.unknown, fmt.Sprintf("CSI %s%c", args, final))
	}
	v.full = false
}

// erase erases in a line: from the cursor on (0), up to it (1) or all of it (2).
func (v *vt) erase(row int, part [2]int, how int) {
	switch how {
	case 1:
		part = [2]int{0, v.column + 1}
	case 2:
		part = [2]int{0, v.columns}
	}
	copy(v.cells[row][part[0]:part[1]], v.blank())
}

func (v *vt) mode(which string, on bool) {
	switch which {
	case "?7":
		v.noWrap = !on
	case "?25":
		v.noCursor = !on
	case "?1049":
		switch {
		case on && v.main == nil:
			own := *v
			v.main = &own
			v.cells = newVT(v.columns, v.rows).cells
		case !on && v.main != nil:
			main := v.main
			main.resize(v.columns, v.rows)
			v.cells, v.row, v.column, v.main = main.cells, main.row, main.column, nil
		}
	default:
		v.unknown = append(v.unknown, "mode "+which)
	}
}
