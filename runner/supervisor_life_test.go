//go:build unix

package runner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

func TestDialWithout(t *testing.T) {
	dir := t.TempDir()
	if _, err := dial(t.Context(), dir); !errors.Is(err, errNoSupervisor) {
		t.Errorf("got %v, want %v", err, errNoSupervisor)
	}
	h := newHouseIn(t, dir)
	h.kill()
	if _, err := dial(t.Context(), dir); !errors.Is(err, errNoSupervisor) {
		t.Errorf("after a kill: got %v, want %v", err, errNoSupervisor)
	}
	if _, open := <-h.Ended(); open {
		t.Error("Ended is still open")
	}
}

func TestSecondSupervisor(t *testing.T) {
	h := newHouse(t)
	began := time.Now()
	err := Supervise(t.Context(), h.dir)
	if !errors.Is(err, errLocked) || !strings.Contains(fmt.Sprint(err), fmt.Sprintf("pid %d", h.PID())) {
		t.Errorf("got %v, want an error that names pid %d", err, h.PID())
	}
	if took := time.Since(began); took > lockTime/2 {
		t.Errorf("it took %v", took)
	}
}

func TestConnectInParallel(t *testing.T) {
	dir := t.TempDir()
	h := newHouseIn(t, dir)
	h.kill()
	pids := make([]int, 8)
	var wg sync.WaitGroup
	for i := range pids {
		wg.Go(func() {
			e, err := connect(t.Context(), dir, []string{testBinary(t), "supervise", dir}, zerolog.Nop())
			if err != nil {
				t.Error(err)
				return
			}
			pids[i] = e.PID()
			e.Close()
		})
	}
	wg.Wait()
	h.connect()
	for _, pid := range pids {
		if pid != h.PID() {
			t.Errorf("got pids %v, want %d alone", pids, h.PID())
		}
	}
	eventually(t, "those that came second are gone", func() bool {
		n := 0
		for _, q := range table.look() {
			line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", q.pid))
			if strings.Contains(string(line), "supervise\x00"+dir+"\x00") {
				n++
			}
		}
		return n <= 1
	})
}

func TestConnectFails(t *testing.T) {
	dir := t.TempDir()
	_, err := connect(t.Context(), dir, []string{testBinary(t), "role", "none"}, zerolog.Nop())
	if err == nil || !strings.Contains(err.Error(), "no such role none") {
		t.Errorf("got %v, want what the supervisor said", err)
	}
}

// After an upgrade the daemon's file is another one, or gone.
func TestBinaryIsGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc/self/exe")
	}
	dir := t.TempDir()
	binary, err := os.ReadFile(testBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "old")
	if err := os.WriteFile(path, binary, 0o700); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	out, err := exec.Command(path, "role", "connect", state).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h := newHouseIn(t, state)
	if got := strconv.Itoa(h.PID()); got != string(out) {
		t.Errorf("got supervisor %s, want %s", got, out)
	}
	if q, _ := look(h.PID()); q.name != "jobrunner" || q.session != q.pid {
		t.Errorf("got name %q and session %d, want a session of its own, %d", q.name, q.session, q.pid)
	}
}

func TestSocketIsTidiedAway(t *testing.T) {
	t.Setenv(envSocket, "20ms")
	h := newHouse(t)
	if err := os.Remove(filepath.Join(h.dir, socketFile)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the socket is back", func() bool {
		e, err := dial(t.Context(), h.dir)
		if err != nil {
			return false
		}
		defer e.Close()
		return e.Instance() == h.Instance()
	})
	if _, err := h.Attempts(t.Context()); err != nil {
		t.Errorf("the first connection: %v", err)
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30)+"state")
	h := newHouseIn(t, dir)
	if got := how(h.run(h.job("true"))); got != "exit 0" {
		t.Errorf("got %q", got)
	}
	for name, want := range map[string]os.FileMode{"": 0o700, socketFile: 0o600} {
		info, err := os.Lstat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has mode %o, want %o", name, got, want)
		}
	}
}

func TestSignalsAreIgnored(t *testing.T) {
	h := newHouse(t)
	s := h.role("stay")
	h.start(s)
	for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
		if err := unix.Kill(h.PID(), sig); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := h.Attempts(t.Context()); err != nil || len(all) != 1 || all[0].Ended {
		t.Errorf("got %v, %v", all, err)
	}
	// Asked to end, it leaves when its last job has ended and nobody is
	// connected, though the end is not acknowledged: it is written down.
	h.end(s, limit)
	p, _ := identify(h.PID())
	h.Close()
	eventually(t, "the supervisor has left", func() bool { return !alive(p) })
	if entries, err := readJournal(h.dir); err != nil || len(entries) != 1 {
		t.Errorf("journal: got %v, %v", entries, err)
	}
}

func TestLeavesWhenIdle(t *testing.T) {
	t.Setenv(envIdle, "50ms")
	h := newHouse(t)
	p, _ := identify(h.PID())
	s := h.role("stay")
	h.start(s)
	h.Close()
	// Work keeps it, then the end that nobody has acknowledged.
	h.connect()
	h.end(s, limit)
	h.Close()
	h.connect()
	if h.PID() != p.PID {
		t.Fatalf("it left too early")
	}
	if err := h.Ack(t.Context(), s.ID, 1); err != nil {
		t.Fatal(err)
	}
	h.Close()
	eventually(t, "the supervisor has left", func() bool { return !alive(p) })
	if _, err := os.Lstat(filepath.Join(h.dir, socketFile)); !os.IsNotExist(err) {
		t.Errorf("its socket is still there: %v", err)
	}
}

// A supervisor that is about to leave must not take work with it.
func TestNoWorkIsLostInLeaving(t *testing.T) {
	const idle = 40 * time.Millisecond
	t.Setenv(envIdle, idle.String())
	h := newHouse(t)
	for i := range 20 {
		s := h.job("true")
		if got := how(h.run(s)); got != "exit 0" {
			t.Fatalf("got %q", got)
		}
		if err := h.Ack(t.Context(), s.ID, 1); err != nil {
			t.Fatal(err)
		}
		h.Close()
		// Around the moment at which it leaves.
		<-time.After(idle - 5*time.Millisecond + time.Duration(i)*500*time.Microsecond)
		h.connect()
	}
}

func TestManyAtOnce(t *testing.T) {
	h := newHouse(t)
	const n = 500
	var wg sync.WaitGroup
	var mu sync.Mutex // guards seen until all have been started
	seen := make(map[string]bool)
	specs := make([]spec, n)
	for i := range specs {
		specs[i] = h.job("sleep", "0.5")
		wg.Go(func() {
			s, err := h.Start(t.Context(), specs[i])
			if err != nil || s.StartError != "" {
				t.Errorf("start: %v %s", err, s.StartError)
			}
			if s.Ended { // on a busy machine
				mu.Lock()
				seen[s.ID] = true
				mu.Unlock()
				if err := h.Ack(t.Context(), s.ID, s.Attempt); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for late := time.After(limit); len(seen) < n; {
		select {
		case s := <-h.Ended():
			if how(s) != "exit 0" {
				t.Errorf("got %q", how(s))
			}
			seen[s.ID] = true
			if err := h.Ack(t.Context(), s.ID, s.Attempt); err != nil {
				t.Error(err)
			}
		case <-late:
			t.Fatalf("%d of %d have ended", len(seen), n)
		}
	}
	if all, err := h.Attempts(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("left: %d, %v", len(all), err)
	}
}

func BenchmarkJob(b *testing.B) {
	dir := b.TempDir()
	exe, _ := os.Executable()
	e, err := connect(b.Context(), dir, []string{exe, "supervise", dir}, zerolog.Nop())
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Kill(e.PID(), unix.SIGKILL)
	defer e.Close()
	for b.Loop() {
		id := uuid.NewString()
		state, err := e.Start(b.Context(), spec{ID: id, Attempt: 1, Argv: []string{"/bin/true"}, Dir: dir, Log: filepath.Join(dir, "logs", id+".log"), Umask: -1})
		if err != nil {
			b.Fatal(err)
		}
		if !state.Ended {
			<-e.Ended()
		}
		if err := e.Ack(b.Context(), id, 1); err != nil {
			b.Fatal(err)
		}
	}
}
