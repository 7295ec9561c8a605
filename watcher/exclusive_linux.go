package watcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// openExclusive opens path for reading, or also for writing, inside an
// exclusive section, which ends when the file is closed. It does not block:
// errBusy means that somebody has the file open.
//
// It is a write lease of fcntl(2): granted only while nobody else has the file
// open, and every open(2) then waits in the kernel until the lease is gone. A
// process that dies holding it lets go at once.
func openExclusive(path string, write bool) (*os.File, error) {
	mode := unix.O_RDONLY // closing it wakes nobody who waits for somebody to write
	if write {
		mode = unix.O_RDWR
	}
	f, err := openNoFollow(path, mode)
	if err != nil {
		return nil, err
	}
	return lease(f, path, unix.F_WRLCK)
}

// lasts reports whether f, in an exclusive section entered at that time, still
// keeps others out. A lease on which somebody waits is taken away after
// lease-break-time, to which only a process comes that was stopped.
func lasts(f *os.File, entered time.Time) bool {
	spent := time.Since(entered)
	if spent < 100*time.Millisecond || spent < leaseBreakTime()/2 {
		return true
	}
	kind, err := unix.FcntlInt(f.Fd(), unix.F_GETLEASE, 0)
	return err == nil && kind == unix.F_WRLCK
}

// leaseBreakTime is how long the system lets others wait for a lease to end.
func leaseBreakTime() time.Duration {
	text, _ := os.ReadFile("/proc/sys/fs/lease-break-time")
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		n = 45 // as it is unless somebody has set it
	}
	return time.Duration(n) * time.Second
}

// openQuiet opens path for reading and proves that nobody has it open for
// writing; such an open then waits until the file is closed. Readers may be
// there. errBusy means that somebody is writing.
func openQuiet(path string) (*os.File, error) {
	f, err := openNoFollow(path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	return lease(f, path, unix.F_RDLCK)
}

func openNoFollow(path string, flag int) (*os.File, error) {
	fd, err := unix.Open(path, flag|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	switch err {
	case nil:
	case unix.EAGAIN: // somebody else's lease on the file is being broken
		return nil, errBusy
	case unix.ELOOP, unix.EISDIR:
		return nil, errNotRegular
	default:
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(errNotRegular, err)
	}
	return f, nil
}

// lease takes a lease on f and makes sure that path still names it.
func lease(f *os.File, path string, kind int) (*os.File, error) {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, kind)
	if err == nil {
		err = sameFile(f, path)
	}
	switch err {
	case nil:
		return f, nil
	case unix.EAGAIN, unix.EBUSY:
		err = errBusy
	}
	f.Close()
	return nil, err
}

// unsafeToWrite says in words why the file at path cannot be written safely,
// or "" if it can.
func unsafeToWrite(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return err.Error()
	}
	if !info.Mode().IsRegular() {
		return errNotRegular.Error()
	}
	f, err := openNoFollow(path, unix.O_RDWR)
	if err == errBusy {
		return ""
	}
	if err != nil {
		return err.Error()
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil || !isLocal(st) {
		f.Close()
		return "leases of its file system are not known to protect"
	}
	f, err = lease(f, path, unix.F_WRLCK)
	switch err {
	case nil:
		f.Close()
		return ""
	case errBusy:
		return ""
	case unix.EACCES, unix.EPERM:
		return "it belongs to another user"
	}
	return fmt.Sprintf("its file system grants no leases (%v)", err)
}

// holders names up to three programs that have path open, as "vim (pid 12)".
func holders(path string) []string {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	var found []string
	seen := map[string]bool{}
	for _, fd := range fds {
		link, err := os.Readlink(fd)
		if err != nil || link != target {
			continue
		}
		proc := filepath.Dir(filepath.Dir(fd))
		pid := filepath.Base(proc)
		if seen[pid] || pid == strconv.Itoa(os.Getpid()) {
			continue
		}
		seen[pid] = true
		comm, _ := os.ReadFile(proc + "/comm")
		name := string(comm)
		if n := len(name); n > 0 && name[n-1] == '\n' {
			name = name[:n-1]
		}
		found = append(found, fmt.Sprintf("%s (pid %s)", name, pid))
		if len(found) == 3 {
			break
		}
	}
	return found
}
