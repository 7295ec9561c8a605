//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
	"jobrunner/runner"
)

// endAll ends everything that a test has left running for a state folder, by
// the pids that it holds: the daemon, the jobs, and the supervisor.
func endAll(stateDir string) error {
	if _, err := os.Stat(stateDir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if pid, held, err := lockHolder(stateDir); err != nil {
		return err
	} else if held {
		_ = kill(pid)
	}
	lock, err := takeLock(stateDir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := endJobs(stateDir); err != nil {
		return fmt.Errorf("ending jobs: %w", err)
	}
	return endSupervisor(stateDir)
}

func endJobs(stateDir string) error {
	path := filepath.Join(stateDir, databaseFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	queue, err := jobs.Open(path)
	if err != nil {
		return err
	}
	defer queue.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	running, err := queue.Running(ctx)
	if err != nil || len(running) == 0 {
		return err
	}
	_, left, err := runner.StopAll(ctx, runner.Options{
		StateDir: stateDir, Queue: queue, Catalog: func() *jobs.Catalog { return &jobs.Catalog{} },
		Command: []string{"jobrunner", superviseVerb, stateDir}, Log: zerolog.Nop(),
	})
	if len(left) > 0 {
		err = fmt.Errorf("left: %q", left)
	}
	return err
}

// endSupervisor asks the supervisor, which has nothing to do any more, not to
// wait for work, and waits for its end.
func endSupervisor(stateDir string) error {
	path := filepath.Join(stateDir, "supervisor.lock")
	if pid := readPID(path); pid != 0 && supervises(path) {
		_ = askToEnd(stateDir, pid)
	}
	return within(patience, func() error {
		if supervises(path) {
			return errors.New("the supervisor is still there")
		}
		return nil
	})
}

// supervises reports whether somebody holds the supervisor's lock.
func supervises(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(lockFile(f, false), errLocked)
}

// kill ends a process at once, as kill -9 does.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }()
	return p.Kill()
}

// raceOptions are for the race detector in the programs that a test starts: to
// report into files in dir, and not to sleep for a second at each exit.
func raceOptions(dir string) string {
	return "atexit_sleep_ms=0 log_path=" + filepath.Join(dir, "race")
}

// foundRaces gives what the race detector has reported into dir.
func foundRaces(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "race.*"))
	for _, name := range names {
		text, _ := os.ReadFile(name)
		err = errors.Join(err, fmt.Errorf("%s:\n%s", filepath.Base(name), text))
	}
	return err
}
