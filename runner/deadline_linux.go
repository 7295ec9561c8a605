package runner

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// suspendTimer gives a file that can be read once d has passed, suspend
// counted; nil if there is none, as when too many files are open.
func suspendTimer(d time.Duration) *os.File {
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(fd, 0, &once, nil); err != nil {
		unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "timerfd")
}
