package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// disk is a small ext4 file system of its own in a file, whose power can be cut.
type disk struct {
	*testing.T
	device string // /dev/loop0
	dir    string // where it is mounted
}

// newDisk makes a disk and mounts it at dir, which is a folder. The test is
// skipped where that cannot be done.
func newDisk(t *testing.T, dir string, size int64) *disk {
	t.Helper()
	d := &disk{T: t, dir: dir}
	image := filepath.Join(scratch(t), "disk")
	f, err := os.Create(image)
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("no file system can be made (mkfs.ext4, of the package e2fsprogs): %v %s", err, out)
	}
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("no loop device is to be had, which takes root: %v %s", err, out)
	}
	d.device = strings.TrimSpace(string(out))
	t.Cleanup(func() {
		d.abandon()
		if out, err := exec.Command("losetup", "--detach", d.device).CombinedOutput(); err != nil {
			t.Errorf("detaching %s: %v %s", d.device, err, out)
		}
	})
	if err := unix.Mount(d.device, dir, "ext4", 0, ""); err != nil {
		t.Skipf("%s cannot be mounted: %v", d.device, err)
	}
	return d
}

// scratch is a folder that is on another disk than what is tried.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "jobrunner-disk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// cut does what a power cut does to the disk: nothing more gets there, not even
// what the file system has in its own log.
func (d *disk) cut() {
	d.Helper()
	const shutdown, withoutLog = 0x8004587d, 2 // EXT4_IOC_SHUTDOWN
	f, err := os.Open(d.dir)
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	if err := unix.IoctlSetPointerInt(int(f.Fd()), shutdown, withoutLog); err != nil {
		d.Skipf("the file system's power cannot be cut: %v", err)
	}
}

// remount takes the disk off and mounts it again, as the next boot does. It
// kills whoever uses it.
func (d *disk) remount() {
	d.Helper()
	if err := d.unmount(); err != nil {
		d.Fatal(err)
	}
	if err := unix.Mount(d.device, d.dir, "ext4", 0, ""); err != nil {
		d.Fatalf("mounting the disk after the cut: %v", err)
	}
}

func (d *disk) unmount() error {
	name := filepath.Base(d.device)
	return within(patience, func() error {
		killUsers(d.dir)
		if err := unix.Unmount(d.dir, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("taking the disk off: %w", err)
		}
		// Whoever has a view of mounts of its own may still hold it for a moment.
		if _, err := os.Stat("/proc/fs/ext4/" + name); err == nil {
			return fmt.Errorf("%s is still in use", d.device)
		}
		return nil
	})
}

// abandon takes the disk off whatever state it is in.
func (d *disk) abandon() {
	if err := d.unmount(); err != nil {
		d.Error(err, unix.Unmount(d.dir, unix.MNT_DETACH))
	}
}

// killUsers kills every other process that works in dir or has a file in it open:
// the daemon, the supervisor and jobs of a test.
func killUsers(dir string) {
	for _, pid := range usersOf(dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func usersOf(dir string) (pids []int) {
	procs, _ := filepath.Glob("/proc/[0-9]*") // the pattern is good
	for _, proc := range procs {
		pid, err := strconv.Atoi(filepath.Base(proc))
		if err == nil && pid != os.Getpid() && uses(proc, dir) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func uses(proc, dir string) bool {
	links := []string{proc + "/cwd"}
	fds, _ := os.ReadDir(proc + "/fd") // it may have ended
	for _, fd := range fds {
		links = append(links, proc+"/fd/"+fd.Name())
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && (to == dir || strings.HasPrefix(to, dir+"/")) {
			return true
		}
	}
	return false
}

// integrity is what a database says of itself: "ok", or what is wrong with it.
func integrity(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var words string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&words); err != nil {
		return err.Error()
	}
	return words
}
