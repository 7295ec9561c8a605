//go:build unix

package runner

import (
	"os/signal"
	"testing"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// While nothing can be written a job's status is kept; it is recorded as soon as
// writes work again, and only then is its place free.
func TestDiskFull(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id, next := w.add("until", file, "7"), w.add("exit", "0")
	w.serve()
	p := w.awaitRun(id, file).Process

	// No file of this process can grow; its supervisor is another process.
	var free unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &free); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	full := free
	full.Cur = 0
	w.release(file)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &full); err != nil {
		t.Skip("no limit can be set:", err)
	}
	restore := func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &free); err != nil {
			t.Error(err)
		}
	}
	defer restore()
	w.awaitGone(p)
	w.poll("a write has failed", func() bool { return w.queue.Healthy() != nil })
	if job := w.job(id); job.State != jobs.Running {
		t.Errorf("the job is %s while nothing can be written", job.State)
	}
	if job := w.job(next); job.State != jobs.Pending {
		t.Errorf("the next job is %s, want PENDING", job.State)
	}
	restore()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 7")
	w.want(w.awaitEnd(next), jobs.Completed, "exit 0")
}
