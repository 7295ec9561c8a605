//go:build unix

package runner

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
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
	envAnswer = "JOBRUNNER_TEST_ANSWER"
)

func init() {
	for name, to := range map[string]*time.Duration{envIdle: &idleTime, envSocket: &socketTime, envAnswer: &answerDelay} {
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
