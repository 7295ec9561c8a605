package hooks_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"jobrunner/hooks"
)

// Of an output of any size its beginning is logged and its last line is told.
func TestOutputWithoutEnd(t *testing.T) {
	for _, piece := range []int{1, 7, 1000, 32 << 10} {
		for end, last := range map[string]string{
			"the last\n \n\n": "the last", "the last": "the last", "\n": "line 29999", "\n\n\r\n": "line 29999",
			"\nthe last\n" + strings.Repeat("\n", 70_000): "the last", "": "line 29999",
		} {
			logged := 0
			o := hooks.NewOutput(func(line string) {
				if want := fmt.Sprint("line ", logged); logged < 6000 && line != want {
					t.Fatalf("logged %q, want %q", line, want)
				}
				logged++
			})
			var text bytes.Buffer
			for n := range 30_000 {
				fmt.Fprintf(&text, "line %d\n", n)
			}
			text.Truncate(text.Len() - 1)
			if strings.HasPrefix(end, "the") {
				text.WriteByte('\n')
			}
			text.WriteString(end)
			for text.Len() > 0 {
				if _, err := o.Write(text.Next(piece)); err != nil {
					t.Fatal(err)
				}
			}
			if got := o.Words("exit 1"); got != "exit 1: "+last {
				t.Errorf("in pieces of %d, end %.20q: got %q, want %q", piece, end, got, last)
			}
			if logged < 6000 || logged > 8000 {
				t.Errorf("%d lines are logged", logged)
			}
		}
	}
}

// BenchmarkOutput is what a hook costs that prints without end.
func BenchmarkOutput(b *testing.B) {
	chunk := bytes.Repeat([]byte("y\n"), 16<<10)
	b.SetBytes(int64(len(chunk)))
	o := hooks.NewOutput(func(string) {})
	for b.Loop() {
		if _, err := o.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
