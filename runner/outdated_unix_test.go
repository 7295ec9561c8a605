//go:build unix

package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

func init() { roles["older"] = func(args []string) { older(args[0], number(args[1])) } }

// older is a supervisor that speaks an earlier version of the protocol. It notes what
// it is asked to start, says that it did, and that each has ended once the file
// older.end is there.
func older(stateDir string, version int) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	own, err := lockFolder(context.Background(), stateDir)
	var l *socket
	if err == nil {
		l, err = listenSocket(own.path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go olderTalk(newWire(conn), stateDir, version)
		}
	}()
	note(filepath.Join(stateDir, "older.up"))
	<-asked
	l.Close()
}

func olderTalk(w *wire, stateDir string, version int) {
	go w.pump()
	defer w.close()
	for {
		var r request
		if w.receive(&r) != nil {
			return
		}
		answer := reply{Number: r.Number}
		switch r.Op {
		case opHello:
			answer.Version, answer.Oldest, answer.Instance, answer.PID = version, 1, "older", os.Getpid()
		case opStart:
			self, _ := identify(os.Getpid())
			st := attemptState{ID: r.Spec.ID, Attempt: r.Spec.Attempt, Argv: r.Spec.Argv, Log: r.Spec.Log, Process: self, StartedAt: time.Now()}
			note(filepath.Join(stateDir, "older.starts"), append(r.Spec.Env, st.ID)...)
			answer.State = &st
			go olderEnd(w, st, stateDir)
		}
		_ = w.send(answer)
	}
}

func olderEnd(w *wire, st attemptState, stateDir string) {
	for !exists(filepath.Join(stateDir, "older.end")) {
		time.Sleep(5 * time.Millisecond)
	}
	code := 0
	st.Ended, st.Exit = true, &exitStatus{Known: true, Code: &code, At: time.Now()}
	_ = w.send(reply{Event: eventEnded, State: &st})
}

// A supervisor of an earlier version would run the job as root, so it is never
// asked: the job waits until that one has gone, and others do not.
func TestRunAsWaitsForAnOlderSupervisor(t *testing.T) {
	t.Parallel()
	account := needRoot(t)
	typ := &jobs.Type{Name: "as", Command: []string{"sh", "-c", "id -u"}, Umask: -1, RunAs: "nobody"}
	if job := waitsForOlder(t, protocolRunAs-1, typ, fmt.Sprintln(account.UID)); job.RunAs != "nobody" {
		t.Errorf("RunAs = %q", job.RunAs)
	}
}

// It would write to a file, which the job does not expect.
func TestTerminalWaitsForAnOlderSupervisor(t *testing.T) {
	t.Parallel()
	typ := &jobs.Type{Name: "tty", Command: []string{"sh", "-c", "test -t 1 && echo tty"}, Umask: -1, TTY: true}
	waitsForOlder(t, protocolTTY-1, typ, "tty\n")
}

// older starts a supervisor of that version, and tells when it has ended.
func (w *world) older(version int) (ended <-chan error) {
	w.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(exe, "role", "older", w.state, strconv.Itoa(version))
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	w.t.Cleanup(func() { _ = cmd.Process.Kill() })
	w.awaitFile(filepath.Join(w.state, "older.up"))
	return end
}

// waitsForOlder has a job of a type wait while a supervisor of that version runs
// other jobs, and gives it when it has ended with that output.
func waitsForOlder(t *testing.T, version int, typ *jobs.Type, output string) *jobs.Job {
	t.Helper()
	w := newWorld(t, 2, typ)
	w.open()
	ended := w.older(version)
	running := func(j *jobs.Job) bool { return j.State == jobs.Running && j.PID != 0 }
	w.configure(2)
	r, _ := w.serve()
	first := w.add("exit", "0")
	w.await(first, "running", running)
	w.configure(2, typ)
	r.Reload()
	id := w.addJob(jobs.Job{Type: typ.Name})
	second := w.add("exit", "0") // it comes later and holds nothing up
	w.await(second, "running", running)
	if job := w.job(id); job.State != jobs.Pending {
		t.Errorf("the job is %s beside an older supervisor", job.State)
	}
	w.release(filepath.Join(w.state, "older.end"))
	job := w.awaitEnd(id)
	w.want(job, jobs.Completed, "exit 0")
	log, err := os.ReadFile(filepath.Join(w.state, filepath.FromSlash(job.Log)))
	if err != nil || string(log) != output {
		t.Errorf("its output is %q, %v, want %q", log, err, output)
	}
	starts, err := os.ReadFile(filepath.Join(w.state, "older.starts"))
	if err != nil || !strings.Contains(string(starts), first) || !strings.Contains(string(starts), second) || strings.Contains(string(starts), id) {
		t.Errorf("the older one was asked for %q, %v; want %s and %s", starts, err, first, second)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the older one: %v", err)
		}
	case <-time.After(patience):
		t.Error("the older one was not asked to end")
	}
	return job
}

// What such a supervisor passes over is said too of a job that ends at once, with
// what that one tells of its end alone.
func TestLimitsOfShortJobUnderAnOlderSupervisor(t *testing.T) {
	t.Parallel()
	nice, limited := 19, roleType("limited")
	limited.Nice = &nice
	w := newWorld(t, 1, limited)
	w.release(filepath.Join(w.state, "older.end"))
	w.older(protocolLimits - 1)
	_, _ = w.serve()
	job := w.awaitEnd(w.addJob(jobs.Job{Type: "limited", Args: []string{"exit", "0"}}))
	if want := "nice not set: the running supervisor is of an earlier version"; job.Limits != want {
		t.Errorf("Limits = %q, want %q", job.Limits, want)
	}
}

// Such a supervisor makes no folder for the progress file of another user's job,
// which is then told of none; the daemon's own jobs are.
func TestProgressUnderAnOlderSupervisor(t *testing.T) {
	t.Parallel()
	needRoot(t)
	as := roleType("as")
	as.RunAs = "nobody"
	w := newWorld(t, 2, as)
	w.open()
	w.older(protocolTTY - 1)
	_, _ = w.serve()
	own, others := w.add("exit", "0"), w.addJob(jobs.Job{Type: "as", Args: []string{"exit", "0"}})
	w.release(filepath.Join(w.state, "older.end"))
	w.awaitEnd(own)
	w.awaitEnd(others)
	starts, err := os.ReadFile(filepath.Join(w.state, "older.starts"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(starts)) {
		if told := strings.Contains(line, envProgress); told != strings.HasSuffix(line, own+"\n") {
			t.Errorf("told of a progress file: %v, in %q", told, line)
		}
	}
}

// A start that was prepared for another user, or with a terminal, is not handed to
// a supervisor that would not heed it, whatever the scheduler thought when it began
// the job.
func TestHeeds(t *testing.T) {
	account := &jobs.Account{Name: "ada"}
	for _, c := range []struct {
		version int
		spec    spec
		want    bool
	}{
		{protocolRunAs - 1, spec{Account: account}, false},
		{protocolRunAs, spec{Account: account}, true},
		{protocolTTY - 1, spec{TTY: true}, false},
		{protocolTTY, spec{TTY: true, Account: account}, true},
		{1, spec{}, true},
	} {
		if got := (&executor{version: c.version}).heeds(&c.spec); got != c.want {
			t.Errorf("version %d, %+v: %v, want %v", c.version, c.spec, got, c.want)
		}
	}
}
