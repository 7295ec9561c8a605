package watcher

import (
	"errors"

	"golang.org/x/sys/windows"
)

// syncDir does nothing: Windows cannot flush a folder, NTFS journals its names.
func syncDir(string) error { return nil }

func isCrossDevice(err error) bool { return errors.Is(err, windows.ERROR_NOT_SAME_DEVICE) }

// syncFile puts on disk what was written to a file. Windows asks for the right
// to write for that.
func syncFile(path string) error {
	f, err := openExclusive(path, true)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
