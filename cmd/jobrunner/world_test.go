//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// world is a folder with a configuration, and the real programs at work on it.
type world struct {
	*testing.T
	dir    string
	env    []string  // added to that of all programs
	shell  string    // what a shell does before it becomes the daemon
	daemon *exec.Cmd // nil while none is running
}

// newWorld makes a folder with these files, the configuration among them, and
// sees to it that nothing is left running at the end of the test.
func newWorld(t *testing.T, files map[string]string) *world {
	t.Helper()
	// Not t.TempDir: its names can be too long for what tests put into them.
	dir, err := os.MkdirTemp("", "jobrunner-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, dir: dir}
	t.Cleanup(func() {
		w.reap()
		if err := errors.Join(endAll(w.path(".jobrunner")), foundRaces(dir)); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			text, _ := os.ReadFile(w.path("serve.log"))
			t.Logf("the daemon's log ends:\n%s", text[max(0, len(text)-8000):])
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	for name, text := range files {
		w.write(name, text)
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.Helper()
	err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755)
	if err == nil {
		err = os.WriteFile(w.path(name), []byte(text), 0o644)
	}
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.Helper()
	text, err := os.ReadFile(w.path(name))
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// lines gives the lines of a file; none if it is not there.
func (w *world) lines(name string) []string {
	text, _ := os.ReadFile(w.path(name))
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// command is a program that is to work in the folder.
func (w *world) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions(w.dir), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Env = append(cmd.Env, w.env...)
	return cmd
}

// run runs a verb, which must succeed, and returns what it printed.
func (w *world) run(args ...string) string {
	w.Helper()
	out, errs, code := w.try(args...)
	if code != 0 {
		w.Fatalf("jobrunner %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// try runs a verb.
func (w *world) try(args ...string) (stdout, stderr string, code int) {
	w.Helper()
	cmd := w.command("jobrunner", args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// start starts a daemon and returns when it works.
func (w *world) start() {
	w.Helper()
	cmd, err := w.startDaemon()
	if err != nil {
		w.Fatal(err)
	}
	w.daemon = cmd
	w.until("the daemon works", func() error {
		if pid, _, err := lockHolder(w.path(".jobrunner")); pid != cmd.Process.Pid {
			return fmt.Errorf("pid %d has the lock, want %d: %v", pid, cmd.Process.Pid, err)
		}
		_, err := os.Stat(w.path("job_queue.txt"))
		return err
	})
}

// startDaemon starts a daemon that logs behind those before it.
func (w *world) startDaemon() (*exec.Cmd, error) {
	log, err := os.OpenFile(w.path("serve.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := w.command("jobrunner", "serve")
	if w.shell != "" {
		cmd = w.command("sh", "-c", w.shell+"; exec jobrunner serve")
	}
	cmd.Stderr = log
	return cmd, cmd.Start()
}

// end ends the daemon with a signal and waits for its end.
func (w *world) end(signal syscall.Signal) {
	w.Helper()
	if err := w.daemon.Process.Signal(signal); err != nil {
		w.Fatal(err)
	}
	err := w.daemon.Wait()
	w.daemon = nil
	if signal != syscall.SIGKILL && err != nil {
		w.Errorf("the daemon ended with %v after %v, want exit code 0", err, signal)
	}
}

// reap ends the daemon if one is running.
func (w *world) reap() {
	if w.daemon != nil {
		_ = w.daemon.Process.Kill()
		_ = w.daemon.Wait()
		w.daemon = nil
	}
}

// until waits for what is to happen soon.
func (w *world) until(what string, done func() error) {
	w.Helper()
	if err := within(patience, done); err != nil {
		w.Fatalf("waiting until %s: %v", what, err)
	}
}

// job reads one job.
func (w *world) job(id string) *jobs.Job {
	w.Helper()
	q := w.queue()
	defer q.Close()
	j, err := q.Job(context.Background(), id)
	if err != nil {
		w.Fatal(err)
	}
	return j
}

// queue opens the database for reading.
func (w *world) queue() *jobs.Queue {
	w.Helper()
	q, err := jobs.OpenReader(w.path(".jobrunner/" + databaseFile))
	if err != nil {
		w.Fatal(err)
	}
	return q
}

// counts reads how many jobs there are of each state.
func (w *world) counts() map[jobs.State]int {
	w.Helper()
	q := w.queue()
	defer q.Close()
	st, err := q.Stats(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return st.States
}

// alive reports whether a process runs: a zombie does not, and nobody may be
// there to reap one.
func alive(pid string) bool {
	out, _ := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	state := strings.TrimSpace(string(out))
	return state != "" && !strings.HasPrefix(state, "Z")
}
