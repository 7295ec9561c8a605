package watcher

import (
	"errors"
	"os"
)

// The exclusive section is what makes writing into a file safe that programs
// which never heard of us append to and rewrite: while it is held nobody else
// has the file open, and whoever opens it waits until it is let go. Each
// system has its own way (exclusive_*.go); where there is none, the file is
// only read and its view goes to a side file.
//
// Nothing that can block on another disk or a lock may happen inside a
// section, because every open(2) of the file waits for it.

// errNotRegular says that the name is that of a folder, a link or the like.
var errNotRegular = errors.New("it is not a regular file")

// errBusy says that another program has the file open just now.
var errBusy = errors.New("another program has it open")

// errBroken says that a section has ended before it was left.
var errBroken = errors.New("this process was stopped while it was writing, and other programs were let in")

// sameFile returns errBusy when path no longer names f: it was replaced
// between the open and the lease.
func sameFile(f *os.File, path string) error {
	held, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(held, named) {
		return errBusy
	}
	return nil
}
