package watcher

import (
	"os"
	"testing"
)

// makeFIFO makes a folder instead: Windows has no named pipes in folders.
func makeFIFO(path string) error { return os.Mkdir(path, 0o755) }

// runAsNobody skips the test: file modes mean little on Windows.
func runAsNobody(t *testing.T) bool {
	t.Skip("a file cannot be made unreadable by its mode here")
	return true
}
