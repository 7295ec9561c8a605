package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestGroupsOf(t *testing.T) {
	const (
		unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid  = "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n" +
			"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
			"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
		bound = "50 23 0:26 /a/b /mnt/a\\040b rw - cgroup2 none rw\n"
	)
	for _, tt := range []struct {
		name, membership, mounts string
		want                     []string
	}{
		{"unit", "0::/system.slice/jobrunner.service/daemon\n", unified,
			[]string{"/sys/fs/cgroup/system.slice/jobrunner.service/daemon", "/sys/fs/cgroup/system.slice/jobrunner.service"}},
		{"root", "0::/\n", unified, []string{"/sys/fs/cgroup"}},
		{"hybrid", "4:memory:/a\n1:cpu:/\n0::/x\n", hybrid, []string{"/sys/fs/cgroup/unified/x", "/sys/fs/cgroup/unified"}},
		{"version 1", "4:memory:/a\n1:cpu:/\n", hybrid, nil},
		{"a part", "0::/a/b/c\n", bound, []string{"/mnt/a b/c", "/mnt/a b"}},
		{"another part", "0::/a/x\n", bound, nil},
		{"outside of the namespace", "0::/../x\n", unified, nil},
		{"no mount", "0::/\n", "", nil},
	} {
		if got := groupsOf(tt.membership, tt.mounts); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// groupFiles makes a folder with the files of a group. Unlike the kernel's they do
// not answer, but take what is written.
func groupFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	path := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(path, name), text)
	}
	return path
}

func TestFirstHome(t *testing.T) {
	const kind, procs, have, on = "cgroup.type", "cgroup.procs", "cgroup.controllers", "cgroup.subtree_control"
	busy := map[string]string{kind: "domain\n", procs: "1\n2\n", have: "cpu memory\n", on: ""}
	for _, tt := range []struct {
		name        string
		files       map[string]string
		home        bool
		memory, cpu bool
		written     string
	}{
		{"with processes", busy, false, false, false, ""},
		{"hollow", map[string]string{kind: "domain\n", procs: "", have: "cpu memory pids\n", on: ""}, true, true, true, "+memory+cpu"},
		{"on", map[string]string{kind: "domain\n", procs: "", have: "cpu memory\n", on: "cpu memory\n"}, true, true, true, "cpu memory\n"},
		{"memory only", map[string]string{kind: "domain\n", procs: "", have: "memory\n", on: "memory\n"}, true, true, false, "memory\n"},
		{"root", map[string]string{procs: "1\n", have: "cpu\n", on: "cpu\n"}, true, false, true, "cpu\n"},
		{"nothing to have", map[string]string{kind: "domain\n", procs: "", have: "pids\n", on: ""}, false, false, false, ""},
	} {
		path := groupFiles(t, tt.files)
		if !delegated(path) {
			t.Skip("control groups are systemd's here")
		}
		// Two writes to a plain file overwrite each other, so here they are added up.
		collect := func(path string) []string {
			return enabled(path, func(file, name string) bool {
				f, err := os.OpenFile(filepath.Join(path, file), os.O_WRONLY|os.O_APPEND, 0)
				if err != nil {
					return false
				}
				defer f.Close()
				_, err = f.WriteString("+" + name)
				return err == nil
			})
		}
		h := firstHome([]string{groupFiles(t, busy), path}, collect)
		if (h != nil) != tt.home || h != nil && (h.path != path || h.memory != tt.memory || h.cpu != tt.cpu) {
			t.Errorf("%s: got %+v", tt.name, h)
		}
		if got, err := os.ReadFile(filepath.Join(path, on)); err != nil || string(got) != tt.written {
			t.Errorf("%s: wrote %q, %v, want %q", tt.name, got, err, tt.written)
		}
	}
}

func TestGroupLimits(t *testing.T) {
	path := groupFiles(t, map[string]string{"memory.max": "", "memory.swap.max": "", "memory.oom.group": "", "cpu.max": ""})
	if err := limitMemory(path, 4<<30); err != nil {
		t.Error(err)
	}
	if err := limitCPU(path, 1.5); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"memory.max": "4294967296", "memory.swap.max": "0", "memory.oom.group": "1", "cpu.max": "150000 100000",
	} {
		if got, err := os.ReadFile(filepath.Join(path, name)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if err := limitMemory(t.TempDir(), 1); err == nil {
		t.Error("a group without the controller was limited")
	}
}

func TestOutOfMemory(t *testing.T) {
	for text, want := range map[string]bool{
		"low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 1\n":  true,
		"low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n":  false,
		"low 0\nhigh 0\nmax 12\noom 1\noom_kill 12\noom_group_kill 0\n": true,
		"": false,
	} {
		folder, err := os.Open(groupFiles(t, map[string]string{"memory.events": text}))
		if err != nil {
			t.Fatal(err)
		}
		if got := (&group{folder: folder}).outOfMemory(); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		folder.Close()
	}
}

// realGroup makes a control group below this process's own, or skips the test.
func realGroup(t *testing.T) string {
	t.Helper()
	own := ownGroups()
	if len(own) == 0 {
		t.Skip("no control groups of version 2 here")
	}
	path := filepath.Join(own[0], fmt.Sprintf("jobrunner-test-%d", os.Getpid()))
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Skip("no control group can be made here:", err)
	}
	t.Cleanup(func() { _ = unix.Rmdir(path) })
	return path
}

// A process starts in its group, and the group goes when the last process of the
// job does.
func TestStartInGroup(t *testing.T) {
	path := filepath.Join(realGroup(t), "job")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &limiter{used: map[int]int{}}
	b := &bounds{limiter: l, asked: limits{Memory: 1 << 30}, group: &group{folder: folder, memory: true}}
	dir := t.TempDir()
	for _, name := range []string{"gate", "rest"} {
		if err := unix.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sp := &spec{ID: "an-id", Attempt: 1, Dir: dir, Umask: -1, Log: filepath.Join(dir, "an-id.log"),
		Argv: []string{"sh", "-c", "(read line < rest) & read line < gate"}, Env: os.Environ()}
	c, err := launchNow(sp, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Kill(-c.process.PID, syscall.SIGKILL) })
	if c.limits != "memory 1GiB by cgroup" {
		t.Errorf("got %q", c.limits)
	}
	if got, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.process.PID)); err != nil || !strings.Contains(string(got), filepath.Base(filepath.Dir(path))+"/job\n") {
		t.Errorf("it is in %q, %v, want %s", got, err, path)
	}
	open := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("go\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
	open("gate")
	c.await()
	c.reap()
	if note := b.release(); note != "" || !exists(path) || len(l.left) != 1 {
		t.Errorf("note %q; the group of what it left behind is to stay: %v, %q", note, exists(path), l.left)
	}
	open("rest")
	eventually(t, "the group is gone", func() bool { l.sweep(); return !exists(path) })
	if len(l.left) != 0 {
		t.Errorf("still to be removed: %q", l.left)
	}
}

// Where a process cannot be started in the group, it is without.
func TestGroupOfNoUse(t *testing.T) {
	dir := t.TempDir()
	folder, err := os.Open(groupFiles(t, nil)) // not of a control group
	if err != nil {
		t.Fatal(err)
	}
	b := &bounds{limiter: &limiter{used: map[int]int{}}, asked: limits{Memory: 1 << 30}, group: &group{folder: folder, memory: true}}
	sp := &spec{ID: "an-id", Attempt: 1, Dir: dir, Umask: -1, Log: filepath.Join(dir, "an-id.log"),
		Argv: []string{"true"}, Env: os.Environ()}
	c, err := launchNow(sp, b)
	if err != nil {
		t.Fatal(err)
	}
	c.await()
	if end := c.reap(); end.Code == nil || *end.Code != 0 || c.limits != "memory 1GiB for each process (rlimit)" {
		t.Errorf("got %+v, %q", end, c.limits)
	}
	if note := b.release(); note != "" {
		t.Errorf("got %q", note)
	}
}

// Empty groups that a supervisor has left go when the next one starts; those of
// other state folders stay.
func TestLeftGroups(t *testing.T) {
	path := realGroup(t)
	h := &home{path: path, prefix: "jobrunner-1-"}
	for _, name := range []string{"jobrunner-1-a.1", "jobrunner-2-a.1"} {
		if err := os.Mkdir(filepath.Join(path, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	l := &limiter{home: h, left: h.groups()}
	l.sweep()
	other := filepath.Join(path, "jobrunner-2-a.1")
	if exists(filepath.Join(path, "jobrunner-1-a.1")) || !exists(other) {
		t.Error("want the own group gone and the other still there")
	}
	_ = unix.Rmdir(other)
}
