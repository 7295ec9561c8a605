package runner

// Written against the manual pages and cross-compiled; not yet tried on macOS.

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// waiter waits for a child through a kqueue, which tells of its end and leaves
// its status. Each holds up a thread.
type waiter struct {
	pid int
}

func (w *waiter) attr(a *syscall.SysProcAttr) *syscall.SysProcAttr { return a }

func (w *waiter) begin(pid int) { w.pid = pid }

func (w *waiter) end() {}

// await blocks until the process has ended. It leaves its status and its pid.
func (c *child) await() {
	kq, err := unix.Kqueue()
	if err != nil {
		return // reap waits as well; only its pid is not kept until a tree is ended
	}
	defer unix.Close(kq)
	var change unix.Kevent_t
	unix.SetKevent(&change, c.waiter.pid, unix.EVFILT_PROC, unix.EV_ADD|unix.EV_ONESHOT)
	change.Fflags = unix.NOTE_EXIT
	for {
		n, err := unix.Kevent(kq, []unix.Kevent_t{change}, make([]unix.Kevent_t, 1), nil)
		if n > 0 || err != nil && err != unix.EINTR {
			return // ESRCH: it has ended already
		}
	}
}

// exited reports whether the process has ended. It leaves its status.
func (c *child) exited() bool {
	q, ok := look(c.waiter.pid)
	return !ok || q.dead
}

// ownBinary is the path by which this program is started once more.
func ownBinary(path string) string { return path }
