package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

func newCancel(a *app) *cobra.Command {
	return a.overJobs(jobs.Cancel, &cobra.Command{
		Short: "End jobs, waiting or running",
		Long: `cancel drops the command into the inbox, waits for the daemon's answer and, up
to 5 s in all, for the jobs' end. A running job gets SIGTERM, and SIGKILL after
its type's kill_grace. The id of a sweep stands for all its jobs.`,
	})
}

func newRetry(a *app) *cobra.Command {
	return a.overJobs(jobs.Retry, &cobra.Command{
		Short: "Run ended jobs again: same id, next attempt",
		Long: `retry takes jobs that ended otherwise than COMPLETED back to PENDING: same id,
next attempt, and all its retries before it again. The id of a sweep stands for
those of its jobs.`,
	})
}

func newRerun(a *app) *cobra.Command {
	return a.overJobs(jobs.Rerun, &cobra.Command{
		Short: "Submit jobs again and print the new ids",
		Long: `rerun makes a new job of what an old one asked for, however that ended, and
prints the new id, one a line. The new job waits for no others and no time.`,
		Example: "  jobrunner wait $(jobrunner rerun 3f2a91c0)",
	})
}

func newHold(a *app) *cobra.Command {
	return a.overJobs(jobs.Hold, &cobra.Command{
		Short: "Keep waiting jobs from starting until release",
		Long: `hold keeps PENDING jobs from starting, also over restarts, until release lets
them. A job that runs is not touched. The id of a sweep stands for all its jobs.`,
	})
}

func newRelease(a *app) *cobra.Command {
	return a.overJobs(jobs.Release, &cobra.Command{
		Short: "Let held jobs start",
		Long: `release lets jobs start that were held or added with --hold. The id of a sweep
stands for all its jobs.`,
	})
}

// overJobs makes the verb of an action that names jobs.
func (a *app) overJobs(action jobs.Action, cmd *cobra.Command) *cobra.Command {
	cmd.Use = string(action) + " ID..."
	cmd.Args = someIDs
	cmd.ValidArgsFunction = a.completeIDs
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.command(cmd.Context(), action, args) }
	return cmd
}

// command drops a command over jobs and says what it did.
func (a *app) command(ctx context.Context, action jobs.Action, words []string) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	begun := time.Now()
	ids, err := c.resolve(ctx, words)
	if err != nil {
		return err
	}
	var doc document
	doc.text("action", string(action))
	doc.list("ids", ids)
	answer, err := c.ask(ctx, action, &doc)
	if err != nil || answer == nil {
		return err
	}
	switch action {
	case jobs.Cancel:
		return c.awaitEnds(ctx, ids, begun.Add(answerTime), answer.Reason)
	case jobs.Rerun:
		return c.printNew(answer)
	}
	c.printDeeds(answer.Reason)
	return nil
}

// ask drops a command and gives the daemon's answer to it: nil, and it has been
// said, if there is none yet; an error if it was refused.
func (c *client) ask(ctx context.Context, action jobs.Action, doc *document) (*answer, error) {
	name := string(action) + "-" + short(uuid.NewString()) + ".yaml"
	if err := c.drop(name, doc.String()); err != nil {
		return nil, err
	}
	answer, err := c.await(ctx, name)
	if err == nil && answer != nil && answer.State == jobs.Rejected {
		return nil, answer.refusal(name)
	}
	return answer, err
}

// printDeeds prints what a command did, a line a job.
func (c *client) printDeeds(reason string) {
	for _, deed := range strings.Split(reason, "; ") {
		fmt.Fprintln(c.stdout, jobs.Sanitize(deed))
	}
}

// printNew prints the ids of new jobs alone, and of what none was made, why.
func (c *client) printNew(a *answer) error {
	for _, j := range a.Jobs {
		if _, err := fmt.Fprintln(c.stdout, j.ID); err != nil {
			return err
		}
	}
	for _, deed := range strings.Split(a.Reason, "; ") {
		if !strings.Contains(deed, " runs again as ") {
			c.note("%s", deed)
		}
	}
	return nil
}
