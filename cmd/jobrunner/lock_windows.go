package main

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFlags are further ones with which a lock's file is opened.
const lockFlags = 0

// lockFile takes the lock that goes with f, alone or beside others that take
// it likewise; errLocked if that cannot be had now. What is locked is a byte far
// behind the content: nobody could read the pid of a locked one.
func lockFile(f *os.File, alone bool) error {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if alone {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errLocked
	}
	return err
}
