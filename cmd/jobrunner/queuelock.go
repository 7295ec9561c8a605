package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// queueLock makes its holder the only daemon that keeps a queue file: of two,
// each would run every line that is appended to it. The lock is that of a file
// beside the queue file, which says whose it is; the system drops it when the
// process ends.
type queueLock struct{ file *os.File }

func queueLockPath(queueFile string) string {
	dir, name := filepath.Split(queueFile)
	return filepath.Join(dir, "."+name+".lock")
}

// takeQueueLock takes the lock of a queue file for the daemon of a state
// folder. Where files cannot be locked, or not by us, the error is an
// *unlockedError, and nobody is kept out.
func takeQueueLock(queueFile, stateDir string) (*queueLock, error) {
	path := queueLockPath(queueFile)
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockPause) {
		f, err := openLock(path)
		if err != nil {
			return nil, &unlockedError{path, err}
		}
		err = lockFile(f, true)
		if err == nil && stands(f, path) {
			// Whoever may not write it has locked it all the same.
			if f.Truncate(0) == nil {
				_, _ = fmt.Fprintf(f, "%d\n%s\n", os.Getpid(), stateDir)
			}
			return &queueLock{f}, nil
		}
		owner, _ := io.ReadAll(io.LimitReader(f, 8<<10))
		f.Close()
		switch {
		case err != nil && !errors.Is(err, errLocked):
			return nil, &unlockedError{path, err}
		case time.Now().Before(end):
		case err == nil:
			return nil, &unlockedError{path, errors.New("it is replaced again and again")}
		default:
			return nil, keptBy(string(owner), filepath.Base(queueFile))
		}
	}
}

// openLock opens the lock's file: also one of another user, that may only be
// read.
func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|lockFlags, 0o644)
	if errors.Is(err, os.ErrPermission) {
		if g, readErr := os.OpenFile(path, os.O_RDONLY|lockFlags, 0); readErr == nil {
			return g, nil
		}
	}
	return f, err
}

// stands reports whether the file has that name still: its last holder may have
// removed it.
func stands(f *os.File, path string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(held, now)
}

// keptBy says who keeps a queue file, by what stands in its lock.
func keptBy(owner, name string) error {
	pid, folder, _ := strings.Cut(strings.TrimSpace(owner), "\n")
	who := "another jobrunner"
	if folder != "" {
		who += fmt.Sprintf(" (pid %s, state folder %s)", pid, folder)
	}
	return &hintedError{
		err:  fmt.Errorf("%s already keeps %s", who, name),
		hint: "set another queue_file, or each line appended to it would be run by both",
	}
}

// Close gives the lock back.
func (l *queueLock) Close() error {
	if stands(l.file, l.file.Name()) {
		_ = os.Remove(l.file.Name()) // what stays harms nobody
	}
	return l.file.Close()
}

// unlockedError says why a queue file cannot be locked.
type unlockedError struct {
	path string
	err  error
}

func (e *unlockedError) Error() string { return fmt.Sprintf("locking %s: %v", e.path, e.err) }
