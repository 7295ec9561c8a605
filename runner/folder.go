package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	supervisorLock = "supervisor.lock"

	lockTime = 3 * time.Second // how long a supervisor that is leaving is waited for
)

// folder is a state folder that this process is the supervisor of, for as long
// as it has the lock.
type folder struct {
	path string
	lock *os.File
}

// lockFolder makes this process the folder's only supervisor. Another one may
// just be leaving, so it waits a while.
func lockFolder(ctx context.Context, stateDir string) (*folder, error) {
	path := filepath.Join(stateDir, supervisorLock)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the state folder: %w", err)
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for until := time.Now().Add(lockTime); ; {
		err := lockFile(f)
		if err == nil {
			break
		}
		if !errors.Is(err, errLocked) || time.Now().After(until) || answers(ctx, stateDir) {
			owner, _ := os.ReadFile(path)
			f.Close()
			return nil, fmt.Errorf("locking %s: %w (pid %s)", path, err, lastLine(owner))
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid()) // only for people
	}
	return &folder{path: stateDir, lock: f}, nil
}

// answers reports whether the supervisor that has the lock is there to stay.
func answers(ctx context.Context, stateDir string) bool {
	e, err := dial(ctx, stateDir)
	if err != nil {
		return false
	}
	e.Close()
	return true
}

// ours reports whether the path still leads to the folder that is locked. It
// may have been moved away, and another one made in its place: that one's
// files are not to be touched.
func (f *folder) ours() bool {
	there, err := os.Stat(f.lock.Name())
	if err != nil {
		return false
	}
	held, err := f.lock.Stat()
	return err == nil && os.SameFile(there, held)
}

// supervised reports whether a state folder has a supervisor that lives, also
// one that cannot be reached. It waits a moment for one that is just ending: its
// socket goes before its lock.
func supervised(ctx context.Context, stateDir string) bool {
	const most, step = 200 * time.Millisecond, 5 * time.Millisecond
	for until := time.Now().Add(most); locked(stateDir); {
		if time.Now().After(until) || !pause(ctx, step) {
			return true
		}
	}
	return false
}

// locked reports whether a process has the lock of a state folder.
func locked(stateDir string) bool {
	f, err := os.OpenFile(filepath.Join(stateDir, supervisorLock), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(lockFile(f), errLocked)
}
