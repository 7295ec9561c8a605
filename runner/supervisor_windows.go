package runner

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/windows"
)

var errLocked = errors.New("another supervisor owns this folder")

// lockFile takes the lock that goes with f, until that is closed or this
// process ends; errLocked if another process has it. It locks a byte far
// behind the end: a locked byte cannot be read.
func lockFile(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errLocked
	}
	return err
}

// askedToEnd gives the signals that ask a process to end; until stop is
// called they do nothing by themselves.
func askedToEnd() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	return c, func() { signal.Stop(c) }
}

// prepareProcess has nothing to do: only the handles that are named are
// inherited.
func prepareProcess() {}

// syncFolder has nothing to do: a rename is durable when the file system has
// logged it, and there is no way to wait for that.
func syncFolder(string) error { return nil }

// openLog opens a job's log, at its end. It creates the folder if need be.
func openLog(path string) (*os.File, error) { return openAppend(path, 0) }

// refused reports whether a connection failed because nobody listens.
func refused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }
