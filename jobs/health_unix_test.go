//go:build unix

package jobs_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"

	"golang.org/x/sys/unix"
)

// The disk is "full" for a process that may not write files beyond a size;
// that needs a process of its own.
func TestDiskErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.db")
	if out, err := func() ([]byte, error) {
		cmd := child(t, "full", path)
		cmd.Stderr = nil
		return cmd.CombinedOutput()
	}(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// A change whose fsync failed is not there, also not after a restart, and
// those before and after it are. (Unless none came after it: the restart may
// find the last one complete.)
func TestFailingFsync(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace that could make fsync fail")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if err := exec.Command(strace, "-o", trace, "-e", "inject=fsync:error=EIO", "true").Run(); err != nil {
		t.Skip("strace may not trace here: ", err)
	}
	cmd := child(t, "fsync", filepath.Join(t.TempDir(), "jobs.db"))
	cmd.Stderr = nil
	cmd.Args = append([]string{strace, "-f", "-o", trace, "-e", "trace=fsync,fdatasync",
		"-e", "inject=fsync,fdatasync:error=EIO:when=20..30"}, cmd.Args...)
	cmd.Path = strace
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func failFsync(t *testing.T, path string) {
	q := reopenQueue(t, path)
	var acknowledged []string
	var failures int
	for n := 0; n < 120 || q.Healthy() != nil; n++ {
		j := pendingJob()
		j.Args = []string{strings.Repeat("x", 20_000)}
		_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}})
		if (err != nil) != (q.Healthy() != nil) {
			t.Errorf("Accept said %v, Healthy %v", err, q.Healthy())
		}
		if err == nil {
			acknowledged = append(acknowledged, j.ID)
			continue
		}
		failures++
		if !strings.Contains(err.Error(), "the disk did not confirm that it is written") {
			t.Error(err)
		}
	}
	if failures == 0 || len(acknowledged) == 0 {
		t.Fatalf("%d failed, %d were acknowledged", failures, len(acknowledged))
	}
	if err := q.Close(); err != nil {
		t.Log(err) // tidying up may have met a failing fsync too
	}
	q = reopenQueue(t, path)
	for _, id := range acknowledged {
		readJob(t, q, id)
	}
	stats, err := q.Stats(bg)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "jobs", stats.States[jobs.Pending], len(acknowledged))
	checkCounters(t, q)
}

func fillDisk(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ) // so that write(2) says EFBIG instead
	q := reopenQueue(t, path)
	first := accept(t, q, pendingJob())[0]
	if err := q.Healthy(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	whole := limit
	limit.Cur = uint64(info.Size())
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}

	big := pendingJob()
	big.Args = []string{strings.Repeat("x", 1<<20)}
	for range 2 {
		_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: big}}})
		if err == nil || !strings.Contains(err.Error(), "the disk reports an error") {
			t.Fatalf("Accept on a full disk: %v", err)
		}
		if q.Healthy() == nil {
			t.Fatal("Healthy, although nothing can be written")
		}
	}
	if got := readJob(t, q, first.ID); got.State != jobs.Pending {
		t.Errorf("reading meanwhile: %+v", got)
	}

	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &whole); err != nil {
		t.Fatal(err)
	}
	last := accept(t, q, big)[0]
	if err := q.Healthy(); err != nil {
		t.Errorf("not healthy after a successful write: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = reopenQueue(t, path)
	same(t, "first", *readJob(t, q, first.ID), *first)
	same(t, "last", readJob(t, q, big.ID).Seq, last.Seq)
	checkCounters(t, q)
}
