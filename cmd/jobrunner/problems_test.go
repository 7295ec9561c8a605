package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What is wrong is written over in place, whatever there is of it, and is read
// as long as the daemon runs whose it is.
func TestProblems(t *testing.T) {
	dir := t.TempDir()
	if got := readProblems(dir, 7); got != nil {
		t.Errorf("without a file: %q", got)
	}
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("problem %d: \"disk\" <full>", i))
	}
	for _, words := range [][]string{many, {"one"}, {}} {
		if err := writeProblems(dir, encodeProblems(problems{7, words})); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, problemsName))
		if err != nil || info.Size() != problemsSize {
			t.Errorf("of %d: %d bytes, %v, want always %d", len(words), info.Size(), err, problemsSize)
		}
		got := readProblems(dir, 7)
		if len(words) < 2 && !slices.Equal(got, words) {
			t.Errorf("got %q, want %q", got, words)
		}
		if n := len(got) - 1; len(words) == 1000 && (n < 100 || got[n] != fmt.Sprintf("and %d more, see the page", 1000-n)) {
			t.Errorf("of 1000 there are %d, the last is %q", n, got[n])
		}
		if got := readProblems(dir, 8); got != nil {
			t.Errorf("of another daemon: %q", got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, problemsName), []byte(`{"pid": 7, "pro`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := readProblems(dir, 7); got != nil {
		t.Errorf("of a damaged file: %q", got)
	}
}
