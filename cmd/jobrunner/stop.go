package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"jobrunner/config"
	"jobrunner/jobs"
	"jobrunner/runner"
)

// stopTime is how long a daemon may take to end.
const stopTime = 30 * time.Second

func newStop(a *app) *cobra.Command {
	var withJobs bool
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "End the daemon; with --jobs every running job too",
		Long: `stop ends the daemon and returns when it has ended. Running jobs run on, and the
next serve adopts them; with --jobs they are ended as well, also when no daemon
runs.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := a.load()
			if err != nil {
				return err
			}
			if err := a.stopDaemon(cmd.Context(), cfg, withJobs); err != nil || !withJobs {
				return err
			}
			return a.stopJobs(cmd.Context(), cfg)
		},
	}
	cmd.Flags().BoolVar(&withJobs, "jobs", false, "end every running job too")
	return cmd
}

// stopDaemon ends the daemon, if there is one, and waits until it has ended.
func (a *app) stopDaemon(ctx context.Context, cfg *config.Config, withJobs bool) error {
	asked := 0
	ticker := time.NewTicker(lockPause)
	defer ticker.Stop()
	for end := time.Now().Add(stopTime); ; {
		pid, held, err := lockHolder(cfg.StateDir)
		switch {
		case err != nil:
			return err
		case !held && asked == 0:
			a.note("no daemon is running")
			return nil
		case !held:
			fmt.Fprintf(a.stdout, "daemon ended (pid %d)\n", asked)
			if !withJobs {
				a.noteRunning(ctx, cfg)
			}
			return nil
		case time.Now().After(end):
			return fmt.Errorf("the daemon (pid %d) has not ended within %s", pid, stopTime)
		case pid != 0 && asked == 0:
			// Between its lock and its pid the file holds the pid of one that
			// was killed: nobody has that now, and the next look finds the right one.
			err := askToEnd(cfg.StateDir, pid)
			if err != nil && !isGone(err) {
				return fmt.Errorf("ending the daemon (pid %d): %w", pid, err)
			}
			if err == nil {
				asked = pid
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// noteRunning says what runs on without a daemon.
func (a *app) noteRunning(ctx context.Context, cfg *config.Config) {
	q, err := jobs.OpenReader(filepath.Join(cfg.StateDir, databaseFile))
	if err != nil {
		return
	}
	defer q.Close()
	if running, err := q.Running(ctx); err == nil && len(running) > 0 {
		a.note("%s on; end them with: jobrunner stop --jobs", runs(len(running)))
	}
}

// stopJobs ends every running job. It is the only one at work on the state
// folder meanwhile.
func (a *app) stopJobs(ctx context.Context, cfg *config.Config) error {
	path := filepath.Join(cfg.StateDir, databaseFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintln(a.stdout, "no job was running")
		return nil
	}
	lock, err := takeLock(cfg.StateDir)
	if err != nil {
		return err
	}
	defer lock.Close()
	queue, err := jobs.Open(path)
	if err != nil {
		return err
	}
	defer queue.Close()
	command, err := supervisorCommand(cfg.StateDir)
	if err != nil {
		return err
	}
	ended, left, err := runner.StopAll(ctx, runner.Options{
		StateDir: cfg.StateDir, Queue: queue, Catalog: func() *jobs.Catalog { return cfg.Catalog },
		Command: command, Log: zerolog.Nop(),
	})
	if ended == 0 && err == nil && len(left) == 0 {
		fmt.Fprintln(a.stdout, "no job was running")
		return nil
	}
	fmt.Fprintf(a.stdout, "%s ended\n", count(ended, "job"))
	for _, name := range left {
		a.note("still running: %s", name)
	}
	if err == nil && len(left) > 0 {
		err = errors.New("some processes could not be ended")
	}
	return err
}
