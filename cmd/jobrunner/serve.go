package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"jobrunner/config"
)

func newServe(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon; also what a bare jobrunner does",
		Long: `serve takes requests from the inbox and from job_queue.txt, runs them, and shows
them on a page. SIGTERM or SIGINT ends it and leaves running jobs running: the
next serve adopts them. SIGHUP reads the configuration again, which also happens
by itself when the file changes.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
}

// serve is the daemon, from its start to its end.
func (a *app) serve(ctx context.Context) error {
	cfg, err := config.LoadToServe(a.configPath())
	if err != nil {
		return err
	}
	log, sink := newLog(a.stderr, cfg.Log)
	d, err := openDaemon(cfg, log, sink)
	if err != nil {
		return err
	}
	defer d.Close()
	ctx, stop := untilAsked(ctx, cfg.StateDir)
	defer stop()
	if err := d.run(ctx); err != nil {
		return err
	}
	return a.farewell(d)
}

// farewell says what goes on without the daemon.
func (a *app) farewell(d *daemon) error {
	running, err := d.queue.Running(context.Background())
	if err != nil {
		return fmt.Errorf("counting the jobs that run on: %w", err)
	}
	words := "stopped; no job is running"
	if d.wasDrained() {
		words = "drained and stopped; what waits is kept for the next serve"
	}
	if n := len(running); n > 0 {
		words = fmt.Sprintf("stopped; %s on, and the next serve adopts them; end them with: jobrunner stop --jobs", runs(n))
	}
	if d.sink.isConsole() {
		a.note("%s", words)
	} else {
		d.log.Log().Int("running", len(running)).Msg(words) // whatever the level: somebody is to read it
	}
	return nil
}

func runs(n int) string {
	if n == 1 {
		return "1 job runs"
	}
	return fmt.Sprintf("%d jobs run", n)
}

// makeFolder makes the state folder, which is for its owner alone.
func makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return fmt.Errorf("making the state folder: %w", err)
	}
	return nil
}
