//go:build unix

package retention

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// room is what a file takes on the disk: it may have holes.
func room(info fs.FileInfo) int64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Blocks * 512
	}
	return info.Size()
}

// syncFolder puts on disk which files are in a folder, if it is there.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
