//go:build unix

package runner

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// A record that cannot be read may have been that of a start: what is not in
// a damaged journal may have run all the same.
func TestDamagedJournal(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	w.release(file)
	id := w.add("until", file, "5")
	e := w.connect()
	w.begin(e, id)
	p := w.start(e, id).Process
	w.awaitGone(p)
	w.killSupervisor()
	path := filepath.Join(w.state, journalFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte(id), bytes.Repeat([]byte("?"), len(id))), 0o600); err != nil {
		t.Fatal(err)
	}
	w.serve()
	w.want(w.awaitEnd(id), jobs.Lost, lostSupervisor)
	if n := w.ran(file); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

// A job whose start is recorded is not started again because its supervisor
// has long forgotten it (an older database was put back).
func TestForgottenStart(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	w.release(file)
	id := w.add("until", file, "0")
	e := w.connect()
	w.begin(e, id)
	gone := jobs.ProcessID{PID: 1 << 22, Start: "1", Boot: bootID()}
	if _, err := w.queue.Started(context.Background(), id, 1, jobs.StartInfo{Process: gone}); err != nil {
		t.Fatal(err)
	}
	w.serve()
	if job := w.awaitEnd(id); job.State != jobs.Lost {
		t.Errorf("it is %s %q, want LOST", job.State, job.Reason)
	}
	if n := w.ran(file); n != 0 {
		t.Errorf("it ran %d times more", n)
	}
}

// A supervisor whose socket was tidied away lives: its jobs are its own still.
func TestSocketGoneWithDaemon(t *testing.T) {
	t.Setenv(envSocket, "1s")
	w := newWorld(t, 2)
	file := w.file("never")
	id := w.add("until", file, "0")
	_, stop := w.serve()
	w.awaitRun(id, file)
	stop()
	if err := os.Remove(filepath.Join(w.state, socketFile)); err != nil {
		t.Fatal(err)
	}
	next := w.add("exit", "0")
	w.serve()
	w.awaitEnd(next)
	w.command(jobs.Cancel, id)
	w.want(w.awaitEnd(id), jobs.Cancelled, "cancelled by request")
}

// A folder that was moved away with its supervisor alive, and made anew, is
// the new supervisor's alone.
func TestFolderReplaced(t *testing.T) {
	const look = 20 * time.Millisecond
	t.Setenv(envSocket, look.String())
	dir := filepath.Join(t.TempDir(), "state")
	old := newHouseIn(t, dir)
	old.start(old.role("stay"))
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	t.Setenv(envSocket, "1h")
	fresh := newHouseIn(t, dir)
	if fresh.Instance() == old.Instance() {
		t.Fatal("the new folder has the old supervisor")
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for range 15 { // looks of the old one
		<-tick.C
		e, err := dial(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if e.Instance() != fresh.Instance() {
			t.Fatal("the old supervisor took the socket of the new one")
		}
		e.Close()
	}
	old.dir += ".old"
}

// What is no file must not hold up the supervisor.
func TestLogIsNoFile(t *testing.T) {
	h := newHouse(t)
	s := h.job("true")
	if err := os.MkdirAll(filepath.Dir(s.Log), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(s.Log, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	st, err := h.Start(ctx, s)
	if err != nil || st.StartError == "" {
		t.Errorf("got %q, %v, want a start error", how(st), err)
	}
}

// A supervisor whose folder is gone leaves when its last job has ended: nobody
// can acknowledge that any more.
func TestLeavesWithoutFolder(t *testing.T) {
	t.Setenv(envSocket, "20ms")
	dir := filepath.Join(t.TempDir(), "state")
	h := newHouseIn(t, dir)
	p, _ := identify(h.PID())
	job := h.start(h.role("stay")).Process
	h.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	kill(job)
	eventually(t, "the supervisor has left", func() bool { return !alive(p) })
}

// A journal whose folder was moved away does not replace that of another one.
func TestJournalOfAnotherFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j := newJournal(t, dir, "one")
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	newJournal(t, dir, "two")
	if err := j.rewrite(); err == nil {
		t.Error("it was written anew")
	}
	if err := j.starting("job", 1); err != nil {
		t.Errorf("it cannot be written any more: %v", err)
	}
	for folder, want := range map[string]string{dir: "two", dir + ".old": "one"} {
		c, err := loadJournal(folder)
		if err != nil || len(c.instances) != 1 || c.instances[0].Instance != want {
			t.Errorf("%s: got %v, %v, want the journal of %s", folder, c.instances, err, want)
		}
	}
}
