package ui

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"jobrunner/jobs"
)

// Bounds of a screen.
const (
	reach       = 40       // rows that the cursor can move up
	wide        = 500      // columns that it can move to the right by itself
	maxSequence = 64       // bytes of the parameters of a sequence that are looked at
	maxCells    = 32 << 10 // letters of a row
)

// screen shows a part of an output as a terminal would that has one row for each
// line, however many there are. What is no text and no movement on the last rows
// leaves no trace but a mark. It does no more work than a few steps a byte.
type screen struct {
	rows []screenRow
	y, x int   // the cursor; y is a row that is there
	pen  style // of what is written next
	ends int64 // line ends that were fed
	room int   // spaces that rows may still be filled up with: they must not outgrow what was fed
}

// screenRow is one line of it.
type screenRow struct {
	cells []cell
	from  int64 // of the output: where the line begins
	line  int64 // how many line ends were fed before it
	rest  int64 // bytes of the line that were not fed
	fresh bool  // nothing was written into it yet
}

type cell struct {
	r     rune
	style style
}

// newScreen shows an output from a byte of it on.
func newScreen(from int64) *screen {
	return &screen{rows: []screenRow{{from: from, fresh: true}}}
}

// feed draws one more piece of the output, without line ends in it.
func (s *screen) feed(data []byte) {
	s.room += len(data)
	s.rows[s.y].fresh = s.rows[s.y].fresh && len(data) == 0
	for i := 0; i < len(data); {
		switch c := data[i]; {
		case c == 0x1b:
			i += s.escape(data[i:])
		case c >= 0x20 && c < 0x7f:
			s.put(rune(c))
			i++
		case c < utf8.RuneSelf:
			s.control(c)
			i++
		default:
			r, n := utf8.DecodeRune(data[i:])
			s.put(shownRune(r))
			i += n
		}
	}
}

// end goes to the beginning of the next row; if that is a new one, it begins at
// that byte of the output. line reports whether a line end made it so.
func (s *screen) end(next int64, line bool) {
	s.y, s.x = s.y+1, 0
	if line {
		s.ends++
	}
	if s.y == len(s.rows) {
		s.rows = append(s.rows, screenRow{from: next, line: s.ends, fresh: true})
	}
}

// put writes a letter where the cursor is.
func (s *screen) put(r rune) {
	cells := &s.rows[s.y].cells
	if s.x >= maxCells {
		return
	}
	if gap := s.x - len(*cells); gap > 0 {
		gap = min(gap, s.room)
		s.room -= gap
		*cells = append(*cells, slices.Repeat([]cell{{r: ' '}}, gap)...)
		s.x = len(*cells)
	}
	if s.x == len(*cells) {
		*cells = append(*cells, cell{r, s.pen})
	} else {
		(*cells)[s.x] = cell{r, s.pen}
	}
	s.x++
}

// control obeys a control character.
func (s *screen) control(c byte) {
	switch c {
	case '\r':
		s.x = 0
	case '\b':
		s.x = max(0, s.x-1)
	case '\t':
		s.put('\t')
	case '\a', '\n':
	case 0x7f:
		s.put('\u2421')
	default:
		s.put('\u2400' + rune(c)) // its picture
	}
}

// shownRune is r, or a mark in place of what is no letter or would change how the
// text around it is shown.
func shownRune(r rune) rune {
	if jobs.Printable(r) {
		return r
	}
	return utf8.RuneError
}

// escape obeys the sequence that data begins with, and gives its length; that of
// all of data if it does not end in it.
func (s *screen) escape(data []byte) int {
	if len(data) < 2 {
		return len(data)
	}
	switch c := data[1]; {
	case c == '[':
		return s.sequence(data)
	case c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X': // a command to the terminal, or a text for it
		return stringEnd(data)
	case c >= 0x20 && c <= 0x2f:
		n := 2
		for n < len(data) && data[n] >= 0x20 && data[n] <= 0x2f {
			n++
		}
		return min(n+1, len(data))
	case c >= 0x30 && c <= 0x7e:
		return 2
	}
	return 1
}

// stringEnd is where a string for the terminal ends: BEL, or ESC and a backslash.
// It is broken off by any other ESC.
func stringEnd(data []byte) int {
	i := bytes.IndexAny(data[2:], "\a\x1b")
	switch {
	case i < 0:
		return len(data)
	case data[2+i] == '\a':
		return 3 + i
	case bytes.HasPrefix(data[2+i:], []byte("\x1b\\")):
		return 4 + i
	}
	return 2 + i
}

// sequence obeys a control sequence: ESC [ parameters, intermediates, and the
// letter that says what it is.
func (s *screen) sequence(data []byte) int {
	n := 2
	for n < len(data) && data[n] >= 0x30 && data[n] <= 0x3f {
		n++
	}
	params := string(data[2:min(n, 2+maxSequence)])
	plain := n < len(data) && data[n] >= 0x40
	for n < len(data) && data[n] >= 0x20 && data[n] <= 0x2f {
		n++
	}
	if n == len(data) {
		return n
	}
	if data[n] < 0x40 || data[n] > 0x7e {
		return n // it is broken off
	}
	if plain && !strings.ContainsAny(params, "<=>?") {
		s.obey(data[n], params)
	}
	return n + 1
}

// obey does what a control sequence says, if it is one of those that matter here.
func (s *screen) obey(what byte, params string) {
	if what == 'm' {
		s.pen = s.pen.rendered(params)
		return
	}
	n, err := strconv.Atoi(params)
	given := err == nil
	n = min(max(n, 0), wide)
	times := max(n, 1)
	switch what {
	case 'A', 'F':
		s.y = max(0, s.y-times, len(s.rows)-reach)
	case 'B', 'E':
		s.y = min(s.y+times, len(s.rows)-1)
	case 'C':
		s.x = min(s.x+times, max(s.x, wide))
	case 'D':
		s.x = max(0, s.x-times)
	case 'G':
		s.x = times - 1
	case 'J':
		if !given || n == 0 {
			s.erase(0)
			for y := s.y + 1; y < len(s.rows); y++ {
				s.rows[y].cells = nil
			}
		}
	case 'K':
		s.erase(n)
	}
	if what == 'E' || what == 'F' {
		s.x = 0
	}
}

// erase empties the cursor's row: 0 from the cursor on, 1 up to it, 2 all.
func (s *screen) erase(what int) {
	cells := &s.rows[s.y].cells
	switch what {
	case 0:
		*cells = (*cells)[:min(s.x, len(*cells))]
	case 1:
		for i := range min(s.x+1, len(*cells)) {
			(*cells)[i] = cell{r: ' '}
		}
	case 2:
		*cells = (*cells)[:0]
	}
}

// html writes the row's text, and reports whether it is more than limit bytes
// and was cut. All that it has of the output is text, escaped.
func (r screenRow) html(b *strings.Builder, limit int) (cut bool) {
	cells := r.cells
	for len(cells) > 0 && cells[len(cells)-1] == (cell{r: ' '}) {
		cells = cells[:len(cells)-1]
	}
	pen, open := style(0), ""
	for limit += b.Len(); len(cells) > 0 && b.Len() < limit; cells = cells[1:] {
		if c := cells[0]; c.style != pen {
			pen = c.style
			if classes := pen.classes(); classes != open {
				b.WriteString(closing(open))
				if open = classes; open != "" {
					b.WriteString(`<i class="` + open + `">`)
				}
			}
		}
		switch r := cells[0].r; r {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(closing(open))
	return len(cells) > 0
}

func closing(open string) string {
	if open == "" {
		return ""
	}
	return "</i>"
}
