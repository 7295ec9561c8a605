package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"jobrunner/jobs"
)

// Escape sequences: colours and moves, which are let through to a terminal, and
// all others that programs write, which are taken out.
var (
	sgr       = regexp.MustCompile(`^\x1b\[[0-9;:]*m$`)
	move      = regexp.MustCompile(`^\x1b\[([0-9]{0,4})([A-GJK])$`)
	sequence  = regexp.MustCompile(`^\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[PX^_][^\x1b\n]*\x1b\\|[ -/]+[0-~]|[0-OQ-WYZ\\` + "`" + `a-~])`)
	beginning = regexp.MustCompile(`^\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*\x1b?|[PX^_][^\x1b\n]*\x1b?|[ -/]*)$`)
)

// maxSequence is how long an escape sequence may be that is waited for.
const maxSequence = 4096

// logWriter passes a job's output on: to a pipe or file as it is, to a
// terminal without what could do more there than write, colour, and draw again
// over what it has written itself, as progress bars do.
type logWriter struct {
	out      io.Writer
	terminal bool
	moves    bool   // the terminal can draw over what is there
	rest     []byte // the beginning of a character or sequence
	coloured bool

	row, rows int // the cursor's line, and how many there are above and below the first one
	column    int // the cursor's, at least; characters of two columns count as one
}

func newLogWriter(out io.Writer) *logWriter {
	s := newScreen(out)
	return &logWriter{out: out, terminal: s.terminal(), moves: s.moves()}
}

func (w *logWriter) Write(p []byte) (int, error) {
	if !w.terminal {
		return w.out.Write(p)
	}
	w.rest = append(w.rest, p...)
	if err := w.flush(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close writes what is left, ends colours that the job left on, and goes behind
// its last line.
func (w *logWriter) Close() error {
	if !w.terminal {
		return nil
	}
	if err := w.flush(true); err != nil {
		return err
	}
	end := ""
	if below := w.rows - w.row; below > 0 {
		end = fmt.Sprintf("\x1b[%dB", below)
		w.row = w.rows
	}
	if w.coloured {
		end += "\x1b[0m"
	}
	if end == "" {
		return nil
	}
	_, err := io.WriteString(w.out, end)
	return err
}

// begun reports whether the cursor of a terminal stands within a line.
func (w *logWriter) begun() bool { return w.terminal && w.column > 0 }

// flush writes all that is complete, or everything.
func (w *logWriter) flush(everything bool) error {
	var b strings.Builder
	p := w.rest
	for len(p) > 0 {
		if p[0] == 0x1b {
			if m := sequence.Find(p); m != nil {
				if sgr.Match(m) {
					b.Write(m)
					w.coloured = true
				} else if w.moves {
					b.WriteString(w.moved(m))
				}
				p = p[len(m):]
				continue
			}
			if !everything && len(p) < maxSequence && beginning.Match(p) {
				break
			}
		}
		if !everything && !utf8.FullRune(p) {
			break
		}
		r, n := utf8.DecodeRune(p)
		b.WriteString(w.put(r, p[:n]))
		p = p[n:]
	}
	w.rest = append(w.rest[:0], p...)
	if b.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(w.out, b.String())
	return err
}

// put gives what is to be written for a character, and notes where the cursor is
// then.
func (w *logWriter) put(r rune, text []byte) string {
	switch {
	case r == '\n':
		w.row++
		w.rows, w.column = max(w.rows, w.row), 0
	case r == '\r':
		w.column = 0
	case r == '\b' && w.moves:
		if w.column == 0 {
			return "" // some terminals would go to the line above
		}
		w.column--
	default:
		w.column++
		if r != '\t' {
			return jobs.Sanitize(string(text))
		}
	}
	return string(r)
}

// moved gives what is to be written for a sequence that moves or erases, so that
// nothing is reached but what was written here; "" for other sequences. (A line
// that takes several of the terminal's counts as one, so that less is reached.)
func (w *logWriter) moved(seq []byte) string {
	m := move.FindSubmatch(seq)
	if m == nil {
		return ""
	}
	n, _ := strconv.Atoi(string(m[1]))
	final := m[2][0]
	switch final {
	case 'J', 'K':
		if final == 'J' && n != 0 { // it would erase what is above
			return ""
		}
		return string(seq)
	case 'G':
		w.column = max(1, n) - 1
		return string(seq)
	case 'C':
		w.column += max(1, n)
		return string(seq)
	case 'D':
		w.column = max(0, w.column-max(1, n))
		return string(seq)
	}
	return w.movedLines(max(1, n), final)
}

// movedLines moves n lines up (A, F) or down (B, E), F and E to the line's begin.
func (w *logWriter) movedLines(n int, final byte) string {
	from := w.row
	if final == 'A' || final == 'F' {
		w.row = max(0, w.row-n)
	} else {
		w.row = min(w.rows, w.row+n)
	}
	begin := ""
	if final == 'E' || final == 'F' {
		begin, w.column = "\r", 0
	}
	switch by := w.row - from; {
	case by < 0:
		return fmt.Sprintf("%s\x1b[%dA", begin, -by)
	case by > 0:
		return fmt.Sprintf("%s\x1b[%dB", begin, by)
	}
	return begin
}

// plain is a line of output without escape sequences and control characters,
// other than tabs.
func plain(line string) string {
	var b strings.Builder
	w := &logWriter{out: &b, terminal: true}
	_, _ = w.Write([]byte(line)) // a Builder takes everything
	_ = w.flush(true)
	return colours.ReplaceAllString(b.String(), "")
}

var colours = regexp.MustCompile(`\x1b\[[0-9;:]*m`)
