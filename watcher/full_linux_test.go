package watcher

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A full disk stops the taking until there is room again, and loses nothing.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", state, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(state, unix.MNT_DETACH) })
	y := newTrayOn(t, filepath.Join(dir, "inbox"), filepath.Join(dir, "outbox"), state)
	y.set.Settle = 0
	fill, err := os.Create(filepath.Join(state, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 16; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = fill.Write(make([]byte, size))
		}
	}
	fill.Close()

	big := "type: sleep\nargs: [1]\nlabels: {x: " + strings.Repeat("x", 30<<10) + "}\n"
	y.drop("a0.yaml", big)
	y.scanUntil("it is said", func() bool { return strings.Contains(y.box.status().Err, "full") })
	for _, name := range []string{"a1.yaml", "a2.yaml", "a3.yaml"} {
		y.drop(name, big)
		for range 5 {
			y.scan()
		}
	}
	if len(y.claims()) != 1 || len(y.all()) != 0 {
		t.Errorf("%d claims and %d jobs, want only the first claim", len(y.claims()), len(y.all()))
	}
	if n := y.log.count("hindered", "committing requests"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	os.Remove(fill.Name())
	for _, name := range []string{"a0.yaml", "a1.yaml", "a2.yaml", "a3.yaml"} {
		if a := y.answered(name); a.State != "PENDING" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if s := y.box.status(); s.Err != "" || len(y.all()) != 4 {
		t.Errorf("status = %+v, %d jobs", s, len(y.all()))
	}
}
