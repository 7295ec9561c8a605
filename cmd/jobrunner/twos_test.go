//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// Two daemons with a state folder each on one inbox: each file is taken by
// exactly one of them, and runs once.
func TestTwoDaemonsOnOneInbox(t *testing.T) {
	t.Parallel()
	files := 500
	a := newWorld(t, map[string]string{"jobrunner.yaml": `
listen: ""
max_concurrent: 8
inbox: shared
types:
  note: {command: [sh, -c, 'echo "$1" >>ran', sh]}
`})
	b := newWorld(t, map[string]string{"jobrunner.yaml": fmt.Sprintf(`
listen: ""
max_concurrent: 8
inbox: %s
types:
  note: {command: [sh, -c, 'echo "$1" >>%s', sh]}
`, a.path("shared"), a.path("ran"))})
	a.start()
	b.start()
	for n := range files {
		temp := a.path(fmt.Sprintf("shared/.%d.tmp", n))
		if err := os.WriteFile(temp, fmt.Appendf(nil, "{type: note, args: [n%d]}\n", n), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, a.path(fmt.Sprintf("shared/%d.yaml", n))); err != nil {
			t.Fatal(err)
		}
	}
	a.until("all have run", func() error {
		one, two := a.counts(), b.counts()
		if got := one[jobs.Completed] + two[jobs.Completed]; got != files {
			return fmt.Errorf("%d of %d are COMPLETED: %v and %v", got, files, one, two)
		}
		return nil
	})
	ran := a.lines("ran")
	slices.Sort(ran)
	if once := slices.Compact(slices.Clone(ran)); len(ran) != files || len(once) != files {
		t.Errorf("%d runs of %d jobs, want %d of each", len(ran), len(once), files)
	}
	t.Logf("%d files were taken by one, %d by the other", a.counts()[jobs.Completed], b.counts()[jobs.Completed])
}

// A second daemon on the same queue file is refused with words, also after the
// first one was killed and started again.
func TestTwoDaemonsOnOneQueueFile(t *testing.T) {
	t.Parallel()
	types := "\nlisten: \"\"\ntypes: {say: {command: [echo]}}\n"
	a := newWorld(t, map[string]string{"jobrunner.yaml": types})
	b := newWorld(t, map[string]string{"jobrunner.yaml": "queue_file: " + a.path("job_queue.txt") + types})
	refused := func() {
		t.Helper()
		_, errs, code := b.try("serve")
		want := fmt.Sprintf("jobrunner: another jobrunner (pid %d, state folder %s) already keeps job_queue.txt\n", a.daemon.Process.Pid, a.path(".jobrunner"))
		if code != 1 || !strings.Contains(errs, want) || !strings.Contains(errs, "hint: set another queue_file") {
			t.Errorf("exit %d, %s\nwant exit 1 and %s", code, errs, want)
		}
	}
	a.start()
	refused()
	a.end(syscall.SIGKILL)
	a.start()
	refused()
	a.end(syscall.SIGTERM)
	if _, err := os.Lstat(a.path(".job_queue.txt.lock")); !os.IsNotExist(err) {
		t.Errorf("the lock stays: %v", err)
	}
	cmd := b.command("jobrunner", "serve")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.daemon = cmd
	b.until("it keeps the file that the first one has left", func() error {
		text, err := os.ReadFile(a.path(".job_queue.txt.lock"))
		if err == nil && !strings.Contains(string(text), b.path(".jobrunner")) {
			err = fmt.Errorf("the lock holds %q", text)
		}
		return err
	})
	b.end(syscall.SIGTERM)
}

// A link in the place of the lock's file is not followed.
func TestQueueLockThatIsALink(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	queue := filepath.Join(dir, "job_queue.txt")
	if err := os.Symlink(victim, queueLockPath(queue)); err != nil {
		t.Fatal(err)
	}
	lock, err := takeQueueLock(queue, "/state")
	if err == nil {
		lock.Close()
		t.Error("it was locked through a link")
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "precious" {
		t.Errorf("the link's target holds %q, %v", text, err)
	}
}

// A daemon on the copy of a state folder is refused while one works on the
// original, and warned of it afterwards.
func TestCopiedStateFolder(t *testing.T) {
	t.Parallel()
	a := newWorld(t, map[string]string{"jobrunner.yaml": "\nlisten: \"\"\ntypes: {say: {command: [echo]}}\n"})
	a.start()
	a.run("add", "--hold", "say", "once")
	b := newWorld(t, map[string]string{"jobrunner.yaml": "\nlisten: \"\"\ntypes: {say: {command: [echo]}}\n"})
	if err := os.Mkdir(b.path(".jobrunner"), 0o700); err != nil {
		t.Fatal(err)
	}
	a.end(syscall.SIGTERM)
	if out, err := exec.Command("cp", "-R", a.path(".jobrunner/jobs.db"), b.path(".jobrunner/")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a.start()
	_, errs, code := b.try("serve")
	want := fmt.Sprintf("jobrunner: %s is a copy of %s, on which another jobrunner (pid %d) works: jobs that wait in both would run twice\n",
		b.path(".jobrunner"), a.path(".jobrunner"), a.daemon.Process.Pid)
	if code != 1 || !strings.Contains(errs, want) {
		t.Errorf("exit %d, %s\nwant exit 1 and %s", code, errs, want)
	}
	a.end(syscall.SIGTERM)
	b.start()
	if log := b.read("serve.log"); !strings.Contains(log, "the state folder is a copy") {
		t.Errorf("no warning in the log:\n%s", log)
	}
	b.end(syscall.SIGTERM)

	// One that was moved is no copy.
	if err := os.Rename(a.path(".jobrunner"), a.path("elsewhere")); err != nil {
		t.Fatal(err)
	}
	a.write("jobrunner.yaml", "listen: \"\"\nstate_dir: elsewhere\ntypes: {say: {command: [echo]}}\n")
	q, err := jobs.Open(a.path("elsewhere/" + databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if original, err := checkCopied(context.Background(), q, a.path("elsewhere")); err != nil || original != "" {
		t.Errorf("of a folder that was moved: %q, %v", original, err)
	}
}

// A daemon whose state folder is replaced by another one ends and says so.
func TestReplacedStateFolder(t *testing.T) {
	t.Parallel()
	a := newWorld(t, map[string]string{"jobrunner.yaml": "\nlisten: \"\"\ntypes: {say: {command: [echo]}}\n"})
	a.start()
	if err := os.Rename(a.path(".jobrunner"), a.path("before")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(a.path(".jobrunner"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := a.daemon.Wait()
	code := a.daemon.ProcessState.ExitCode()
	a.daemon = nil
	if code != 1 || !strings.Contains(a.read("serve.log"), "was removed or replaced while the daemon ran") {
		t.Errorf("it ended with %v (%d) and said:\n%s", err, code, a.read("serve.log"))
	}
}
