//go:build unix

package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// These shorten times in a supervisor of these tests.
const (
	envIdle   = "JOBRUNNER_TEST_IDLE"
	envSocket = "JOBRUNNER_TEST_SOCKET"
)

func init() {
	for name, to := range map[string]*time.Duration{envIdle: &idleTime, envSocket: &socketTime} {
		if d, err := time.ParseDuration(os.Getenv(name)); err == nil {
			*to = d
		}
	}
	// connect <folder>: connects once its own file is gone.
	roles["connect"] = func(args []string) {
		path, err := os.Executable()
		if err == nil {
			err = os.Remove(path)
		}
		var e *executor
		if err == nil {
			e, err = connect(context.Background(), args[0], []string{path, "supervise", args[0]}, zerolog.Nop())
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Print(e.PID())
	}
	roles["stay"] = func([]string) { time.Sleep(time.Minute) }
	roles["stubborn"] = func([]string) {
		signal.Ignore(unix.SIGTERM, unix.SIGHUP)
		fmt.Println("ready")
		time.Sleep(time.Minute)
	}
}

// limit bounds every wait of these tests.
const limit = 20 * time.Second

// house is a state folder with a supervisor of its own.
type house struct {
	t   *testing.T
	dir string
	*executor
}

// newHouse starts a supervisor that is gone when the test ends, with all it ran.
func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseIn(t, t.TempDir())
}

func newHouseIn(t *testing.T, dir string) *house {
	t.Helper()
	h := &house{t: t, dir: dir}
	h.connect()
	t.Cleanup(h.clear)
	return h
}

func (h *house) connect() {
	h.t.Helper()
	e, err := connect(h.t.Context(), h.dir, []string{testBinary(h.t), "supervise", h.dir}, zerolog.Nop())
	if err != nil {
		text, _ := os.ReadFile(filepath.Join(h.dir, supervisorLog))
		h.t.Fatalf("connect: %v\n%s", err, text)
	}
	h.executor = e
}

// clear ends whatever still runs in the house, then its supervisor.
func (h *house) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	h.Close()
	entries, _ := readJournal(h.dir)
	for _, e := range entries {
		if !e.State.Ended && e.State.Process.PID != 0 {
			endTree(ctx, e.State.Process, e.State.ID, e.State.Attempt, 0)
		}
	}
	h.kill()
}

// kill ends the supervisor as kill -9 does, and waits until it is gone.
func (h *house) kill() {
	h.t.Helper()
	if p, ok := identify(h.PID()); ok {
		_ = unix.Kill(h.PID(), unix.SIGKILL)
		eventually(h.t, "the supervisor is gone", func() bool { return !alive(p) })
	}
}

func testBinary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(limit); !holds(); <-tick.C {
		if time.Now().After(until) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// job is a spec for a program with the marks that jobs carry.
func (h *house) job(argv ...string) spec {
	id := uuid.NewString()
	return h.again(spec{ID: id, Argv: argv, Dir: h.dir, Log: filepath.Join(h.dir, "logs", id+".log"), Umask: -1})
}

// again is the next attempt of a job.
func (h *house) again(s spec) spec {
	s.Attempt++
	s.Env = []string{"PATH=" + os.Getenv("PATH"), envJobID + "=" + s.ID, envAttempt + "=" + strconv.Itoa(s.Attempt)}
	return s
}

// role is a spec for one of the roles.
func (h *house) role(args ...string) spec {
	return h.job(append([]string{testBinary(h.t), "role"}, args...)...)
}

func (h *house) start(s spec) attemptState {
	h.t.Helper()
	state, err := h.Start(h.t.Context(), s)
	if err != nil {
		h.t.Fatal(err)
	}
	return state
}

// ending waits for the end of an attempt.
func (h *house) ending(id string, attempt int) attemptState {
	h.t.Helper()
	late := time.After(limit)
	for {
		select {
		case s, ok := <-h.Ended():
			if !ok {
				h.t.Fatal("connection lost")
			}
			if s.ID == id && s.Attempt == attempt {
				return s
			}
		case <-late:
			h.t.Fatalf("job %s has not ended", id)
		}
	}
}

func (h *house) run(s spec) attemptState {
	h.t.Helper()
	if state := h.start(s); state.Ended {
		return state
	}
	return h.ending(s.ID, s.Attempt)
}

func (h *house) end(s spec, grace time.Duration) attemptState {
	h.t.Helper()
	if err := h.End(h.t.Context(), s.ID, s.Attempt, jobs.EndCancel, grace); err != nil {
		h.t.Fatal(err)
	}
	return h.ending(s.ID, s.Attempt)
}

func (h *house) output(s spec) string {
	h.t.Helper()
	data, err := os.ReadFile(s.Log)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// how gives an end in short: "exit 3", "SIGKILL", or what else there is.
func how(s attemptState) string {
	var words []string
	if s.EndedBy != "" {
		words = append(words, string(s.EndedBy))
	}
	switch {
	case !s.Ended:
		words = append(words, "runs")
	case s.StartError != "":
		words = append(words, "start: "+s.StartError)
	case s.Exit == nil || !s.Exit.Known:
		words = append(words, "unknown")
	case s.Exit.Code != nil:
		words = append(words, fmt.Sprintf("exit %d", *s.Exit.Code))
	default:
		words = append(words, s.Exit.Signal)
	}
	return strings.Join(append(words, s.Survivors...), " ")
}

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
	specs := make([]spec, n)
	for i := range specs {
		specs[i] = h.job("sleep", "0.5")
		wg.Go(func() {
			if s, err := h.Start(t.Context(), specs[i]); err != nil || s.StartError != "" {
				t.Errorf("start: %v %s", err, s.StartError)
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
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
		_, err := e.Start(b.Context(), spec{ID: id, Attempt: 1, Argv: []string{"/bin/true"}, Dir: dir, Log: filepath.Join(dir, "logs", id+".log"), Umask: -1})
		if err != nil {
			b.Fatal(err)
		}
		<-e.Ended()
		if err := e.Ack(b.Context(), id, 1); err != nil {
			b.Fatal(err)
		}
	}
}
