//go:build unix

package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

func TestExitStatus(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		script, want string
	}{
		{"exit 0", "exit 0"},
		{"exit 37", "exit 37"},
		{"kill -9 $$", "SIGKILL"},
		{"kill -TERM $$", "SIGTERM"},
		{"kill -40 $$", "SIG40"},
	} {
		s := h.job("sh", "-c", c.script)
		if got := how(h.run(s)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.script, got, c.want)
		}
	}
}

func TestStartTwice(t *testing.T) {
	h := newHouse(t)
	s := h.job("sh", "-c", "echo ran; sleep 60")
	var wg sync.WaitGroup
	pids := make([]int, 20)
	for i := range pids {
		wg.Go(func() {
			if state, err := h.Start(t.Context(), s); err != nil {
				t.Error(err)
			} else {
				pids[i] = state.Process.PID
			}
		})
	}
	wg.Wait()
	if got := slices.Compact(slices.Clone(pids)); len(got) != 1 || got[0] == 0 {
		t.Errorf("got pids %v, want the same one", pids)
	}
	eventually(t, "it has written", func() bool { return h.output(s) != "" })
	if got := how(h.end(s, limit)); got != "cancel SIGTERM" {
		t.Errorf("got %q", got)
	}
	if got := how(h.start(s)); got != "cancel SIGTERM" {
		t.Errorf("start of an ended one: got %q", got)
	}
	if got := h.output(s); got != "ran\n" {
		t.Errorf("output: got %q, want %q", got, "ran\n")
	}
}

func TestAckForgets(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	s := h.role("stay")
	h.start(s)
	if err := h.Ack(ctx, s.ID, 1); err == nil {
		t.Error("a running attempt was acknowledged")
	}
	h.end(s, limit)
	if got, err := h.Attempts(ctx); err != nil || len(got) != 1 || !got[0].Ended {
		t.Errorf("before: got %v, %v", got, err)
	}
	if entries, err := readJournal(h.dir); err != nil || len(entries) != 1 {
		t.Errorf("journal before: got %v, %v", entries, err)
	}
	for range 2 {
		if err := h.Ack(ctx, s.ID, 1); err != nil {
			t.Error(err)
		}
	}
	if got, err := h.Attempts(ctx); err != nil || len(got) != 0 {
		t.Errorf("after: got %v, %v", got, err)
	}
	if entries, err := readJournal(h.dir); err != nil || len(entries) != 0 {
		t.Errorf("journal after: got %v, %v", entries, err)
	}
	if state, err := h.Start(ctx, s); err == nil {
		t.Errorf("an acknowledged attempt was started again: %v", state)
	}
}

func TestClientComesBack(t *testing.T) {
	h := newHouse(t)
	s := h.job("sh", "-c", "read line < gate; exit 5")
	if err := unix.Mkfifo(filepath.Join(h.dir, "gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	state, instance := h.start(s), h.Instance()
	h.Close()
	if _, open := <-h.Ended(); open {
		t.Error("Ended is still open")
	}
	if _, err := h.Attempts(t.Context()); !errors.Is(err, errLost) {
		t.Errorf("call after Close: got %v", err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "gate"), []byte("go\n"), 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job has ended", func() bool { return !alive(state.Process) })

	h.connect()
	if h.Instance() != instance {
		t.Errorf("got supervisor %s, want %s", h.Instance(), instance)
	}
	eventually(t, "its status is known", func() bool {
		all, err := h.Attempts(t.Context())
		return err == nil && len(all) == 1 && how(all[0]) == "exit 5"
	})
}

func TestTwoClients(t *testing.T) {
	h := newHouse(t)
	other, err := dial(t.Context(), h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s := h.role("stay")
	h.start(s)
	if err := other.End(t.Context(), s.ID, 1, jobs.EndCancel, limit); err != nil {
		t.Fatal(err)
	}
	h.ending(s.ID, 1)
	select {
	case got := <-other.Ended():
		if got.ID != s.ID {
			t.Errorf("got the end of %s", got.ID)
		}
	case <-time.After(limit):
		t.Error("the other client was not told")
	}
}

// An attempt that is over before its start is answered is told of by that answer, and
// as an event to all others; one that runs longer is answered meanwhile.
func TestShortRunIsToldByTheAnswer(t *testing.T) {
	t.Setenv(envAnswer, "2s")
	h := newHouse(t)
	other, err := dial(t.Context(), h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	short := h.job("sh", "-c", "exit 3")
	state := h.start(short)
	if how(state) != "exit 3" || state.Process.PID == 0 || state.StartedAt.IsZero() {
		t.Errorf("answered %+v", state)
	}
	select {
	case got := <-other.Ended():
		if got.ID != short.ID || how(got) != "exit 3" {
			t.Errorf("the other client was told %+v", got)
		}
	case <-time.After(limit):
		t.Error("the other client was not told")
	}
	long := h.role("stay")
	if state := h.start(long); state.Ended || state.Process.PID == 0 {
		t.Errorf("of one that runs the answer is %+v", state)
	}
	h.end(long, limit)
	for _, s := range []spec{short, long} {
		if err := h.Forget(s.ID, 1); err != nil {
			t.Fatal(err)
		}
	}
	h.Sync(t.Context())
	if all, err := other.Attempts(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("still known: %v, %v", all, err)
	}
}

// However the end and the answer meet, the end is told once.
func TestEndIsToldOnce(t *testing.T) {
	t.Setenv(envAnswer, "4ms")
	h := newHouse(t)
	const n = 60
	told := map[string]int{}
	for i := range n {
		s := h.job("sleep", fmt.Sprintf("%.4f", float64(i%12)/2000))
		if state := h.start(s); state.Ended {
			told[s.ID]++
		}
	}
	late := time.After(limit)
	next := func() {
		select {
		case got, open := <-h.Ended():
			if !open {
				t.Fatal("connection lost")
			}
			told[got.ID]++
		case <-late:
			t.Fatalf("%d of %d have ended", len(told), n)
		}
	}
	for len(told) < n {
		next()
	}
	last := h.role("stay") // what is told before its end has been told by then
	h.start(last)
	if err := h.End(t.Context(), last.ID, 1, jobs.EndCancel, limit); err != nil {
		t.Fatal(err)
	}
	for told[last.ID] == 0 {
		next()
	}
	for id, times := range told {
		if times != 1 {
			t.Errorf("the end of %s was told %d times", id, times)
		}
	}
}
