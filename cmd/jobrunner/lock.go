package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	lockName = "lock" // in the state folder; its holder's pid is its content
	// lockPatience is how long the lock is tried for: a verb that looks
	// whether it is held holds it for a moment itself.
	lockPatience = 500 * time.Millisecond
	lockPause    = 10 * time.Millisecond
	lockWatch    = 2 * time.Second // between two looks whether it is still in its place
)

// errLocked is returned by the system's part where somebody has the lock.
var errLocked = errors.New("locked by another process")

// folderLock makes its holder the only one that works on a state folder. The
// system drops it when the process ends, however that happens.
type folderLock struct{ file *os.File }

// takeLock takes the lock of a state folder.
func takeLock(stateDir string) (*folderLock, error) {
	path := filepath.Join(stateDir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the state folder: %w", err)
	}
	for end := time.Now().Add(lockPatience); ; time.Sleep(lockPause) {
		err = lockFile(f, true)
		if err == nil || !errors.Is(err, errLocked) || time.Now().After(end) {
			break
		}
	}
	if err == nil {
		err = writePID(f, os.Getpid())
	}
	if err == nil {
		return &folderLock{f}, nil
	}
	f.Close()
	if !errors.Is(err, errLocked) {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	owner := "another jobrunner"
	if pid := readPID(path); pid != 0 {
		owner += fmt.Sprintf(" (pid %d)", pid)
	}
	return nil, &hintedError{
		err:  fmt.Errorf("%s already works on %s", owner, stateDir),
		hint: "jobrunner stop ends it; for a second daemon set another state_dir in a jobrunner.yaml of its own",
	}
}

// watch returns an error once the lock's file has gone from its folder: whoever
// removed that, a second daemon could now begin in its place. It returns nil
// when ctx ends.
func (l *folderLock) watch(ctx context.Context) error {
	for {
		select {
		case <-time.After(jobs.UntilBeat(lockWatch)):
		case <-ctx.Done():
			return nil
		}
		if err := l.lost(); err != nil {
			return err
		}
	}
}

// lost says that the state folder is no longer the one that is locked; nil if
// it is, or that cannot be told.
func (l *folderLock) lost() error {
	held, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("looking at the lock: %w", err)
	}
	now, err := os.Stat(l.file.Name())
	if errors.Is(err, os.ErrNotExist) || err == nil && !os.SameFile(now, held) {
		return fmt.Errorf("the state folder %s was removed or replaced while the daemon ran", filepath.Dir(l.file.Name()))
	}
	return nil
}

// Close gives the lock back.
func (l *folderLock) Close() error {
	_ = writePID(l.file, 0) // else a pid that does not hold it any more
	return l.file.Close()
}

// writePID writes a pid into the lock's file, 0 for nobody's. The file is never
// emptied, so that there is room for it on a full disk too.
func writePID(f *os.File, pid int) error {
	text := fmt.Appendf(nil, "%d\n", pid)
	_, err := f.WriteAt(text, 0)
	return errors.Join(err, f.Truncate(int64(len(text))))
}

// lockHolder tells who has the lock of a state folder. pid is 0 if that is not
// known (yet).
func lockHolder(stateDir string) (pid int, held bool, err error) {
	path := filepath.Join(stateDir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("looking for a daemon: %w", err)
	}
	defer f.Close() // and with it the lock, if it was free
	switch err := lockFile(f, false); {
	case err == nil:
		return 0, false, nil
	case !errors.Is(err, errLocked):
		return 0, false, fmt.Errorf("looking for a daemon: %w", err)
	}
	return readPID(path), true, nil
}

// lockedSince tells since when the lock's holder has it: nobody else writes into
// its file.
func lockedSince(stateDir string) time.Time {
	info, err := os.Stat(filepath.Join(stateDir, lockName))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func readPID(path string) int {
	text, _ := os.ReadFile(path)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}
