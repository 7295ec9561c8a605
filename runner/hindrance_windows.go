package runner

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isHindrance reports whether err is the machine's fault and passes: no room, a
// disk that reports errors or takes no writes, no more files to be had.
func isHindrance(err error) bool {
	for _, e := range []error{
		windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED,
		windows.ERROR_WRITE_PROTECT, windows.ERROR_IO_DEVICE, windows.ERROR_CRC,
		windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_COMMITMENT_LIMIT,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// lacksFiles reports whether a program could not be started because this process
// has too many files open: nothing that the program is to blame for.
func lacksFiles(err error) bool { return errors.Is(err, windows.ERROR_TOO_MANY_OPEN_FILES) }
