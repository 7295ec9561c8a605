package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// logFlags is what logs takes.
type logFlags struct {
	follow  bool
	tail    int // -1 means all
	attempt int // 0 means the latest
}

func newLogs(a *app) *cobra.Command {
	f := logFlags{}
	cmd := &cobra.Command{
		Use:   "logs ID",
		Short: "Print a job's output",
		Long: `logs prints what a job has printed, byte for byte; on a terminal without what
could upset the terminal. With -f it goes on until the job has ended, over all
its retries, and then says on stderr how it ended.`,
		Example: `  jobrunner logs -f 3f2a91c0
  jobrunner logs --tail 100 3f2a91c0
  jobrunner logs --attempt 1 3f2a91c0 | grep -i error`,
		Args:              oneID,
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch flags := cmd.Flags(); {
			case f.tail < -1 || f.tail == -1 && flags.Changed("tail"):
				return misused(cmd, fmt.Sprintf("--tail must be at least 0, not %d", f.tail))
			case f.attempt < 1 && flags.Changed("attempt"):
				return misused(cmd, fmt.Sprintf("--attempt must be at least 1, not %d", f.attempt))
			}
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			j, err := c.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.logs(cmd.Context(), &f, j)
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on until the job has ended")
	flags.IntVar(&f.tail, "tail", -1, "only the last `N` lines")
	flags.IntVar(&f.attempt, "attempt", 0, "the output of attempt `N` (default: the latest)")
	return cmd
}

// errNoLog is why there is no output to print.
type errNoLog struct{ words string }

func (e *errNoLog) Error() string { return e.words }

func (c *client) logs(ctx context.Context, f *logFlags, j *jobs.Job) error {
	attempt := f.attempt
	if attempt == 0 {
		attempt = j.Attempt
	}
	if attempt > j.Attempt {
		return &hintedError{err: fmt.Errorf("%s has no attempt %d: %w", short(j.ID), attempt, jobs.ErrNotFound),
			hint: fmt.Sprintf("the latest is attempt %d", j.Attempt)}
	}
	p := newPulse(c.database())
	for tail := f.tail; ; tail = -1 {
		if err := c.logAttempt(ctx, p, f.follow, tail, j, attempt); err != nil || !f.follow || f.attempt != 0 {
			return err
		}
		var err error
		if j, err = c.queue.Job(ctx, j.ID); err != nil {
			return err
		}
		if j.Attempt == attempt {
			c.note("%s", endWords(j))
			return nil
		}
		attempt++
		c.note("%s: attempt %d follows", short(j.ID), attempt)
	}
}

// logAttempt prints the output of one attempt, if it is followed until that has
// ended.
func (c *client) logAttempt(ctx context.Context, p *pulse, follow bool, tail int, j *jobs.Job, attempt int) (err error) {
	if follow {
		if j, err = c.begun(ctx, p, j, attempt); err != nil {
			return err
		}
	}
	out, err := c.openLog(ctx, j, attempt)
	var none *errNoLog
	if errors.As(err, &none) {
		c.note("%s", none.words)
		return nil
	}
	if err != nil {
		return err
	}
	defer out.Close()
	to := newLogWriter(c.stdout)
	printed, err := c.print(to, out, tail)
	if err == nil && follow {
		var more int64
		more, err = c.copyOn(ctx, p, to, out, j, attempt)
		printed += more
	}
	if flushErr := to.Close(); err == nil {
		err = flushErr
	}
	if follow && to.begun() {
		fmt.Fprintln(c.stdout) // what is said now has a line of its own
	}
	if err == nil && printed == 0 && tail != 0 {
		c.note("%s has printed nothing", short(j.ID))
	}
	return err
}

// endWords say how a job ended: 3f2a91c0 FAILED: exit 1, ran 2m05s.
func endWords(j *jobs.Job) string {
	words := short(j.ID) + " " + string(j.State)
	if reason := why(j); reason != "" {
		words += ": " + reason
	}
	if took := ran(j, time.Time{}); took != "" {
		words += ", ran " + took
	}
	return words
}

// begun waits until an attempt has started, or never will.
func (c *client) begun(ctx context.Context, p *pulse, j *jobs.Job, attempt int) (*jobs.Job, error) {
	told := false
	for {
		if j.Attempt > attempt || j.State.Ended() || j.Log != "" {
			return j, nil
		}
		if !told && j.State == jobs.Pending {
			told = true
			words := short(j.ID) + " has not started yet"
			if j.Reason != "" {
				words += ": " + j.Reason
			}
			c.note("%s", words)
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

// openLog opens the output of an attempt. The error is an *errNoLog where there
// is none.
func (c *client) openLog(ctx context.Context, j *jobs.Job, attempt int) (*jobs.Output, error) {
	if attempt == j.Attempt && j.Log == "" {
		return nil, &errNoLog{notStarted(j)}
	}
	j, err := c.queue.Detail(ctx, j.ID)
	if err != nil {
		return nil, err
	}
	out, err := jobs.OpenOutput(c.cfg.StateDir, j, attempt)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &errNoLog{fmt.Sprintf("%s has no output of attempt %d: it never started, or the file was removed", short(j.ID), attempt)}
	}
	return out, err
}

func notStarted(j *jobs.Job) string {
	switch {
	case j.State == jobs.Rejected:
		return short(j.ID) + " has no output: it was never accepted"
	case j.State.Ended():
		return short(j.ID) + " has no output: it never started"
	case j.Attempt > 1:
		return fmt.Sprintf("%s has no output yet: attempt %d has not started; --attempt %d gives the one before", short(j.ID), j.Attempt, j.Attempt-1)
	}
	return short(j.ID) + " has no output yet: it has not started"
}

// print copies what is there, from the last lines on if only they are wanted.
func (c *client) print(to io.Writer, out *jobs.Output, tail int) (int64, error) {
	if tail >= 0 {
		if err := out.Tail(tail); err != nil {
			return 0, err
		}
	}
	return out.WriteTo(to)
}

// copyOn copies what is added until the attempt has ended.
func (c *client) copyOn(ctx context.Context, p *pulse, to io.Writer, out *jobs.Output, j *jobs.Job, attempt int) (printed int64, err error) {
	for {
		// What it printed is there before its end is known.
		over := j.State.Ended() || j.Attempt > attempt
		n, err := out.WriteTo(to)
		printed += n
		if err != nil || over {
			return printed, err
		}
		if j, err = c.nextLook(ctx, p, out, j); err != nil {
			return printed, err
		}
	}
}

// nextLook waits until the log has grown or the job may have ended, and returns
// the job as it is then.
func (c *client) nextLook(ctx context.Context, p *pulse, out *jobs.Output, j *jobs.Job) (*jobs.Job, error) {
	if err := p.waitOr(ctx, out.Grown); err != nil {
		return nil, err
	}
	return c.queue.Job(ctx, j.ID)
}
