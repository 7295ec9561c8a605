//go:build unix

package runner

import (
	"errors"

	"golang.org/x/sys/unix"
)

// isHindrance reports whether err is the machine's fault and passes: no room, a
// disk that reports errors or takes no writes, no more files to be had.
func isHindrance(err error) bool {
	for _, e := range []error{
		unix.ENOSPC, unix.EDQUOT, unix.EIO, unix.EROFS, unix.ENFILE, unix.EMFILE, unix.ENOMEM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// lacksFiles reports whether a program could not be started because this process,
// or the machine, has too many files open: nothing that the program is to blame for.
func lacksFiles(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}
