package main

import (
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"jobrunner/jobs"
)

// Escape sequences: colours, which are let through to a terminal, and all that
// programs write to colour, move and erase, which is taken out.
var (
	sgr       = regexp.MustCompile(`^\x1b\[[0-9;:]*m$`)
	sequence  = regexp.MustCompile(`^\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[PX^_][^\x1b\n]*\x1b\\|[ -/]+[0-~]|[0-OQ-WYZ\\` + "`" + `a-~])`)
	beginning = regexp.MustCompile(`^\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\n]*\x1b?|[PX^_][^\x1b\n]*\x1b?|[ -/]*)$`)
)

// maxSequence is how long an escape sequence may be that is waited for.
const maxSequence = 4096

// logWriter passes a job's output on: to a pipe or file as it is, to a
// terminal without what could do more there than write and colour.
type logWriter struct {
	out      io.Writer
	terminal bool
	rest     []byte // the beginning of a character or sequence
	coloured bool
}

func newLogWriter(out io.Writer) *logWriter {
	return &logWriter{out: out, terminal: newScreen(out).terminal()}
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

// Close writes what is left, and ends colours that the job left on.
func (w *logWriter) Close() error {
	if !w.terminal {
		return nil
	}
	if err := w.flush(true); err != nil {
		return err
	}
	if w.coloured {
		_, err := io.WriteString(w.out, "\x1b[0m")
		return err
	}
	return nil
}

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
		if r == '\n' || r == '\t' || r == '\r' {
			b.WriteRune(r)
		} else {
			b.WriteString(jobs.Sanitize(string(p[:n])))
		}
		p = p[n:]
	}
	w.rest = append(w.rest[:0], p...)
	if b.Len() == 0 {
		return nil
	}
	_, err := io.WriteString(w.out, b.String())
	return err
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
