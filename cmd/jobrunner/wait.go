package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// waitFlags is what wait takes.
type waitFlags struct {
	any     bool
	timeout time.Duration // 0 means for ever
	json    bool
}

func newWait(a *app) *cobra.Command {
	var f waitFlags
	cmd := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait until jobs have ended; the exit code says how",
		Long: `wait returns when all the jobs have ended; the id of a sweep stands for all its
jobs. For one job the exit code is the job's own, as a shell gives it: 128 + the
signal's number if a signal ended it, 1 if there is none. For several it is 0 if
all are COMPLETED, else 1. Jobs that ended otherwise are named on stderr.

With --any it returns when the first of them has ended, prints that one's id,
and exits with its code. With --timeout it gives up after that time, with exit
code 1; the jobs go on. On a terminal a line on stderr shows meanwhile how far
the jobs have come.`,
		Example: `  jobrunner wait 3f2a91c0 && echo done
  jobrunner wait --any --timeout 1h 3f2a91c0 9b1c22d0`,
		Args:              someIDs,
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("timeout") && f.timeout <= 0 {
				return misused(cmd, fmt.Sprintf("--timeout must be more than 0, not %s", f.timeout))
			}
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			return c.wait(cmd.Context(), &f, args)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.any, "any", false, "wait for the first one only, and print its id")
	flags.DurationVar(&f.timeout, "timeout", 0, "give up after this `TIME`, such as 90s or 2h")
	flags.BoolVar(&f.json, "json", false, "print the jobs when they have ended, as JSON")
	return cmd
}

func (c *client) wait(ctx context.Context, f *waitFlags, words []string) error {
	w, err := c.watch(ctx, words)
	if err != nil {
		return err
	}
	bounded := ctx
	if f.timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	err = c.follow(bounded, w, func() bool { return w.allEnded() || f.any && len(w.ended) > 0 })
	switch {
	case err != nil && ctx.Err() == nil && bounded.Err() != nil:
		return w.late(f.timeout)
	case err != nil:
		return err
	}
	ended := w.all()
	if f.any {
		ended = []*jobs.Job{slices.MinFunc(w.ended, byEnd)}
	}
	if err := c.printEnded(f, ended); err != nil {
		return err
	}
	return c.verdict(ended)
}

// follow takes in what happens until it is over; on a terminal a line shows
// meanwhile how far the jobs have come.
func (c *client) follow(ctx context.Context, w *watched, over func() bool) error {
	line := c.newWaitLine()
	defer line.Close()
	for !over() {
		if err := line.draw(ctx, w); err != nil {
			return err
		}
		if err := w.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

func byEnd(a, b *jobs.Job) int { return a.FinishedAt.Compare(b.FinishedAt) }

func (c *client) printEnded(f *waitFlags, ended []*jobs.Job) (err error) {
	switch {
	case f.json && len(ended) == 1:
		return printJSON(c.stdout, ended[0])
	case f.json:
		return printJSON(c.stdout, jobList{ended})
	case f.any:
		_, err = fmt.Fprintln(c.stdout, ended[0].ID)
	}
	return err
}

// late says what has not ended in time.
func (w *watched) late(limit time.Duration) error {
	const most = 3
	var words []string
	for _, j := range w.all() {
		if w.open[j.ID] == nil {
			continue
		}
		if len(words) == most {
			words = append(words, fmt.Sprintf("and %d more", len(w.open)-most))
			break
		}
		word := short(j.ID) + " is still " + string(j.State)
		if j.State == jobs.Pending && j.Reason != "" {
			word += " (" + j.Reason + ")"
		}
		words = append(words, word)
	}
	return fmt.Errorf("not ended within %s: %s", limit, strings.Join(words, ", "))
}

// waitFor is wait for jobs that may not have been taken yet.
func (c *client) waitFor(ctx context.Context, ids []string) error {
	p := newPulse(c.database())
	for {
		if err := c.reopen(); err != nil {
			return err
		}
		w, err := c.watch(ctx, ids)
		if err == nil {
			if err := c.follow(ctx, w, w.allEnded); err != nil {
				return err
			}
			return c.verdict(w.all())
		}
		var gone *jobs.PrunedError
		if !errors.Is(err, jobs.ErrNotFound) || errors.As(err, &gone) {
			return err
		}
		if err := p.wait(ctx); err != nil {
			return err
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
