package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// Whatever a job writes, and however it comes in pieces, a terminal is given
// text and colours alone.
func FuzzHarmless(f *testing.F) {
	for _, s := range []string{
		"plain\n", "\x1b[31mred\x1b[0m", "\x1b[2J", "\x1b]0;title\x07", "\x1b]52;c;cm0=\x1b\\x", "\x1bP1$r\x1b\\", "\x1b[12;", "\x1b", "\u009b31m", "\xff\xc3",
		"\u202e", "a\rb", "\x00\x07\x08\x7f", "\x1b\x1b[0m", "\x1b[31\x1b[m", "\x1b(B\x1bc", "\x1b[?1049h", "\x1b[38:5:1m", "\xe2\x80", "\x1b]\x1b]\n",
		"one\ntwo\x1b[9A\x1b[K\b\b\b\b\x1b[2B\x1b[J", "\x1b[A\x1b[2J\x1b[F\x1b[5;5H\x1b[3G\x1b[99999A",
	} {
		f.Add([]byte(s), 2)
	}
	f.Fuzz(func(t *testing.T, output []byte, at int) {
		write := func(pieces ...[]byte) string {
			var b strings.Builder
			w := &logWriter{out: &b, terminal: true, moves: true}
			for _, p := range pieces {
				if n, err := w.Write(p); err != nil || n != len(p) {
					t.Fatalf("Write = %d, %v; want %d", n, err, len(p))
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		whole := write(output)
		left := strings.NewReplacer("\n", "", "\t", "", "\r", "", "\b", "").Replace(colours.ReplaceAllString(moves.ReplaceAllString(whole, ""), ""))
		if jobs.Sanitize(left) != left {
			t.Errorf("%q comes out as %q", output, whole)
		}
		if colours.MatchString(whole) && !strings.HasSuffix(whole, "\x1b[0m") {
			t.Errorf("%q leaves colours on: %q", output, whole)
		}
		stays(t, output, whole)
		if at = min(max(at, 0), len(output)); len(output) < maxSequence {
			if got := write(output[:at], output[at:]); got != whole {
				t.Errorf("%q cut at %d comes out as %q, else as %q", output, at, got, whole)
			}
		}
	})
}

var moves = regexp.MustCompile(`\x1b\[[0-9]{0,4}[A-GJK]`)

// stays fails the test if what a terminal was given for an output reaches above
// the line in which it began, or leaves the cursor above the last one.
func stays(t *testing.T, output []byte, whole string) {
	t.Helper()
	row, rows := 0, 0
	for _, m := range regexp.MustCompile(`\n|\x1b\[([0-9]*)([ABEFJ])`).FindAllStringSubmatch(whole, -1) {
		n, _ := strconv.Atoi(m[1])
		switch m[2] {
		case "":
			row++
		case "A":
			row -= n
		case "B":
			row += n
		default:
			if m[2] != "J" || n != 0 {
				t.Errorf("%q is passed on as %q", output, whole)
			}
		}
		if row < 0 || m[2] == "B" && row > rows {
			t.Fatalf("%q is passed on as %q, which goes beyond its own lines", output, whole)
		}
		rows = max(rows, row)
	}
	if row != rows {
		t.Errorf("%q is passed on as %q, which ends in line %d of %d", output, whole, row, rows)
	}
}
