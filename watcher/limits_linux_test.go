package watcher

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// What the system gives too little of: events, watches, file descriptors.

// sysctl sets a value of /proc/sys until the returned func, or the end of the
// test, sets it back. Where it cannot be set the test is skipped.
func sysctl(t *testing.T, name, value string) (restore func()) {
	t.Helper()
	path := filepath.Join("/proc/sys", name)
	old, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(value), 0)
	}
	if err != nil {
		t.Skipf("%s cannot be set here: %v", name, err)
	}
	restore = func() {
		if err := os.WriteFile(path, old, 0); err != nil {
			t.Errorf("setting %s back to %s: %v", name, old, err)
		}
	}
	t.Cleanup(restore)
	return restore
}

// countLooks makes the tray note how many looks were done when it last took a
// file in; the returned func gives that number.
func (y *tray) countLooks() func() int {
	var taken atomic.Int64
	y.box.Catalog = func() *jobs.Catalog {
		taken.Store(int64(y.box.status().Scans))
		return y.catalog()
	}
	return func() int { return int(taken.Load()) }
}

// More happens than there is room for events. No tick comes to the rescue here,
// and every file is found all the same.
func TestMoreEventsThanRoom(t *testing.T) {
	y := newTray(t)
	y.set.PollInterval, y.set.Settle = time.Hour, 0
	restore := sysctl(t, "fs/inotify/max_queued_events", "16")
	y.run()
	within(t, "events", func() bool { return y.box.status().Events != "" })
	restore()
	if got := y.box.status().Events; got != "native" {
		t.Skipf("events: %s", got)
	}
	const n = 200
	y.box.folder.mu.Lock() // whoever is to read events waits
	for i := range n {
		y.drop(fmt.Sprintf("f%03d.yaml", i), goodText)
	}
	y.box.folder.mu.Unlock()
	within(t, "all are taken", func() bool { return len(y.all()) == n })
}

// That events were lost is told, and concerns whoever waits for one name.
func TestLostEventsConcernEveryName(t *testing.T) {
	restore := sysctl(t, "fs/inotify/max_queued_events", "16")
	f, dir := newFolder(t)
	restore()
	write := func(n int) {
		t.Helper()
		for i := range n {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(1)
	if concerns(told(t, f, "0"), "job_queue.txt") {
		t.Error("a hint about another name concerns the queue file")
	}
	f.mu.Lock() // whoever is to read events waits
	write(200)
	f.mu.Unlock()
	if names := told(t, f, ""); !concerns(names, "job_queue.txt") || len(names) > 100 {
		t.Errorf("events were lost, and that does not concern the queue file: %v", names)
	}
}

// runApart runs the calling test again in a process of its own, changed by
// attr. It reports whether that is so already. Where such a process cannot be
// had the test is skipped.
func runApart(t *testing.T, attr *syscall.SysProcAttr) bool {
	t.Helper()
	const mark = "JOBRUNNER_TEST_APART"
	if os.Getenv(mark) != "" {
		return true
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	again.Env = append(os.Environ(), mark+"=1")
	again.SysProcAttr = attr
	out, err := again.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case err == nil && strings.Contains(string(out), "--- SKIP"):
		t.Skip("skipped there")
	case err != nil && again.ProcessState == nil:
		t.Skipf("such a process cannot be had here: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	return false
}

// In a user namespace of its own the process has limits of its own.
func namespace() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// Where no watch is to be had the inbox is looked through, and it is said why.
// A folder that takes its place, with claims in it, is noticed without events.
func TestNoWatches(t *testing.T) {
	t.Parallel()
	if !runApart(t, namespace()) {
		return
	}
	for _, limit := range []string{"user/max_inotify_watches", "user/max_inotify_instances"} {
		restore := sysctl(t, limit, "0")
		y := newTray(t)
		y.set.PollInterval, y.set.Settle = 50*time.Millisecond, 0
		looks := y.countLooks()
		y.run()
		within(t, "events", func() bool { return y.box.status().Events != "" })
		if got := y.box.status().Events; got != "polling every 50ms" {
			t.Errorf("%s is 0: events: %s", limit, got)
		}
		if n := y.log.count("cannot be watched", "fs.inotify.max_user_"+limit[len("user/max_inotify_"):]); n != 1 {
			t.Errorf("%s is 0: its name was logged %d times, want once: %q", limit, n, y.log.lines)
		}
		for i := range 3 {
			y.foundSoon(fmt.Sprintf("a%d.yaml", i), looks)
		}
		replaceWithClaim(t, y)
		y.foundSoon("b.yaml", looks)
		restore()
		within(t, limit+" is raised", func() bool { return y.box.status().Events == "native" })
	}
}

// foundSoon drops a file and wants it taken within two looks.
func (y *tray) foundSoon(name string, looks func() int) {
	y.t.Helper()
	y.drop(name, goodText)
	before := y.box.status().Scans
	within(y.t, "reply to "+name, func() bool { return y.reply(name).State != "" })
	if n := looks() - before; n > 2 {
		y.t.Errorf("%s was taken after %d looks, want at most 2", name, n)
	}
}

// replaceWithClaim puts another folder in the inbox's place, which holds a file
// that was claimed, and waits until that is finished.
func replaceWithClaim(t *testing.T, y *tray) {
	t.Helper()
	const id = "7d6c3b52-0a4f-4f0e-9d0c-6a1f0c1f4a11"
	claims := filepath.Join(y.dir+".new", claimFolder, y.queue.StateID())
	if err := os.MkdirAll(claims, 0o755); err != nil {
		t.Fatal(err)
	}
	y.put(filepath.Join(claims, id+"-claimed.yaml"), goodText)
	for _, move := range [][2]string{{y.dir, y.dir + ".old"}, {y.dir + ".new", y.dir}} {
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	within(t, "the claim is finished", func() bool { return y.reply("claimed.yaml").State != "" })
	if a := y.reply("claimed.yaml"); len(a.Jobs) != 1 || a.Jobs[0].ID != id {
		t.Errorf("reply = %+v, want job %s", a, id)
	}
}

// Without file descriptors nothing is given up or held against the files, it
// is said what to do, and all goes on when there are some again.
func TestNoFileDescriptors(t *testing.T) {
	t.Parallel()
	if !runApart(t, nil) {
		return
	}
	y := newTray(t)
	y.set.PollInterval, y.set.Settle = 500*time.Millisecond, 0
	looks := y.countLooks()
	y.run()
	y.foundSoon("first.yaml", looks)
	const n = 20
	for i := range n {
		y.put(filepath.Join(filepath.Dir(y.dir), fmt.Sprintf("f%02d.yaml", i)), goodText)
	}
	restore := noDescriptors(t)
	for i := range n { // a rename needs none
		name := fmt.Sprintf("f%02d.yaml", i)
		if err := os.Rename(filepath.Join(filepath.Dir(y.dir), name), y.in(name)); err != nil {
			t.Fatal(err)
		}
	}
	within(t, "it is said", func() bool { return strings.Contains(y.box.status().Err, "ulimit -n") })
	if s := y.box.status(); len(s.Ignored) > 0 {
		t.Errorf("held against the files: %+v", s.Ignored)
	}
	restore()
	before := y.box.status().Scans
	within(t, "all are taken", func() bool { return len(y.all()) == n+1 })
	// One look may have been under way, and the files were tried in more than one.
	if got := looks() - before; got > 4 {
		t.Errorf("taken after %d looks, want at most 4", got)
	}
	within(t, "nothing is wrong any more", func() bool { return y.box.status().Err == "" })
}

// noDescriptors leaves this process no further file descriptors.
func noDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	set := func(soft uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: soft, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
	}
	set(3)
	return func() { set(was.Cur) }
}
