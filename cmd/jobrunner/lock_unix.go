//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFlags keep the opening of a lock's file from following a link, and from
// waiting for whoever may open the other end of a FIFO.
const lockFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK

// lockFile takes the lock that goes with f, alone or beside others that take
// it likewise; errLocked if that cannot be had now.
func lockFile(f *os.File, alone bool) error {
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return errLocked
		default:
			return err
		}
	}
}
