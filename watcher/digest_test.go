package watcher

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A line that is longer than what a look reads at once is read to its end, and all
// that follows.
func TestLongLineThenMany(t *testing.T) {
	d := newDesk(t)
	q := d.prepared()
	defer q.Close()
	path := filepath.Join(t.TempDir(), "lines")
	text := strings.Repeat("x", 2*mostLooked) + "\n" + strings.Repeat("sleep 1\n", 5000)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	look := q.newDigest(0, 0)
	if _, err := look.read(f, int64(len(text))); err != nil {
		t.Fatal(err)
	}
	if len(look.raws) != 5001 || look.end != int64(len(text)) || look.cut {
		t.Errorf("%d lines up to %d, cut %v, want 5001 up to %d", len(look.raws), look.end, look.cut, len(text))
	}
}

func TestExpected(t *testing.T) {
	for _, tt := range []struct {
		n          int
		read, left int64
		least, max int
	}{
		{0, 0, 8 << 20, 1, 100},
		{1000, 4000, 4000, 1000, 1100},       // as many again
		{1000, 4000, 8 << 20, 3000, 3100},    // not all of them at once
		{1000, 8 << 20, 100, 1, 100},         // hardly any
		{5000, 16 << 20, -(8 << 20), 1, 100}, // it went on behind what was to be read
		{1 << 24, 1 << 27, 1 << 28, 1 << 25, 1 << 26},
	} {
		if got := expected(tt.n, tt.read, tt.left); got < tt.least || got > tt.max {
			t.Errorf("after %d in %d bytes, of %d: %d, want %d to %d", tt.n, tt.read, tt.left, got, tt.least, tt.max)
		}
	}
}
