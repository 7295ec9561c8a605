package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
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
	fill := fillUp(t, state)
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
	os.Remove(fill)
	for _, name := range []string{"a0.yaml", "a1.yaml", "a2.yaml", "a3.yaml"} {
		if a := y.answered(name); a.State != "PENDING" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if s := y.box.status(); s.Err != "" || len(y.all()) != 4 {
		t.Errorf("status = %+v, %d jobs", s, len(y.all()))
	}
}

// fillUp leaves no room in a folder's file system, and gives the file to remove.
func fillUp(t *testing.T, dir string) string {
	t.Helper()
	fill, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = fill.Write(make([]byte, size))
		}
	}
	return fill.Name()
}

// A queue file that cannot be written is not tried without a pause, although
// each vain try changes it, and that is said once. What was accepted has its
// line when there is room.
func TestQueueFileOnAFullDisk(t *testing.T) {
	for _, reader := range []bool{false, true} {
		t.Run(fmt.Sprintf("reader %v", reader), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			small := filepath.Join(d.dir, "small")
			if err := os.Mkdir(small, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=64k"); err != nil {
				t.Skipf("a small file system cannot be mounted: %v", err)
			}
			t.Cleanup(func() { unix.Unmount(small, unix.MNT_DETACH) })
			lines := &logLines{}
			d.path, d.log = filepath.Join(small, "job_queue.txt"), lines
			d.write(strings.Repeat("sleep 1\n", 200))
			fill := fillUp(t, small)
			if reader {
				f, err := os.Open(d.path)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
			}
			d.start()
			d.until("it is said", func() bool { return lines.count("no space left", "cannot be kept") > 0 })
			before, begun := d.asked.Load(), time.Now()
			time.Sleep(6 * faultDelay)
			if n, most := d.asked.Load()-before, 8*int64(time.Since(begun)/faultDelay+1); n > most {
				t.Errorf("it was tried so often that settings were asked for %d times, want at most %d", n, most)
			}
			if n := lines.count("cannot be kept"); n != 1 {
				t.Errorf("logged %d times, want once", n)
			}
			if err := os.Remove(fill); err != nil {
				t.Fatal(err)
			}
			d.until("each job has its line", func() bool { return len(d.jobs()) == 200 && d.view() == 200 })
		})
	}
}

// view counts the lines that are those of jobs; 0 while there are others.
func (d *desk) view() (n int) {
	d.t.Helper()
	for _, words := range d.lines() {
		if len(words) < 4 || uuid.Validate(words[0]) != nil {
			return 0
		}
		n++
	}
	return n
}
