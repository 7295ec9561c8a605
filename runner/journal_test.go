//go:build unix

package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestSupervisorIsKilled(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	running, ended, acked, faulty := h.role("stay"), h.job("sh", "-c", "exit 7"), h.job("true"), h.job("no-such-program")
	process := h.start(running).Process
	for _, s := range []spec{ended, acked} {
		h.run(s)
	}
	h.start(faulty)
	if err := h.Ack(ctx, acked.ID, 1); err != nil {
		t.Fatal(err)
	}
	dead := h.Instance()
	h.kill()
	h.Close()

	check := func(when string) {
		t.Helper()
		entries, err := readJournal(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		for s, want := range map[*spec]string{&running: "runs", &ended: "exit 7", &faulty: "start: no-such-program not found in PATH"} {
			e := entries[key{dead, s.ID, 1}]
			if got := how(e.State); got != want || e.Boot != bootID() {
				t.Errorf("%s: got %q in boot %q, want %q", when, got, e.Boot, want)
			}
		}
		if got := entries[key{dead, running.ID, 1}].State.Process; got != process {
			t.Errorf("%s: got process %v, want %v", when, got, process)
		}
		if len(entries) != 3 {
			t.Errorf("%s: got %d entries, want 3", when, len(entries))
		}
	}
	check("after the kill")
	if !alive(process) {
		t.Fatal("the job has gone with its supervisor")
	}
	h.connect()
	check("with a new supervisor")

	c, err := loadJournal(h.dir)
	if err != nil || len(c.instances) != 2 || c.boot(dead) != bootID() || c.boot(h.Instance()) != bootID() {
		t.Errorf("instances: got %v, %v", c, err)
	}
	if state, err := h.Start(ctx, running); err == nil {
		t.Errorf("an attempt that runs without supervisor was started again: %v", state)
	}
	if state, err := h.Start(ctx, ended); err != nil || how(state) != "exit 7" {
		t.Errorf("got %q, %v", how(state), err)
	}
	if left := endTree(ctx, process, running.ID, 1, limit); left != nil || alive(process) {
		t.Errorf("survivors: %v", left)
	}
	for _, s := range []spec{running, ended, faulty} {
		if err := h.Ack(ctx, s.ID, 1); err != nil {
			t.Error(err)
		}
	}
	if entries, err := readJournal(h.dir); err != nil || len(entries) != 0 {
		t.Errorf("after acknowledging: got %v, %v", entries, err)
	}
}

// However a supervisor dies while it starts attempts, the journal has each that
// ran, so that the next one can start the others, and none runs twice.
func TestKilledWhileStarting(t *testing.T) {
	h := newHouse(t)
	for round := range 10 {
		specs := make([]spec, 40)
		var wg sync.WaitGroup
		for i := range specs {
			specs[i] = h.job("sh", "-c", "echo ran")
			wg.Go(func() { _, _ = h.Start(t.Context(), specs[i]) }) // most calls lose the connection
		}
		dead := h.Instance()
		<-time.After(time.Duration(round) * 3 * time.Millisecond) // a different moment each time
		h.kill()
		wg.Wait()
		h.Close()
		h.connect()
		entries, err := readJournal(h.dir)
		if err != nil {
			t.Fatal(err)
		}
		noted := 0
		for _, s := range specs {
			if _, ok := entries[key{dead, s.ID, 1}]; ok {
				noted++
				continue
			}
			if got := how(h.run(s)); got != "exit 0" {
				t.Errorf("round %d: got %q", round, got)
			}
			if got := h.output(s); got != "ran\n" {
				t.Errorf("round %d: an attempt that was not noted ran before: %q", round, got)
			}
		}
		t.Logf("round %d: %d of %d were noted", round, noted, len(specs))
	}
}

func TestJournalTorn(t *testing.T) {
	dir := t.TempDir()
	j := newJournal(t, dir, "one")
	if err := j.starting("a", 1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, journalFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.starting("b", 1); err != nil {
		t.Fatal(err)
	}
	both, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole); n <= len(both); n++ {
		torn := t.TempDir()
		if err := os.WriteFile(filepath.Join(torn, journalFile), both[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := readJournal(torn)
		if err != nil {
			t.Fatal(err)
		}
		_, a := entries[key{"one", "a", 1}]
		_, b := entries[key{"one", "b", 1}]
		if !a || b != (n == len(both)) {
			t.Errorf("cut at %d of %d: a %v, b %v", n, len(both), a, b)
		}
	}
	// The next supervisor does not write behind a torn record.
	if err := os.WriteFile(path, both[:len(both)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	next := newJournal(t, dir, "two")
	if err := next.starting("c", 1); err != nil {
		t.Fatal(err)
	}
	entries, err := readJournal(dir)
	if _, ok := entries[key{"two", "c", 1}]; err != nil || !ok || len(entries) != 2 {
		t.Errorf("got %v, %v, want a and c", entries, err)
	}
	// A damaged record does not take the next one along.
	both[len(whole)-3] ^= 1
	if err := os.WriteFile(path, both, 0o600); err != nil {
		t.Fatal(err)
	}
	if entries, _ := readJournal(dir); len(entries) != 1 {
		t.Errorf("got %v, want the second alone", entries)
	}
}

// Without a record an attempt is not to start, and a later one is not lost.
func TestJournalDiskFull(t *testing.T) {
	dir := t.TempDir()
	j := newJournal(t, dir, "one")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full")
	}
	j.mu.Lock()
	good := j.file
	j.file = full
	j.mu.Unlock()
	defer good.Close()
	if err := j.starting("a", 1); err == nil {
		t.Error("a start was noted on a full disk")
	}
	j.note(attemptState{ID: "b", Attempt: 1, Ended: true})
	if err := j.rewrite(); err != nil {
		t.Fatal(err)
	}
	entries, err := readJournal(dir)
	if _, ok := entries[key{"one", "b", 1}]; err != nil || !ok || len(entries) != 1 {
		t.Errorf("got %v, %v, want b alone", entries, err)
	}
}

func TestJournalStaysSmall(t *testing.T) {
	dir := t.TempDir()
	j := newJournal(t, dir, "one")
	if err := j.starting("kept", 1); err != nil {
		t.Fatal(err)
	}
	for i := range 20000 {
		id := fmt.Sprint("job-", i)
		if err := j.starting(id, 1); err != nil {
			t.Fatal(err)
		}
		j.acked(id, 1)
	}
	info, err := os.Stat(filepath.Join(dir, journalFile))
	if err != nil || info.Size() > rewriteSize+rewriteSize/2 {
		t.Errorf("got %d bytes, %v", info.Size(), err)
	}
	j.mu.Lock()
	for i := range 2 * keepInstances {
		j.content.apply(record{Kind: recordInstance, Instance: fmt.Sprint("instance-", i)})
	}
	j.mu.Unlock()
	if err := j.rewrite(); err != nil {
		t.Fatal(err)
	}
	c, err := loadJournal(dir)
	if err != nil || len(c.instances) != keepInstances+1 {
		t.Errorf("got %v, %v", c, err)
	}
	entries, err := readJournal(dir)
	if _, ok := entries[key{"one", "kept", 1}]; err != nil || !ok || len(entries) != 1 {
		t.Errorf("got %v, %v", entries, err)
	}
}

// newJournal opens a journal that is closed when the test ends, not before:
// as after a kill.
func newJournal(t *testing.T, dir, instance string) *journal {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(dir, supervisorLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Close() })
	j, err := openJournal(&folder{path: dir, lock: lock}, instance, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.close)
	return j
}
