package runner

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// A supervisor that may open no more files starts as many jobs as it can. The
// others have not failed: they wait until there are files again.
func TestTooManyOpenFiles(t *testing.T) {
	t.Parallel()
	const all = 24
	w := newWorld(t, all)
	first := w.file("first")
	id := w.add("until", first, "0")
	r, _ := w.serve()
	w.awaitRun(id, first)
	limit := w.filesOf(w.supervisorPID())
	limit(10)
	file := w.file("go")
	ids := []string{id}
	for range all - 1 {
		ids = append(ids, w.add("until", file, "0"))
	}
	w.poll("the supervisor is out of files", func() bool { return r.Hindered() != "" })
	const want = "the supervisor has too many files open; a higher limit of open files (ulimit -n, LimitNOFILE= of systemd) helps"
	if got := r.Hindered(); !strings.HasSuffix(got, want) || strings.Contains(got, ".log") {
		t.Errorf("hindered by %q, want %q", got, want)
	}
	for _, id := range ids {
		if job := w.job(id); job.State.Ended() {
			t.Errorf("job %s is %s %q", id, job.State, job.Reason)
		}
	}
	limit(1000)
	w.release(first)
	w.release(file)
	for _, id := range ids {
		w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	}
	w.poll("nothing hinders any more", func() bool { return r.Hindered() == "" })
}

// What keeps jobs from starting is not told any more when the last one is gone
// that waited for it.
func TestNobodyIsHindered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	file := w.file("go")
	id := w.add("until", file, "0")
	r, _ := w.serve()
	w.awaitRun(id, file)
	limit := w.filesOf(w.supervisorPID())
	limit(0)
	defer limit(1000)
	next := w.add("exit", "0")
	w.poll("the supervisor is out of files", func() bool { return r.Hindered() != "" })
	w.await(next, "waiting again", func(j *jobs.Job) bool { return j.State == jobs.Pending })
	w.command(jobs.Cancel, next)
	w.release(file)
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	w.poll("nobody is hindered", func() bool { return r.Hindered() == "" })
}

// filesOf lets a process have some more files open than it has now.
func (w *world) filesOf(pid int) (limit func(more int)) {
	w.t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		w.t.Skip(err)
	}
	return func(more int) {
		w.t.Helper()
		var now unix.Rlimit
		err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &now)
		if now.Cur = uint64(len(open) + more); err == nil {
			err = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &now, nil)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
}
