package runner

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// handle is a process by its pidfd, which stays that process's own whatever
// becomes of the pid.
type handle struct {
	process jobs.ProcessID
	file    *os.File // nil where there are no pidfds
}

// openHandle takes hold of p. The identity is compared after the pidfd is open:
// only then can the pid no longer change hands.
func openHandle(p jobs.ProcessID) (*handle, bool) {
	h := &handle{process: p}
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if err == nil {
		h.file = os.NewFile(uintptr(fd), "pidfd")
	}
	if errors.Is(err, unix.ESRCH) || !present(p) {
		h.close()
		return nil, false
	}
	return h, true
}

func (h *handle) close() {
	if h.file != nil {
		h.file.Close()
	}
}

// wait returns when the process has ended; false if ctx ended first.
func (h *handle) wait(ctx context.Context) (exitStatus, bool) {
	if h.file == nil {
		return h.poll(ctx)
	}
	conn, err := h.file.SyscallConn()
	if err != nil {
		return h.poll(ctx)
	}
	if err := conn.Read(readable); err != nil {
		if ctx.Err() != nil {
			return exitStatus{}, false
		}
		return h.poll(ctx)
	}
	at := time.Now()
	for step := time.Millisecond; ; step = min(2*step, 100*time.Millisecond) {
		here := present(h.process)
		if status, ok := h.inspect(conn, at); ok {
			return status, true
		}
		if !here {
			return exitStatus{At: at}, true
		}
		if !pause(ctx, step) {
			return exitStatus{}, false
		}
	}
}

// readable reports whether the process of a pidfd has ended.
func readable(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// inspect reads the exit status of an ended process, reaped or not.
func (h *handle) inspect(conn interface{ Control(func(uintptr)) error }, at time.Time) (exitStatus, bool) {
	var info unix.PidfdInfo
	var err error
	if e := conn.Control(func(fd uintptr) {
		info.Mask = unix.PIDFD_INFO_EXIT
		err = unix.IoctlPidfdInfo(int(fd), &info)
	}); e != nil {
		return exitStatus{}, false
	}
	// Linux before 6.15 does not know the bit, and no kernel sets it before the
	// process is reaped: the field is 0 then, which is not its exit status.
	if err == nil && info.Mask&unix.PIDFD_INFO_EXIT != 0 {
		return seen(unix.WaitStatus(uint32(info.Exit_code)), at), true
	}
	return zombieStatus(h.process, at)
}

// poll is wait without a pidfd.
func (h *handle) poll(ctx context.Context) (exitStatus, bool) {
	for {
		here := present(h.process)
		if status, ok := zombieStatus(h.process, time.Now()); ok {
			return status, true
		}
		if !here {
			return exitStatus{At: time.Now()}, true
		}
		if !pause(ctx, orphanPoll) {
			return exitStatus{}, false
		}
	}
}

// zombieStatus reads the exit status of p while it is a zombie that nobody has
// reaped yet: field 52 of /proc/PID/stat, see proc_pid_stat(5).
func zombieStatus(p jobs.ProcessID, at time.Time) (exitStatus, bool) {
	dir := "/proc/" + strconv.Itoa(p.PID)
	data, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return exitStatus{}, false
	}
	// The name in parentheses may itself hold spaces and parentheses.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	const state, threads, exitCode = 0, 17, 49 // fields 3, 20 and 52: these begin with the third
	if len(fields) <= exitCode || string(fields[state]) != "Z" {
		return exitStatus{}, false
	}
	// A first thread that has ended shows as Z while others still run.
	if n, err := strconv.Atoi(string(fields[threads])); err != nil || n > 1 {
		return exitStatus{}, false
	}
	// Who may not trace the process reads 0 in field 52. The link asks for the
	// same permission, and then says that a zombie has no program.
	if _, err := os.Readlink(dir + "/exe"); !errors.Is(err, fs.ErrNotExist) {
		return exitStatus{}, false
	}
	code, err := strconv.ParseUint(string(fields[exitCode]), 10, 32)
	if err != nil || !present(p) {
		return exitStatus{}, false
	}
	return seen(unix.WaitStatus(code), at), true
}

func seen(ws unix.WaitStatus, at time.Time) exitStatus {
	status := statusOf(ws)
	status.At = at
	return status
}
