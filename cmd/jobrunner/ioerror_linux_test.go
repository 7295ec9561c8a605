package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

// broken makes system calls of a running process fail, those that rule names, and
// only on these files if any are named, until the returned func is called. See
// strace(1) for the rule, such as "fsync,fdatasync:error=EIO".
func (x *tight) broken(pid int, rule string, files ...string) (mend func()) {
	x.Helper()
	calls, _, _ := strings.Cut(rule, ":")
	args := []string{"-f", "-q", "-o", filepath.Join(filepath.Dir(x.trace), fmt.Sprint("strace.", pid)),
		"-e", "trace=" + calls, "-e", "inject=" + rule, "-p", fmt.Sprint(pid)}
	for _, name := range files {
		args = append(args, "-P", x.path(name))
	}
	cmd := exec.Command("strace", args...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		x.Skipf("there is no strace that could make system calls fail: %v", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	mended := false
	mend = func() {
		if !mended {
			mended = true
			_ = cmd.Process.Signal(syscall.SIGTERM) // it lets go of what it traces
			select {
			case <-ended:
			case <-time.After(3 * time.Second): // of a process that is just forking it cannot
				_ = cmd.Process.Kill()
				<-ended
			}
		}
	}
	x.Cleanup(mend)
	x.until("strace has hold of the process", func() error {
		select {
		case <-ended:
			x.Skipf("strace may not trace here: %s", said.String())
		default:
		}
		return tracedBy(pid, cmd.Process.Pid)
	})
	return mend
}

// tracedBy says which thread of a process is not traced by that tracer.
func tracedBy(pid, tracer int) error {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid)) // the pattern is good
	if len(tasks) == 0 {
		return errors.New("it has ended")
	}
	for _, task := range tasks {
		status, _ := os.ReadFile(task) // the thread may have ended
		if !strings.Contains(string(status), fmt.Sprintf("TracerPid:\t%d\n", tracer)) {
			return fmt.Errorf("%s is not traced", task)
		}
	}
	return nil
}

// supervisor is the pid of the world's supervisor.
func (x *tight) supervisor() int {
	x.Helper()
	var pid int
	if _, err := fmt.Sscan(x.read(".jobrunner/supervisor.lock"), &pid); err != nil {
		x.Fatal(err)
	}
	return pid
}

// unknown looks that nobody was told of these requests, and none has become a job.
func (x *tight) unknown(tags ...string) {
	x.Helper()
	all, err := x.all()
	if err != nil {
		x.Fatal(err)
	}
	for _, tag := range tags {
		if _, err := os.Stat(x.path("outbox/" + tag + ".yaml.json")); err == nil {
			x.Errorf("%s was answered although nothing can be put on disk", tag)
		}
		for _, j := range all {
			if len(j.Args) > 0 && j.Args[0] == tag {
				x.Errorf("%s was accepted although nothing can be put on disk", tag)
			}
		}
	}
	if text := x.read("job_queue.txt"); strings.Contains(text, "new-line 1 PENDING") {
		x.Errorf("a line was answered although nothing can be put on disk:\n%s", text)
	}
}

// The disk of the daemon fails in this way and that: nothing new is acknowledged
// from the first error on, it is said why, and all goes on when it works again.
func TestDiskOfDaemonFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, words string }{
		{"fsync EIO", "fsync,fdatasync:error=EIO", "the disk did not confirm that it is written"},
		{"write EIO", "pwrite64:error=EIO", "the disk reports an error"},
		{"write ENOSPC", "pwrite64:error=ENOSPC", "the disk is full"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newTight(t, ".jobrunner", "mode=0700")
			file := x.begin()
			mend := x.broken(x.daemon.Process.Pid, c.rule)
			x.let(file) // so that there is something to write
			x.ready(http.StatusServiceUnavailable)
			x.says("/readyz", c.words)
			x.askFile("new-file", 0)
			x.askLine("new-line", 1)
			x.says("/", "nothing new is taken")
			x.says("/", c.words)
			x.unknown("new-file", "new-line")
			if n := x.counts(); n[jobs.Pending] != 4 || n[jobs.Running] != 1 {
				t.Errorf("while nothing can be written jobs are %v, want 1 RUNNING and 4 PENDING", n)
			}
			mend()
			x.ready(http.StatusOK)
			x.settle()
			x.check()
		})
	}
}

// The disk of the supervisor fails: jobs are not started and not failed for it, it
// is said why, what runs keeps its exit status, and all goes on when it works again.
func TestDiskOfSupervisorFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rule, words string }{
		{"write EIO", "write:error=EIO", "input/output error"},
		{"write ENOSPC", "write:error=ENOSPC", "no space left on device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newTight(t, ".jobrunner", "mode=0700")
			file := x.begin()
			journal := ".jobrunner/supervisor.journal"
			mend := x.broken(x.supervisor(), c.rule, journal, journal+".tmp")
			x.let(file)
			x.says("/", "no job can be started")
			x.says("/", c.words)
			x.askFile("new-file", 0) // requests are taken all the same
			x.until("it is taken, and the first job is recorded", func() error {
				if n := x.counts(); n[jobs.Failed] != 1 || n[jobs.Pending]+n[jobs.Running] != 5 {
					return fmt.Errorf("jobs are %v", n)
				}
				return nil
			})
			mend()
			x.settle()
			x.check()
			x.says("/", "events: native")
			if _, text := x.get("/"); strings.Contains(text, "no job can be started") {
				t.Error("the page still says that no job can be started")
			}
		})
	}
}

// The supervisor's disk does not confirm what is written: the exit status is told
// all the same, because the daemon has one of its own to commit it to. Jobs that
// wait for their start wait on.
func TestSyncOfSupervisorFails(t *testing.T) {
	t.Parallel()
	x := newTight(t, ".jobrunner", "mode=0700")
	file := x.begin()
	mend := x.broken(x.supervisor(), "fsync,fdatasync:error=EIO")
	x.let(file)
	x.until("the exit status is known", func() error {
		if n := x.counts()[jobs.Failed]; n == 0 {
			return errors.New("no job is FAILED")
		}
		return nil
	})
	mend()
	x.settle()
	x.check()
}
