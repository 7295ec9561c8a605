package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

func newWait(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait until jobs have ended; the exit code says how",
		Long: `wait returns when all the jobs have ended. For one job the exit code is the
job's own, as a shell gives it: 128 + the signal's number if a signal ended it,
1 if there is none. For several it is 0 if all are COMPLETED, else 1. Jobs that
ended otherwise are named on stderr.`,
		Args: someIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.wait(cmd.Context(), args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the jobs when they have ended, as JSON")
	return cmd
}

func (c *client) wait(ctx context.Context, words []string, asJSON bool) error {
	p := newPulse(c.database())
	var named []*jobs.Job
	for _, word := range words {
		j, err := c.find(ctx, word)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(named, func(other *jobs.Job) bool { return other.ID == j.ID }) {
			named = append(named, j)
		}
	}
	for i, j := range named {
		ended, err := c.ended(ctx, p, j)
		if err != nil {
			return err
		}
		named[i] = ended
	}
	if asJSON {
		var err error
		if len(named) == 1 {
			err = printJSON(c.stdout, named[0])
		} else {
			err = printJSON(c.stdout, jobList{named})
		}
		if err != nil {
			return err
		}
	}
	return c.verdict(named)
}

// waitFor is wait for a job that may not have been taken yet.
func (c *client) waitFor(ctx context.Context, id string) error {
	p := newPulse(c.database())
	for {
		if err := c.reopen(); err != nil {
			return err
		}
		if c.queue != nil {
			j, err := c.queue.Job(ctx, id)
			if err == nil {
				if j, err = c.ended(ctx, p, j); err != nil {
					return err
				}
				return c.verdict([]*jobs.Job{j})
			}
			if !errors.Is(err, jobs.ErrNotFound) {
				return err
			}
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
}

// ended waits until j has ended, and returns it as it is then.
func (c *client) ended(ctx context.Context, p *pulse, j *jobs.Job) (*jobs.Job, error) {
	for {
		if j.State.Ended() {
			return j, nil
		}
		if err := p.wait(ctx); err != nil {
			return nil, err
		}
		var err error
		if j, err = c.queue.Job(ctx, j.ID); err != nil {
			return nil, err
		}
	}
}

// verdict names the jobs that are not COMPLETED, and turns how all ended into
// an exit code.
func (c *client) verdict(ended []*jobs.Job) error {
	failed := false
	for _, j := range ended {
		if j.State != jobs.Completed {
			failed = true
			fmt.Fprintf(c.stderr, "%s %s: %s\n", short(j.ID), j.State, why(j))
		}
	}
	code := 0
	switch {
	case len(ended) == 1:
		code = exitCodeOf(ended[0])
	case failed:
		code = exitFailed
	}
	if code == 0 {
		return nil
	}
	return exitError(code)
}

// exitCodeOf is the exit code that stands for how a job ended. It is 0 only if
// the job is COMPLETED: one that was ended by its time limit may have exited
// with 0 all the same.
func exitCodeOf(j *jobs.Job) int {
	switch {
	case j.ExitCode != nil && (*j.ExitCode != 0 || j.State == jobs.Completed):
		return *j.ExitCode
	case j.State == jobs.Completed:
		return 0
	case signalNumber(j.Signal) > 0:
		return 128 + signalNumber(j.Signal)
	}
	return exitFailed
}
