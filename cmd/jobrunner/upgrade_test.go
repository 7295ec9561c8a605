//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// A new daemon takes over from the first program that there was, with a job
// that runs under its supervisor: that goes on, its true exit status is known,
// and new jobs run. The old program does not touch the new database.
func TestUpgrade(t *testing.T) {
	if !soaking() {
		t.Skip("building an old program takes a while: only with JOBRUNNER_SOAK=1")
	}
	old := buildOld(t)
	w := newWorld(t, map[string]string{"jobrunner.yaml": `
listen: ""
types:
  wait: {command: [sh, -c, 'echo $$; until [ -e go ]; do sleep 0.05; done; exit 3']}
  say: {command: [echo]}
`})
	serve := func(program string) {
		log, err := os.OpenFile(w.path("serve.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		cmd := w.command(program, "serve")
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.daemon = cmd
	}
	serve(old)
	w.write("inbox/.a.tmp", "{type: wait, id: 11111111-0000-4000-8000-000000000000}")
	if err := os.Rename(w.path("inbox/.a.tmp"), w.path("inbox/a.yaml")); err != nil {
		t.Fatal(err)
	}
	w.until("the job runs", func() error { return holds(w, ".jobrunner/logs/11111111-0000-4000-8000-000000000000.log", "\n") })
	supervisor := supervisorOf(t, w)
	w.end(syscall.SIGTERM)

	w.start()
	const id = "11111111-0000-4000-8000-000000000000"
	w.run("add", "--wait", "say", "under the old supervisor")
	if got := w.job(id).State; got != jobs.Running {
		t.Errorf("the old program's job is %s, want RUNNING", got)
	}
	if got := supervisorOf(t, w); got != supervisor {
		t.Errorf("the supervisor is %s, it was %s", got, supervisor)
	}
	w.write("go", "")
	if _, _, code := w.try("wait", id); code != 3 || w.job(id).Reason != "exit 3" {
		t.Errorf("it ended with %d and is %s %q, want exit 3", code, w.job(id).State, w.job(id).Reason)
	}
	w.end(syscall.SIGTERM)

	cmd := w.command(old, "serve")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "was written by a newer jobrunner") {
		t.Errorf("the old program on the new database: %v, %s", err, out)
	}
}

// supervisorOf gives the pid of the supervisor of a world.
func supervisorOf(t *testing.T, w *world) string {
	t.Helper()
	out, _ := exec.Command("pgrep", "-f", "^[^ ]*jobrunner supervise "+w.path(".jobrunner")+"$").Output()
	return strings.TrimSpace(string(out))
}

// holds reports whether a file has these words.
func holds(w *world, name, words string) error {
	text, err := os.ReadFile(w.path(name))
	if err == nil && !strings.Contains(string(text), words) {
		err = fmt.Errorf("%s holds %q", name, text)
	}
	return err
}

// buildOld builds the program as it was while its protocol had the first
// version, from this repository's history.
func buildOld(t *testing.T) string {
	t.Helper()
	git := func(args ...string) string {
		out, err := exec.Command("git", args...).Output()
		if err != nil {
			t.Skipf("there is no history to build an old program of: git %s: %v", args[0], err)
		}
		return strings.TrimSpace(string(out))
	}
	changes := strings.Fields(git("log", "--format=%H", "-SprotocolVersion = 2", "--", "../../runner/protocol.go"))
	if len(changes) == 0 {
		t.Skip("there is no history to build an old program of: it does not reach back to the first protocol")
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "old.tar")
	git("-C", "../..", "archive", "-o", archive, changes[len(changes)-1]+"^")
	if out, err := exec.Command("tar", "-xf", archive, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program := filepath.Join(dir, "jobrunner")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/jobrunner")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building the old program: %v: %s", err, out)
	}
	return program
}
