//go:build unix

package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

func init() {
	// family <how> <file>: starts a process that does not heed SIGTERM, writes
	// its pid into the file, and stays.
	roles["family"] = func(args []string) {
		attr := map[string]*syscall.SysProcAttr{
			"session": {},
			"group":   {Setpgid: true},
			"setsid":  {Setsid: true},
			"bare":    {Setsid: true}, // and without the mark
			"stopped": {},
			"orphan":  {Setsid: true}, // its parent ends by itself
		}[args[0]]
		path, _ := os.Executable()
		c := exec.Command(path, "role", "stubborn")
		c.SysProcAttr = attr
		if args[0] == "bare" {
			c.Env = []string{"PATH=" + os.Getenv("PATH")}
		}
		out, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err == nil {
			_, err = out.Read(make([]byte, 16)) // it is ready
		}
		if args[0] == "stopped" && err == nil {
			err = unix.Kill(c.Process.Pid, unix.SIGSTOP)
		}
		if err == nil {
			err = os.WriteFile(args[1]+".tmp", []byte(strconv.Itoa(c.Process.Pid)), 0o600)
		}
		if err == nil {
			err = os.Rename(args[1]+".tmp", args[1])
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if args[0] != "orphan" {
			time.Sleep(time.Minute)
		}
	}
}

// family starts an attempt with a grandchild and returns that one.
func (h *house) family(how string) (s spec, state attemptState, grandchild jobs.ProcessID) {
	h.t.Helper()
	file := filepath.Join(h.dir, "pid-"+how)
	s = h.role("family", how, file)
	state = h.start(s)
	var pid int
	eventually(h.t, "the grandchild runs", func() bool {
		data, err := os.ReadFile(file)
		pid, _ = strconv.Atoi(string(data))
		return err == nil
	})
	grandchild, ok := identify(pid)
	if !ok {
		h.t.Fatalf("grandchild %d has gone: %s", pid, h.output(s))
	}
	h.t.Cleanup(func() {
		if alive(grandchild) {
			_ = unix.Kill(grandchild.PID, unix.SIGKILL)
		}
	})
	return s, state, grandchild
}

func TestEndTree(t *testing.T) {
	h := newHouse(t)
	for _, how := range []string{"session", "group", "setsid", "bare", "stopped"} {
		t.Run(how, func(t *testing.T) {
			if runtime.GOOS != "linux" && (how == "setsid" || how == "bare") {
				t.Skip("environments cannot be read here")
			}
			s, _, grandchild := h.family(how)
			const grace = 100 * time.Millisecond
			began := time.Now()
			end := h.end(s, grace)
			if took := time.Since(began); took < grace || took > grace+killTime/2 {
				t.Errorf("it took %v with a grace of %v", took, grace)
			}
			if alive(grandchild) {
				t.Error("the grandchild is still there")
			}
			if end.EndedBy != jobs.EndCancel || end.Exit == nil || end.Exit.Signal == "" || end.Survivors != nil {
				t.Errorf("got %+v", end)
			}
		})
	}
}

func TestEndOfStopped(t *testing.T) {
	h := newHouse(t)
	s := h.role("stay")
	state := h.start(s)
	if err := unix.Kill(state.Process.PID, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	end := h.end(s, limit)
	if end.Exit.Signal != "SIGTERM" || time.Since(began) > limit/2 {
		t.Errorf("got %+v after %v", end.Exit, time.Since(began))
	}
}

// What a job leaves behind when it ends by itself is left alone.
func TestGrandchildOutlives(t *testing.T) {
	h := newHouse(t)
	s, state, grandchild := h.family("orphan")
	end := h.ending(s.ID, 1)
	if end.EndedBy != "" || end.Exit.Code == nil || *end.Exit.Code != 0 {
		t.Errorf("got %+v", end)
	}
	if !alive(grandchild) {
		t.Fatal("the grandchild has been ended")
	}
	if runtime.GOOS != "linux" {
		return
	}
	found := findByJob(s.ID, 1)
	if len(found) != 1 || found[0] != grandchild {
		t.Errorf("found %v, want %v", found, grandchild)
	}
	if left := endTree(t.Context(), state.Process, s.ID, 1, 0); left != nil || alive(grandchild) {
		t.Errorf("survivors: %v, alive: %v", left, alive(grandchild))
	}
}

func TestEndIsTooLate(t *testing.T) {
	h := newHouse(t)
	s := h.job("sh", "-c", "exit 3")
	end := h.run(s)
	if err := h.End(t.Context(), s.ID, 1, jobs.EndCancel, 0); err != nil {
		t.Fatal(err)
	}
	all, err := h.Attempts(t.Context())
	if err != nil || how(end) != "exit 3" || how(all[0]) != "exit 3" {
		t.Errorf("got %q, then %v, %v", how(end), all, err)
	}
	if err := h.End(t.Context(), "unknown", 1, jobs.EndCancel, 0); err == nil {
		t.Error("the end of an unknown attempt was accepted")
	}
}

func TestTimeout(t *testing.T) {
	h := newHouse(t)
	s := h.role("stay")
	s.Timeout, s.Grace = 150*time.Millisecond, limit
	state := h.start(s)
	end := h.ending(s.ID, 1)
	if got := how(end); got != "timeout SIGTERM" {
		t.Errorf("got %q", got)
	}
	if ran := end.Exit.At.Sub(state.StartedAt); ran < s.Timeout || ran > s.Timeout+5*time.Second {
		t.Errorf("it ran %v with a limit of %v", ran, s.Timeout)
	}
}

// Nothing but the attempt's own processes is signalled, even if one has the
// same pid or only the same job.
func TestStrangersAreSpared(t *testing.T) {
	h := newHouse(t)
	s := h.role("stay")
	state := h.start(s)
	other := state.Process
	other.Start = strconv.Itoa(1)
	endTree(t.Context(), other, "another", 1, 0)
	other = state.Process
	other.Boot = "another boot"
	endTree(t.Context(), other, s.ID, 1, 0)
	endTree(t.Context(), jobs.ProcessID{}, s.ID, 2, 0)
	endTree(t.Context(), jobs.ProcessID{}, "", 1, 0)
	if !alive(state.Process) {
		t.Error("the job has been ended")
	}
	if alive(other) {
		t.Error("a process of another boot is alive")
	}
}

func TestSurvivorsAreNamed(t *testing.T) {
	h := newHouse(t)
	s, state, _ := h.family("session")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	left := endTree(ctx, state.Process, s.ID, 1, limit)
	if len(left) == 0 || !strings.HasPrefix(left[0], "pid ") || !strings.HasSuffix(left[0], ")") {
		t.Errorf("got %q", left)
	}
}
