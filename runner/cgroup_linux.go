package runner

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// home is a control group (version 2) in which this process may make one for
// each attempt that is limited.
type home struct {
	path        string
	prefix      string // of the names of its groups; another state folder has another
	memory, cpu bool   // controllers that its groups have
}

// controllers are those that limits need.
var controllers = []string{"memory", "cpu"}

// findHome looks for the home of a state folder's groups, and turns the
// controllers on for it; nil if there is none.
func findHome(stateDir string) *home {
	h := firstHome(ownGroups(), enable)
	if h != nil {
		sum := sha256.Sum256([]byte(stateDir))
		h.prefix = fmt.Sprintf("jobrunner-%x-", sum[:4])
	}
	return h
}

// lookForHome is findHome without changing anything.
func lookForHome() *home { return firstHome(ownGroups(), mayEnable) }

// firstHome gives the first of the groups that can be a home. enable turns
// controllers on for the groups below one, and gives those that are on then.
func firstHome(groups []string, enable func(group string) []string) *home {
	for _, path := range groups {
		if !delegated(path) || !hollow(path) {
			continue
		}
		on := enable(path)
		h := &home{path: path, memory: slices.Contains(on, "memory"), cpu: slices.Contains(on, "cpu")}
		if h.memory || h.cpu {
			return h
		}
	}
	return nil
}

// ownGroups gives the folders of the control group that this process is in and
// of the one above it. In the own one nothing can be made below, but at the root:
// groups with processes cannot have controllers for groups below them. Moving the
// processes further down would keep systemd from starting the daemon anew.
func ownGroups() []string {
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	return groupsOf(string(membership), string(mounts))
}

// groupsOf reads /proc/self/cgroup, see cgroups(7), and /proc/self/mountinfo.
func groupsOf(membership, mounts string) []string {
	own, found := "", false
	for line := range strings.Lines(membership) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			own, found = path, true
		}
	}
	if !found || strings.HasPrefix(own, "/..") { // outside of what this process can see
		return nil
	}
	for line := range strings.Lines(mounts) {
		before, after, _ := strings.Cut(line, " - ")
		f := strings.Fields(before)
		if len(f) < 5 || !strings.HasPrefix(after, "cgroup2 ") {
			continue
		}
		root, point := unescape(f[3]), unescape(f[4])
		rel, err := filepath.Rel(root, own)
		if err != nil || !filepath.IsLocal(rel) {
			continue // the mount shows another part of the tree
		}
		groups := []string{filepath.Join(point, rel)}
		if rel != "." {
			groups = append(groups, filepath.Dir(groups[0]))
		}
		return groups
	}
	return nil
}

// unescape undoes how the kernel writes a path, see proc_pid_mountinfo(5).
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// delegated reports whether what is below a group is ours to arrange: whoever
// manages the tree has said so, or nobody does.
func delegated(path string) bool {
	if _, err := os.Lstat("/run/systemd/system"); err != nil { // as sd_booted(3) does
		return unix.Access(path, unix.W_OK) == nil
	}
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		var value [8]byte
		if n, err := unix.Lgetxattr(path, name, value[:]); err == nil && string(value[:n]) == "1" {
			return unix.Access(path, unix.W_OK) == nil
		}
	}
	return false
}

// hollow reports whether a group can have controllers for those below it: there
// is no process in it, or it is the root of the tree, which has no type.
func hollow(path string) bool {
	if _, err := os.Lstat(filepath.Join(path, "cgroup.type")); os.IsNotExist(err) {
		return true
	}
	procs, err := os.ReadFile(filepath.Join(path, "cgroup.procs"))
	return err == nil && len(bytes.TrimSpace(procs)) == 0
}

// enable turns on what is not on yet, one by one: a controller may be missing.
func enable(path string) []string {
	return enabled(path, func(switches, name string) bool {
		return writeGroup(path, switches, "+"+name) == nil
	})
}

func mayEnable(path string) []string {
	return enabled(path, func(switches, _ string) bool {
		return unix.Access(filepath.Join(path, switches), unix.W_OK) == nil
	})
}

func enabled(path string, turnOn func(switches, name string) bool) []string {
	const switches = "cgroup.subtree_control"
	have, on := wordsIn(path, "cgroup.controllers"), wordsIn(path, switches)
	var got []string
	for _, name := range controllers {
		if slices.Contains(on, name) || slices.Contains(have, name) && turnOn(switches, name) {
			got = append(got, name)
		}
	}
	return got
}

func wordsIn(group, file string) []string {
	data, err := os.ReadFile(filepath.Join(group, file))
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// writeGroup sets one of a group's files. It is not created: the kernel does that.
func writeGroup(group, file, value string) error {
	f, err := os.OpenFile(filepath.Join(group, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, value)
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	return err
}

// group is the control group of one attempt.
type group struct {
	folder      *os.File
	memory, cpu bool // what it limits
}

// make makes a group with limits; nil if it could limit nothing.
func (h *home) make(id string, attempt int, asked limits) *group {
	if h == nil || !filepath.IsLocal(id) || strings.ContainsRune(id, '/') {
		return nil
	}
	path := filepath.Join(h.path, h.prefix+id+"."+strconv.Itoa(attempt))
	if err := os.Mkdir(path, 0o755); err != nil {
		return nil
	}
	memory := asked.Memory > 0 && limitMemory(path, asked.Memory) == nil
	cpu := asked.CPU > 0 && limitCPU(path, asked.CPU) == nil
	if memory || cpu {
		if folder, err := os.Open(path); err == nil {
			return &group{folder: folder, memory: memory, cpu: cpu}
		}
	}
	_ = unix.Rmdir(path)
	return nil
}

// limitMemory bounds the memory of a group, swap included. Who goes over it is
// killed with all the group: half a job is of no use.
func limitMemory(path string, limit int64) error {
	if err := writeGroup(path, "memory.max", strconv.FormatInt(limit, 10)); err != nil {
		return err
	}
	_ = writeGroup(path, "memory.swap.max", "0") // there is none where nothing can be swapped
	_ = writeGroup(path, "memory.oom.group", "1")
	return nil
}

// limitCPU bounds the processors that a group uses on average, in periods of
// 100 ms.
func limitCPU(path string, limit float64) error {
	const period, least = 100_000, 1_000 // µs
	quota := max(least, int64(limit*period))
	return writeGroup(path, "cpu.max", fmt.Sprintf("%d %d", quota, period))
}

// outOfMemory reports whether a process of the group was killed because the
// group was at its limit.
func (g *group) outOfMemory() bool {
	data, err := os.ReadFile(filepath.Join(g.folder.Name(), "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	return false
}

// groups gives the groups that there are, left by supervisors before this one.
func (h *home) groups() []string {
	entries, err := os.ReadDir(h.path)
	if err != nil {
		return nil
	}
	var paths []string
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), h.prefix) {
			paths = append(paths, filepath.Join(h.path, e.Name()))
		}
	}
	return paths
}
