package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// A share sends no events, and adding a watch on it succeeds all the same. Every
// file is found within two looks, and it is said that there is only looking.
func TestShareIsLookedThrough(t *testing.T) {
	t.Parallel()
	s := newShare(t, 0)
	y := s.inbox(t)
	y.set.PollInterval, y.set.Settle = 50*time.Millisecond, 0
	y.run()
	within(t, "events", func() bool { return y.box.status().Events != "" })
	if got := y.box.status().Events; got != "polling every 50ms" {
		t.Errorf("events: %q", got)
	}
	n := 10
	if soaking() {
		n = 400
	}
	for i := range n {
		name := fmt.Sprintf("a%d.yaml", i)
		s.drop(t, name, goodText)
		before := s.looked() // one may be under way that has passed by the file
		within(t, "reply", func() bool { return y.reply(name).State == "PENDING" })
		if looks := s.takenAfter(name) - before; looks > 2 {
			t.Errorf("%s was taken after %d looks, want at most 2", name, looks)
		}
	}
	if got := len(y.all()); got != n {
		t.Errorf("%d jobs of %d files", got, n)
	}
}

// The other side shows a file's growth late. A part of a request that reads as
// one is not taken for the whole.
func TestShareShowsGrowthLate(t *testing.T) {
	t.Parallel()
	s := newShare(t, time.Hour)
	y := s.inbox(t)
	y.set.Settle = 100 * time.Millisecond
	s.append(t, "a.yaml", "type: sleep\nargs: [2]\n")
	y.scan()
	s.append(t, "a.yaml", "name: whole\n")
	if l, err := lookAt(y.in("a.yaml")); err != nil || l.size != int64(len("type: sleep\nargs: [2]\n")) {
		t.Skipf("the growth is seen at once: %d bytes, %v", l.size, err)
	}
	y.answered("a.yaml")
	if all := y.all(); len(all) != 1 || all[0].Name != "whole" {
		t.Errorf("jobs = %+v, want one with the name that was appended", all)
	}
}

// A lease is granted there too, and proves nothing: others need not ask this
// kernel before they write.
func TestLeaseOfShareIsNotTrusted(t *testing.T) {
	t.Parallel()
	s := newShare(t, 0)
	s.append(t, "file", "text")
	path := filepath.Join(s.near, "file")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	t.Logf("lease: %v", err)
	if err == nil {
		s.append(t, "file", "more") // would wait, did the lease mean anything
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK); err != nil {
			t.Fatal(err)
		}
	}
	if got := writersOf(f); got != writersUnknown {
		t.Errorf("writersOf = %v, want that it is unknown", got)
	}
	if why := unsafeToWrite(path); why == "" {
		t.Error("the file is held to be safe to write")
	}
	if !mayChangeElsewhere(s.near) {
		t.Error("the share is held to be changed here only")
	}
}

// shareDesk is a queue file on a share, kept by a daemon whose passes the test
// makes itself.
func shareDesk(t *testing.T, s *share) (*desk, *queueFile) {
	t.Helper()
	d := newDesk(t)
	d.path = filepath.Join(s.near, "job_queue.txt")
	q := d.prepared()
	t.Cleanup(func() { q.Close() })
	return d, q
}

// states gives what the side file of the desk says, "target args STATE" a line.
func (d *desk) states() (all []string) {
	text, _ := os.ReadFile(sidePath(d.path))
	for line := range strings.Lines(string(text)) {
		all = append(all, strings.Join(strings.Fields(line)[1:], " "))
	}
	return all
}

// The queue file of a share is only read, also by a configuration that takes
// the share for a local disk: lines are found within two passes, and the states
// stand in the side file.
func TestQueueFileOnShare(t *testing.T) {
	t.Parallel()
	s := newShare(t, 0)
	d, q := shareDesk(t, s)
	if !strings.Contains(q.said(), "only read") || !strings.Contains(q.said(), "job_queue.status.txt") {
		t.Errorf("said: %q", q.said())
	}
	var text string
	for i := range 5 {
		line := fmt.Sprintf("countdown.py %d\n", i)
		text += line
		s.append(t, "job_queue.txt", line)
		q.pass(t.Context())
		q.pass(t.Context())
		if got := len(d.jobs()); got != i+1 {
			t.Fatalf("%d jobs two passes after line %d", got, i+1)
		}
	}
	d.begin(d.jobs()[4].ID)
	d.passUntil(q, "the states", func() bool { return strings.Contains(fmt.Sprint(d.states()), "RUNNING") })
	want := "[countdown.py 0 RUNNING countdown.py 1 PENDING countdown.py 2 PENDING countdown.py 3 PENDING countdown.py 4 PENDING]"
	if got := fmt.Sprint(d.states()); got != want {
		t.Errorf("states = %s\nwant %s", got, want)
	}
	if got := d.read(); got != text {
		t.Errorf("the file itself was changed:\n%s", got)
	}
}

// passUntil makes passes, each when the last one wanted the next, until ok.
func (d *desk) passUntil(q *queueFile, what string, ok func() bool) {
	d.t.Helper()
	d.until(what, func() bool {
		q.pass(d.t.Context())
		q.unplaced = true
		return ok()
	})
}

// Appends that arrive in parts, or whose length is seen before their bytes are,
// are read when they are whole.
func TestTornAppendsOnShare(t *testing.T) {
	t.Parallel()
	s := newShare(t, 0)
	d, q := shareDesk(t, s)
	pass := func() { q.pass(t.Context()); q.pass(t.Context()) }
	for _, part := range []string{"count", "down.py", " 2", "5", "\ncountdown.py 2", "6\n"} {
		s.append(t, "job_queue.txt", part)
		pass()
	}
	if got := fmt.Sprint(d.arguments()); got != "[25 26]" {
		t.Errorf("lines in parts: jobs %s, want [25 26]", got)
	}

	far := filepath.Join(s.far, "job_queue.txt")
	size := int64(len(d.read()))
	late := "countdown.py 27\n"
	if err := os.Truncate(far, size+int64(len(late))); err != nil {
		t.Fatal(err)
	}
	pass()
	s.append(t, "job_queue.txt", "countdown.py 28\n")
	pass()
	f, err := os.OpenFile(far, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(late), size); err != nil {
		t.Fatal(err)
	}
	d.passUntil(q, "the late bytes", func() bool { return len(d.jobs()) > 3 })
	pass()
	if got := fmt.Sprint(d.arguments()); got != "[25 26 28 27]" {
		t.Errorf("bytes that come late: jobs %s, want [25 26 28 27]", got)
	}
}

// arguments gives the first argument of every job, oldest first.
func (d *desk) arguments() (all []string) {
	for _, j := range d.jobs() {
		arg := "-"
		if j.State == jobs.Pending && len(j.Args) > 0 {
			arg = j.Args[0]
		}
		all = append([]string{arg}, all...)
	}
	return all
}
