package watcher

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Whoever opens a file for writing while it is being read waits until it is
// closed, and the signal with which the kernel asks for it back does no harm.
func TestWriterWaitsForReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte("one\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, before, err := openRequest(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if writersOf(f) != writersNone {
		t.Skip("this file system grants no leases")
	}
	writer := exec.Command("sh", "-c", `echo two >> "$0"`, path)
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- writer.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("the writer did not wait: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if data, err := readUnchanged(f, before); string(data) != "one\n" || err != nil {
		t.Errorf("read %q, %v", data, err)
	}
	f.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "one\ntwo\n" {
		t.Errorf("file = %q", got)
	}
}
