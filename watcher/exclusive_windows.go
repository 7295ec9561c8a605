package watcher

import (
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// Written after the documentation and cross-compiled; not tried on Windows.

// openExclusive opens path for reading, or also for writing, without sharing: it
// succeeds only while nobody else has the file open, and another program's
// open fails with a sharing violation until the file is closed.
func openExclusive(path string, write bool) (*os.File, error) {
	access := uint32(windows.GENERIC_READ)
	if write {
		access |= windows.GENERIC_WRITE
	}
	return openSharing(path, access, 0)
}

// lasts reports whether f still keeps others out, which it does until it is
// closed.
func lasts(*os.File, time.Time) bool { return true }

// openQuiet opens path for reading and proves that nobody has it open for
// writing: it shares reading only.
func openQuiet(path string) (*os.File, error) {
	return openSharing(path, windows.GENERIC_READ, windows.FILE_SHARE_READ)
}

func openSharing(path string, access, share uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const attributes = windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT
	h, err := windows.CreateFile(name, access, share, nil, windows.OPEN_EXISTING, attributes, 0)
	switch err {
	case nil:
		return os.NewFile(uintptr(h), path), nil
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION:
		return nil, errBusy
	}
	return nil, &os.PathError{Op: "open", Path: path, Err: err}
}

// unsafeToWrite says in words why the file at path cannot be written safely,
// or "" if it can.
func unsafeToWrite(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return err.Error()
	}
	if !info.Mode().IsRegular() {
		return errNotRegular.Error()
	}
	f, err := openExclusive(path, true)
	if err == errBusy {
		return ""
	}
	if err != nil {
		return err.Error()
	}
	f.Close()
	return ""
}

// holders names programs that have path open; Windows does not tell.
func holders(string) []string { return nil }
