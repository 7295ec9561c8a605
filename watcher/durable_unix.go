//go:build !windows

package watcher

import (
	"errors"
	"os"
	"syscall"
)

// syncDir puts the names in the folder at path on disk. File systems that
// cannot do that for a folder keep names by themselves.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

func isCrossDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// syncFile puts on disk what was written to a file.
func syncFile(path string) error {
	f, err := openPlain(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
