package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

const watchedConfig = `listen: 127.0.0.1:0
max_concurrent: 4
poll_interval: 300ms
settle: 100ms
types:
  note: {command: [sh, -c, 'echo "$1" >> trace; while [ -e wait ]; do sleep 0.05; done', note]}
`

// noted fails the test unless every job from 0 to n-1 has COMPLETED and noted
// itself once.
func (w *world) noted(n int) {
	w.Helper()
	w.until("all jobs have ended", func() error {
		if c := w.counts(); c[jobs.Completed] != n || c[jobs.Pending]+c[jobs.Running] > 0 {
			return fmt.Errorf("jobs: %v, want %d that COMPLETED", c, n)
		}
		return nil
	})
	seen := map[string]int{}
	for _, line := range w.lines("trace") {
		seen[line]++
	}
	for i := range n {
		if got := seen[fmt.Sprint(i)]; got != 1 {
			w.Errorf("job %d ran %d times", i, got)
		}
	}
}

// logged waits until the daemon's log has a line with all of the words.
func (w *world) logged(words ...string) {
	w.Helper()
	w.until(fmt.Sprintf("the log says %q", words), func() error {
		for _, line := range w.lines("serve.log") {
			all := true
			for _, word := range words {
				all = all && strings.Contains(line, word)
			}
			if all {
				return nil
			}
		}
		return fmt.Errorf("no such line")
	})
}

// The daemon has no file descriptors left while requests come and jobs run. It
// says so, loses nothing, and goes on by itself.
func TestNoDescriptorsForDaemon(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": watchedConfig, "wait": ""})
	w.start()
	const first, each = 6, 20 // four of the first run, two wait
	for i := range first {
		w.run("add", "note", fmt.Sprint(i))
	}
	w.until("four run", func() error {
		if n := w.counts()[jobs.Running]; n != 4 {
			return fmt.Errorf("%d run", n)
		}
		return nil
	})

	var was unix.Rlimit
	pid := w.daemon.Process.Pid
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	limit := func(soft uint64) {
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: soft, Max: was.Max}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(3)
	for i := first; i < first+each; i++ {
		name := fmt.Sprintf("%d.yaml", i)
		w.write(name, fmt.Sprintf("type: note\nargs: [%d]\n", i))
		if err := os.Rename(w.path(name), w.path("inbox/"+name)); err != nil {
			t.Fatal(err)
		}
		w.append(fmt.Sprintf("note %d", i+each))
	}
	w.logged("inbox is hindered", "ulimit -n")
	w.logged("queue file cannot be kept", "ulimit -n")
	if err := os.Remove(w.path("wait")); err != nil { // jobs end, others are due
		t.Fatal(err)
	}
	w.until("the four have ended", func() error {
		if n := w.counts()[jobs.Completed]; n < 4 {
			return fmt.Errorf("%d have ended", n)
		}
		return nil
	})
	limit(was.Cur)
	w.noted(first + 2*each)
	if n := strings.Count(w.read("serve.log"), "inbox is hindered"); n > 10 {
		t.Errorf("the log says %d times that the inbox is hindered, want it once for each cause", n)
	}
}

// Inbox and queue file lie on a share that sends no events: what others put
// there is taken all the same, and people are told how it stands.
func TestDaemonOnShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"far/README": "", "near/README": "", "job_queue.txt": "the one on the share counts"})
	w.write("jobrunner.yaml", watchedConfig+"inbox: near/inbox\nqueue_file: near/job_queue.txt\n")
	w.share("far", "near")
	w.write("far/job_queue.txt", "")
	w.start()
	w.logged("events", "polling every 300ms")
	w.logged("queue file is only read", "fuse")
	const n = 10
	queue, err := os.OpenFile(w.path("far/job_queue.txt"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer queue.Close()
	for i := range n {
		w.write(fmt.Sprintf("far/inbox/%d.yaml", i), fmt.Sprintf("type: note\nargs: [%d]\n", i))
		if _, err := fmt.Fprintf(queue, "note %d\n", n+i); err != nil {
			t.Fatal(err)
		}
	}
	w.noted(2 * n)
	w.until("the states stand in the side file", func() error {
		text := strings.Join(w.lines("far/job_queue.status.txt"), "\n")
		if got := strings.Count(text, " COMPLETED"); got != 2*n {
			return fmt.Errorf("%d lines of jobs that COMPLETED:\n%s", got, text)
		}
		return nil
	})
	if got := len(w.lines("far/job_queue.txt")); got != n {
		t.Errorf("the queue file has %d lines, want the %d that were appended", got, n)
	}
}

// share shows the folder far at near, as a mount of another machine's folder
// does: nothing tells of what happens in far.
func (w *world) share(far, near string) {
	w.Helper()
	root, err := fs.NewLoopbackRoot(w.path(far))
	if err != nil {
		w.Fatal(err)
	}
	stale := 50 * time.Millisecond
	server, err := fs.Mount(w.path(near), root, &fs.Options{
		AttrTimeout: &stale, EntryTimeout: &stale,
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: filepath.Base(far), Name: "share"},
	})
	if err != nil {
		w.Skipf("a FUSE file system cannot be mounted here: %v", err)
	}
	w.Cleanup(func() {
		w.reap()
		if server.Unmount() != nil {
			_ = unix.Unmount(w.path(near), unix.MNT_DETACH)
		}
		server.Wait()
	})
}
