package runner

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// waiter waits for a child through its pidfd, which the runtime's poller
// watches: a thousand running jobs hold up no thread. Where there is none
// (before Linux 5.4), each holds up one.
type waiter struct {
	pid   int
	pidfd int
	file  *os.File // of pidfd; nil if that cannot be polled
}

// attr asks for the pidfd at the fork.
func (w *waiter) attr(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	w.pidfd = -1
	a.PidFD = &w.pidfd
	return a
}

func (w *waiter) begin(pid int) {
	w.pid = pid
	if w.pidfd < 0 {
		return
	}
	_ = unix.SetNonblock(w.pidfd, true) // else os.NewFile would not poll it
	w.file = os.NewFile(uintptr(w.pidfd), "pidfd")
}

func (w *waiter) end() {
	if w.file != nil {
		w.file.Close()
	}
}

// await blocks until the process has ended. It leaves its status and its pid.
func (c *child) await() {
	if c.waiter.file != nil {
		raw, err := c.waiter.file.SyscallConn()
		if err == nil {
			err = raw.Read(func(uintptr) bool { return c.exited() })
		}
		if err == nil {
			return
		}
	}
	for {
		err := unix.Waitid(unix.P_PID, c.waiter.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}

// exited reports whether the process has ended. It leaves its status.
func (c *child) exited() bool {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, c.waiter.pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		if err != unix.EINTR {
			return err != nil || info.Signo != 0
		}
	}
}

// ownBinary is the path by which this program is started once more: the one
// given, or what the kernel keeps of it if that was replaced or deleted since
// we were started.
func ownBinary(path string) string {
	const self = "/proc/self/exe"
	now, err := os.Stat(path)
	running, errSelf := os.Stat(self)
	if errSelf == nil && (err != nil || !os.SameFile(now, running)) {
		return self
	}
	return path
}
