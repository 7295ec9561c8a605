//go:build unix

package runner

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

func init() { roles["older"] = func(args []string) { older(args[0]) } }

// older is a supervisor of the version before jobs could run as another user. It
// notes what it is asked to start, says that it did, and that each has ended once
// the file older.end is there.
func older(stateDir string) {
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
			go olderTalk(newWire(conn), stateDir)
		}
	}()
	note(filepath.Join(stateDir, "older.up"))
	<-asked
	l.Close()
}

func olderTalk(w *wire, stateDir string) {
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
			answer.Version, answer.Oldest, answer.Instance, answer.PID = protocolRunAs-1, 1, "older", os.Getpid()
		case opStart:
			self, _ := identify(os.Getpid())
			st := attemptState{ID: r.Spec.ID, Attempt: r.Spec.Attempt, Argv: r.Spec.Argv, Log: r.Spec.Log, Process: self, StartedAt: time.Now()}
			note(filepath.Join(stateDir, "older.starts"), st.ID)
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

// needRoot skips what only root can try, and gives a user that is not.
func needRoot(t *testing.T) *jobs.Account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a job as another user")
	}
	a, err := jobs.FindAccount("nobody")
	if err != nil {
		t.Skip(err)
	}
	return a
}

// A supervisor of an earlier version would run the job as root, so it is never
// asked: the job waits until that one has gone, and others do not.
func TestRunAsWaitsForAnOlderSupervisor(t *testing.T) {
	t.Parallel()
	account := needRoot(t)
	as := &jobs.Type{Name: "as", Command: []string{"sh", "-c", "id -u"}, Umask: -1, RunAs: "nobody"}
	w := newWorld(t, 2, as)
	for _, dir := range []string{filepath.Dir(w.dir), w.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "role", "older", w.state)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	w.awaitFile(filepath.Join(w.state, "older.up"))

	running := func(j *jobs.Job) bool { return j.State == jobs.Running && j.PID != 0 }
	w.configure(2)
	r, _ := w.serve()
	first := w.add("exit", "0")
	w.await(first, "running", running)
	w.configure(2, as)
	r.Reload()
	id := w.addJob(jobs.Job{Type: "as"})
	second := w.add("exit", "0") // it comes later and holds nothing up
	w.await(second, "running", running)
	if job := w.job(id); job.State != jobs.Pending {
		t.Errorf("the job is %s beside an older supervisor", job.State)
	}
	w.release(filepath.Join(w.state, "older.end"))
	job := w.awaitEnd(id)
	w.want(job, jobs.Completed, "exit 0")
	if job.RunAs != "nobody" {
		t.Errorf("RunAs = %q", job.RunAs)
	}
	log, err := os.ReadFile(filepath.Join(w.state, filepath.FromSlash(job.Log)))
	if got := strings.TrimSpace(string(log)); err != nil || got != fmt.Sprint(account.UID) {
		t.Errorf("it ran as %q, %v, want %d", got, err, account.UID)
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
}

// A start that was prepared for another user is not handed to a supervisor that
// would not heed it, whatever the scheduler thought when it began the job.
func TestKnows(t *testing.T) {
	account := &jobs.Account{Name: "ada"}
	for _, c := range []struct {
		version int
		account *jobs.Account
		want    bool
	}{{protocolRunAs - 1, account, false}, {protocolRunAs, account, true}, {1, nil, true}} {
		if got := (&executor{version: c.version}).knows(c.account); got != c.want {
			t.Errorf("version %d, %v: %v, want %v", c.version, c.account, got, c.want)
		}
	}
}

// Nothing of the daemon's own account is left in the environment.
func TestEnvironmentOfAnAccount(t *testing.T) {
	daemon := []string{"PATH=/bin", "HOME=/root", "USER=root", "LOGNAME=root", "TMPDIR=/root/tmp", "MAIL=/var/mail/root",
		"SUDO_USER=eve", "SSH_AUTH_SOCK=/root/agent", "LANG=C", "TOKEN=t"}
	typ := &jobs.Type{Name: "train", EnvPass: []string{"TOKEN"}, Env: map[string]string{"USER": "grace"}}
	account := &jobs.Account{Name: "ada", Home: "/home/ada"}
	got := environment(&jobs.Job{ID: "an-id", Type: "train", Attempt: 1}, typ, account, daemon)
	want := []string{"COLUMNS=120", "HOME=/home/ada", "JOBRUNNER_ATTEMPT=1", "JOBRUNNER_JOB_ID=an-id", "JOBRUNNER_TYPE=train",
		"LANG=C", "LOGNAME=ada", "PATH=/bin", "PYTHONIOENCODING=utf-8", "PYTHONUNBUFFERED=1", "TOKEN=t", "TQDM_MININTERVAL=1", "USER=grace"}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q,\nwant %q", got, want)
	}
}
