package watcher

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

const goodText = "type: sleep\nargs: [1]\n"

// claimed makes a file that a daemon had claimed when it crashed.
func (y *tray) claimed(name, text string) (id string) {
	y.t.Helper()
	id = uuid.NewString()
	if err := os.MkdirAll(y.box.claimed, 0o700); err != nil {
		y.t.Fatal(err)
	}
	y.put(filepath.Join(y.box.claimed, id+"-"+name), text)
	return id
}

// committed makes a file that was also committed.
func (y *tray) committed(name, text string) (id string) {
	y.t.Helper()
	id = y.claimed(name, text)
	in, err := y.box.intake(y.t.Context(), &claim{id: id, name: name}, parse(name, []byte(text)))
	if err != nil {
		y.t.Fatal(err)
	}
	if _, err := y.queue.Accept(y.t.Context(), in); err != nil {
		y.t.Fatal(err)
	}
	return id
}

// moved makes a file that was also moved to the outbox.
func (y *tray) moved(name, text string) (id string) {
	y.t.Helper()
	id = y.committed(name, text)
	if err := os.Rename(filepath.Join(y.box.claimed, id+"-"+name), filepath.Join(y.outbox, name)); err != nil {
		y.t.Fatal(err)
	}
	return id
}

// restart is what a new daemon does first.
func (y *tray) restart() {
	y.t.Helper()
	y.open()
	if err := y.box.recover(y.t.Context()); err != nil {
		y.t.Fatal(err)
	}
}

func TestCrashAtEachStep(t *testing.T) {
	for _, step := range []struct {
		name string
		made func(y *tray) (id string)
	}{
		{"claimed", func(y *tray) string { return y.claimed("a.yaml", goodText) }},
		{"committed", func(y *tray) string { return y.committed("a.yaml", goodText) }},
		{"copied to another file system, not removed", func(y *tray) string {
			id := y.committed("a.yaml", goodText)
			y.put(filepath.Join(y.outbox, "a.yaml"), goodText)
			return id
		}},
		{"moved, not answered", func(y *tray) string { return y.moved("a.yaml", goodText) }},
		{"an older pair of that name is there", func(y *tray) string {
			y.put(filepath.Join(y.outbox, "a.yaml"), "older")
			y.put(filepath.Join(y.outbox, "a.yaml.json"), `{"file": "a.yaml", "state": "COMPLETED"}`)
			return y.committed("a.yaml", goodText)
		}},
		{"the older reply is removed", func(y *tray) string {
			y.put(filepath.Join(y.outbox, "a.yaml"), "older")
			return y.committed("a.yaml", goodText)
		}},
	} {
		t.Run(step.name, func(t *testing.T) {
			y := newTray(t)
			id := step.made(y)
			for range 2 { // the second daemon finds nothing left to do
				y.restart()
				y.scanUntil("reply", func() bool { return y.reply("a.yaml").State == "PENDING" })
				if a := y.reply("a.yaml"); len(a.Jobs) != 1 || a.Jobs[0].ID != id {
					t.Errorf("reply = %+v, want job %s", a, id)
				}
				if all := y.all(); len(all) != 1 {
					t.Errorf("%d jobs, want 1", len(all))
				}
				if got, _ := os.ReadFile(filepath.Join(y.outbox, "a.yaml")); string(got) != goodText {
					t.Errorf("outbox file = %q", got)
				}
				if left := y.claims(); len(left) != 0 {
					t.Errorf("claims left: %v", left)
				}
			}
		})
	}
}

func TestCrashWithoutJobs(t *testing.T) {
	y := newTray(t)
	y.moved("none.yaml", "action: cancel\nids: [ffffffff]\n")
	y.restart()
	if a := y.reply("none.yaml"); a.State != "REJECTED" || a.Reason == "" {
		t.Errorf("reply to a command that named no job: %+v", a)
	}
	y.claimed("bad.yaml", "nonsense: [")
	y.restart()
	y.scanUntil("reply", func() bool { return y.reply("bad.yaml").State == "REJECTED" })
}

// Whatever name they share, the newest is answered last.
func TestCrashWithSeveralClaimsOfOneName(t *testing.T) {
	y := newTray(t)
	var last string
	for i := range 6 {
		last = y.committed("a.yaml", fmt.Sprintf("type: sleep\nargs: [%d]\n", i))
		within(t, "a later time", func() bool { // receipts are stored to the millisecond
			r, err := y.queue.ReceiptByID(t.Context(), last)
			return err == nil && time.Since(r.TakenAt) > 2*time.Millisecond
		})
	}
	y.restart()
	if a := y.reply("a.yaml"); len(a.Jobs) != 1 || a.Jobs[0].ID != last {
		t.Errorf("reply = %+v, want job %s", a, last)
	}
	if got, _ := os.ReadFile(filepath.Join(y.outbox, "a.yaml")); string(got) != "type: sleep\nargs: [5]\n" {
		t.Errorf("outbox file = %q, want the newest", got)
	}
	y.committed("a.yaml", goodText)
	last = y.claimed("a.yaml", goodText)
	y.restart()
	y.scanUntil("reply to the newest", func() bool {
		a := y.reply("a.yaml")
		return len(a.Jobs) == 1 && a.Jobs[0].ID == last
	})
	if all := y.all(); len(all) != 8 {
		t.Errorf("%d jobs, want 8", len(all))
	}
}

// What else lies among our claims is not ours to touch.
func TestStrangeClaims(t *testing.T) {
	y := newTray(t)
	y.claimed("good.yaml", goodText)
	y.put(filepath.Join(y.box.claimed, "no-uuid.yaml"), goodText)
	link := filepath.Join(y.box.claimed, uuid.NewString()+"-link.yaml")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	y.restart()
	y.scanUntil("reply", func() bool { return y.reply("good.yaml").State == "PENDING" })
	if why := y.why("link.yaml"); !strings.Contains(why, "link") {
		t.Errorf("link is listed as %q", why)
	}
	if all := y.all(); len(all) != 1 {
		t.Errorf("%d jobs, want 1", len(all))
	}
	os.Remove(link)
	y.scanUntil("it is forgotten", func() bool { return len(y.box.claims) == 0 })
	if n := y.log.count("claimed file is gone"); n != 1 {
		t.Errorf("its going was logged %d times", n)
	}
}

// A claim of another daemon is shown once an hour has passed, and never taken.
func TestClaimsOfOthers(t *testing.T) {
	dir := t.TempDir()
	other := uuid.NewString()
	path := filepath.Join(dir, other, uuid.NewString()+"-theirs.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(goodText), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var f foreignClaims
		f.look(dir, "mine")
		time.Sleep(59 * time.Minute)
		f.look(dir, "mine")
		if got := f.ignored(); len(got) != 0 {
			t.Errorf("after 59 minutes: %v", got)
		}
		time.Sleep(2 * time.Minute)
		f.look(dir, "mine")
		got := f.ignored()
		if len(got) != 1 || got[0].Name != "theirs.yaml" || !strings.Contains(got[0].Why, "claimed by another jobrunner") {
			t.Errorf("after an hour: %v", got)
		}
		if err := os.WriteFile(path, []byte(goodText+goodText), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		f.look(dir, "mine")
		if got := f.ignored(); len(got) != 0 {
			t.Errorf("after its owner worked on it: %v", got)
		}
		f.look(dir, other)
	})
	y := newTrayOn(t, filepath.Join(dir, "in"), filepath.Join(dir, "out"), filepath.Join(dir, "state"))
	if err := os.Rename(filepath.Join(dir, other), y.in(other)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(y.in(claimFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(y.in(other), filepath.Join(y.in(claimFolder), other)); err != nil {
		t.Fatal(err)
	}
	y.restart()
	y.scan()
	if len(y.claims()) != 1 || len(y.all()) != 0 {
		t.Errorf("claims %v, %d jobs", y.claims(), len(y.all()))
	}
}

// A claimed file that is then replaced, linked or written is read as what it
// has become, or not at all.
func TestClaimChangesUnderUs(t *testing.T) {
	y := newTray(t)
	y.drop("a.yaml", goodText)
	c := y.box.candidate("a.yaml")
	l, err := lookAt(y.in("a.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c.saw(l, time.Now(), y.set)
	if err := y.box.makeClaimed(); err != nil {
		t.Fatal(err)
	}
	os.Remove(y.in("a.yaml")) // between the look and the rename
	os.Symlink("/etc/passwd", y.in("a.yaml"))
	y.box.claim(c, false)
	y.scanUntil("it is listed", func() bool { return strings.Contains(y.why("a.yaml"), "link") })
	y.put(y.in("b.yaml"), "type: sleep\nargs: [")
	c = y.box.candidate("b.yaml")
	c.look = l // another file was found to be ready
	y.box.claim(c, false)
	y.scan()
	if len(y.all()) != 0 {
		t.Fatal("a file that was still to settle was committed")
	}
	y.put(y.box.claims[len(y.box.claims)-1].path, goodText)
	if a := y.answered("b.yaml"); a.State != "PENDING" {
		t.Errorf("reply = %+v", a)
	}
}

// A file that cannot be committed, for a reason of its own, is tried again.
func TestFileCannotBeCommitted(t *testing.T) {
	y := newTray(t)
	y.set.Settle = 0
	if err := y.queue.Close(); err != nil { // the last of its writes
		t.Fatal(err)
	}
	reader, err := jobs.OpenReader(filepath.Join(filepath.Dir(y.dir), "state", "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	y.box.Queue = reader
	y.drop("a.yaml", goodText)
	y.scanUntil("it is said", func() bool { return strings.Contains(y.why("a.yaml"), "cannot be committed") })
	for range 10 {
		y.scan()
	}
	if n := y.log.count("cannot be committed"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	if len(y.claims()) != 1 {
		t.Errorf("claims = %v, want the one file", y.claims())
	}
	q, err := jobs.Open(filepath.Join(filepath.Dir(y.dir), "state", "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	y.queue, y.box.Queue = q, q
	if a := y.answered("a.yaml"); a.State != "PENDING" {
		t.Errorf("reply = %+v", a)
	}
	if s := y.box.status(); s.Err != "" || len(s.Ignored) != 0 {
		t.Errorf("status = %+v", s)
	}
}

// A daemon that is killed at any moment loses no file and takes none twice.
func TestKilledDaemon(t *testing.T) {
	if dir := os.Getenv("WATCHER_TEST_DAEMON"); dir != "" {
		y := newTrayOn(t, filepath.Join(dir, "inbox"), filepath.Join(dir, "outbox"), filepath.Join(dir, "state"))
		y.restart()
		y.box.run(context.Background())
		return
	}
	dir := t.TempDir()
	y := newTrayOn(t, filepath.Join(dir, "inbox"), filepath.Join(dir, "outbox"), filepath.Join(dir, "state"))
	const rounds, each = 12, 20
	n := 0
	for range rounds {
		daemon := exec.Command(os.Args[0], "-test.run=^TestKilledDaemon$")
		daemon.Env = append(os.Environ(), "WATCHER_TEST_DAEMON="+dir)
		if err := daemon.Start(); err != nil {
			t.Fatal(err)
		}
		for range each {
			y.drop(fmt.Sprintf("f%04d.yaml", n), goodText)
			n++
		}
		atLeast := n - each + rand.IntN(each)
		within(t, "some work", func() bool { return len(y.all()) >= atLeast })
		daemon.Process.Kill()
		daemon.Wait()
	}
	y.restart()
	y.scanUntil("all replies", func() bool {
		replies, _ := filepath.Glob(filepath.Join(y.outbox, "*.yaml.json"))
		return len(replies) == n
	})
	seen := map[string]int{}
	for _, j := range y.all() {
		seen[j.Source]++
	}
	if len(seen) != n || len(y.all()) != n {
		t.Errorf("%d files became %d jobs of %d sources", n, len(y.all()), len(seen))
	}
}
