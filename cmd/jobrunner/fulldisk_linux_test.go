package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// tight is a world of which a part lies on a file system that is soon full.
type tight struct {
	*oracle
	full string // that part
	page *http.Client
}

// newTight makes a world in which the folder called part has so many bytes and so
// many files of its own.
func newTight(t *testing.T, part string, options string, config ...string) *tight {
	t.Helper()
	w := newWorld(t, nil)
	socket := filepath.Join(scratch(t), "page")
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	x := &tight{full: w.path(part), page: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
	if err := os.MkdirAll(x.full, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", x.full, "tmpfs", 0, options); err != nil {
		t.Skipf("a small file system cannot be mounted: %v", err)
	}
	t.Cleanup(func() {
		w.reap()
		if err := endAll(w.path(".jobrunner")); err != nil {
			t.Error(err)
		}
		killUsers(x.full)
		if err := within(patience, func() error { return unix.Unmount(x.full, 0) }); err != nil {
			t.Error(err, unix.Unmount(x.full, unix.MNT_DETACH))
		}
	})
	text := strings.Replace(fmt.Sprintf(oracleConfig, 1), `listen: ""`, "listen: unix:"+socket, 1)
	w.write("jobrunner.yaml", text+"poll_interval: 500ms\n"+strings.Join(config, ""))
	x.oracle = newOracle(w, 1)
	return x
}

// fill leaves no room, for bytes nor for files.
func (x *tight) fill() {
	x.Helper()
	f, err := os.OpenFile(filepath.Join(x.full, "filling"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		x.Fatal(err)
	}
	for size := 1 << 16; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, unix.ENOSPC) {
			x.Fatal(err)
		}
	}
	f.Close()
	for n := 0; err == nil || n == 0; n++ {
		err = os.WriteFile(filepath.Join(x.full, fmt.Sprint("filling", n)), nil, 0o600)
	}
}

// free makes room again.
func (x *tight) free() {
	x.Helper()
	names, _ := filepath.Glob(filepath.Join(x.full, "filling*"))
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			x.Fatal(err)
		}
	}
}

// get asks the daemon.
func (x *tight) get(path string) (code int, text string) {
	x.Helper()
	r, err := x.page.Get("http://localhost" + path)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err.Error()
	}
	return r.StatusCode, string(body)
}

// says waits until a page says something.
func (x *tight) says(path, words string) {
	x.Helper()
	x.until(path+" says "+words, func() error {
		if _, text := x.get(path); !strings.Contains(text, words) {
			return fmt.Errorf("it says %s", text[max(0, len(text)-1500):])
		}
		return nil
	})
}

// ready waits until requests are taken, or until they are not.
func (x *tight) ready(want int) {
	x.Helper()
	x.until(fmt.Sprintf("/readyz answers %d", want), func() error {
		if code, text := x.get("/readyz"); code != want {
			return fmt.Errorf("it answers %d: %s", code, text)
		}
		return nil
	})
}

// begin has one job run and others wait.
func (x *tight) begin() (running string) {
	x.Helper()
	x.start()
	x.ready(http.StatusOK)
	file := filepath.Join(filepath.Dir(x.trace), "go")
	x.write("scripts/until.sh", fmt.Sprintf("echo \"start $1 $JOBRUNNER_ATTEMPT\" >> '%s'\nuntil [ -e '%s' ]; do sleep 0.05; done\necho \"end $1 $JOBRUNNER_ATTEMPT $2\" >> '%[1]s'\nexit $2\n", x.trace, file))
	x.expect("long", 3)
	x.append("until.sh long 3")
	x.until("the long job runs", func() error {
		if traced := strings.Join(x.traced(), "\n"); !strings.Contains(traced, "start long") {
			return errors.New(traced)
		}
		return nil
	})
	for n := range 4 {
		x.askLine(fmt.Sprint("waits", n), n)
	}
	x.until("the others wait", func() error {
		if n := x.counts()[jobs.Pending]; n != 4 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
	return file
}

// let lets the long job end, and returns when its process has.
func (x *tight) let(file string) {
	x.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		x.Fatal(err)
	}
	x.until("the long job has ended", func() error {
		if traced := strings.Join(x.traced(), "\n"); !strings.Contains(traced, "end long") {
			return errors.New(traced)
		}
		return nil
	})
}

// noneFailed looks that nothing suffers for what is not its fault.
func (x *tight) noneFailed() {
	x.Helper()
	if n := x.counts(); n[jobs.Failed]+n[jobs.Lost]+n[jobs.Rejected] > 0 {
		x.Errorf("while the disk is full jobs are %v", n)
	}
}

// The state folder is full: nothing new is taken, what ran keeps its exit status,
// what waits waits, and all goes on when there is room.
func TestStateFolderFull(t *testing.T) {
	t.Parallel()
	x := newTight(t, ".jobrunner", "mode=0700,size=2m,nr_inodes=64")
	file := x.begin()
	x.fill()
	for n := range 3 {
		x.askFile(fmt.Sprint("full", n), n)
		x.askLine(fmt.Sprint("fullline", n), n)
	}
	x.let(file)
	x.ready(http.StatusServiceUnavailable)
	x.says("/readyz", "the disk is full")
	x.says("/", "the disk is full")
	x.noneFailed()
	x.free()
	x.ready(http.StatusOK)
	x.settle()
	x.check()
}

// A daemon that is killed while the state folder is full, and one that starts
// then, take nothing and lose nothing.
func TestStartOnFullDisk(t *testing.T) {
	t.Parallel()
	x := newTight(t, ".jobrunner", "mode=0700,size=2m,nr_inodes=64")
	file := x.begin()
	x.fill()
	x.askFile("full", 2)
	x.let(file)
	x.ready(http.StatusServiceUnavailable)
	x.end(syscall.SIGKILL)
	x.start()
	x.ready(http.StatusServiceUnavailable)
	x.says("/readyz", "the disk is full")
	x.free()
	x.ready(http.StatusOK)
	x.settle()
	x.check()
}

// There is no room for logs: jobs wait for that, and are not failed.
func TestLogsFull(t *testing.T) {
	t.Parallel()
	x := newTight(t, ".jobrunner/logs", "mode=0700,size=64k,nr_inodes=8")
	file := x.begin()
	x.fill()
	x.let(file)
	x.says("/", "no job can be started")
	x.says("/", "no space left on device")
	if n := x.counts(); n[jobs.Failed] != 1 || n[jobs.Completed]+n[jobs.Lost] > 0 {
		t.Errorf("while there is no room for logs jobs are %v, want the long one FAILED and no other ended", n)
	}
	x.askFile("full", 2) // requests are taken all the same
	x.until("it is taken", func() error {
		if n := x.counts()[jobs.Pending] + x.counts()[jobs.Running]; n != 5 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
	x.free()
	x.settle()
	x.check()
}

// There is no room in the queue file: jobs run, and their lines are brought up to
// date when there is room.
func TestQueueFileFull(t *testing.T) {
	t.Parallel()
	x := newTight(t, "queue", "mode=0700,size=64k,nr_inodes=64", "queue_file: queue/job_queue.txt\n")
	if err := os.Symlink("queue/job_queue.txt", x.path("job_queue.txt")); err != nil {
		t.Fatal(err)
	}
	file := x.begin()
	x.fill()
	for n := range 60 { // more lines than there is room for
		x.askFile(fmt.Sprint("full", n), n%5)
	}
	x.says("/", "no space left on device")
	x.let(file)
	x.settle() // also without their lines
	for _, line := range x.lines("job_queue.txt") {
		if len(strings.Fields(line)) < 4 {
			t.Errorf("on the full disk the file has the line %q", line)
		}
	}
	x.free()
	x.check()
}

// Everything is full.
func TestAllFull(t *testing.T) {
	t.Parallel()
	x := newTight(t, "", "mode=0700,size=3m,nr_inodes=200")
	file := x.begin()
	x.askFile("before", 1)
	x.fill()
	x.let(file)
	x.ready(http.StatusServiceUnavailable)
	x.noneFailed()
	x.free()
	for n := range 3 {
		x.askFile(fmt.Sprint("after", n), n)
	}
	x.ready(http.StatusOK)
	x.settle()
	x.check()
}
