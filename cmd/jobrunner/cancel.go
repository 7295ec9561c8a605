package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

const wholeID = 36 // letters of an id

func newCancel(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID...",
		Short: "End jobs, waiting or running",
		Long: `cancel drops the command into the inbox, waits for the daemon's answer and, up
to 5 s in all, for the jobs' end. A running job gets SIGTERM, and SIGKILL after
its type's kill_grace.`,
		Args: someIDs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.command(cmd.Context(), jobs.Cancel, args) },
	}
}

func newRetry(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "retry ID...",
		Short: "Run ended jobs again: same id, next attempt",
		Args:  someIDs,
		RunE:  func(cmd *cobra.Command, args []string) error { return a.command(cmd.Context(), jobs.Retry, args) },
	}
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
	doc := new(document)
	doc.text("action", string(action))
	doc.list("ids", ids)
	name := string(action) + "-" + short(uuid.NewString()) + ".yaml"
	if err := c.drop(name, doc.String()); err != nil {
		return err
	}
	answer, err := c.await(ctx, name)
	if err != nil || answer == nil {
		return err
	}
	if answer.State == jobs.Rejected {
		return answer.refusal(name)
	}
	if action == jobs.Cancel {
		return c.awaitEnds(ctx, ids, begun.Add(answerTime), answer.Reason)
	}
	c.printDeeds(answer.Reason)
	return nil
}

// printDeeds prints what a command did, a line a job.
func (c *client) printDeeds(reason string) {
	for _, deed := range strings.Split(reason, "; ") {
		fmt.Fprintln(c.stdout, jobs.Sanitize(deed))
	}
}

// resolve gives the whole ids of the jobs that words name. Without a daemon a
// job may still lie in the inbox, so a whole id is then taken as it is.
func (c *client) resolve(ctx context.Context, words []string) ([]string, error) {
	var ids []string
	for _, word := range words {
		j, err := c.find(ctx, word)
		if err == nil {
			ids = append(ids, j.ID)
			continue
		}
		if !errors.Is(err, jobs.ErrNotFound) {
			return nil, err
		}
		_, held, lockErr := lockHolder(c.cfg.StateDir)
		if lockErr != nil {
			return nil, lockErr
		}
		if _, bad := uuid.Parse(word); held || bad != nil || len(word) != wholeID {
			return nil, err
		}
		ids = append(ids, strings.ToLower(word))
	}
	return ids, nil
}

// awaitEnds waits until the cancelled jobs have ended, and says of each what
// became of it. What is still running at the deadline is being ended.
func (c *client) awaitEnds(ctx context.Context, ids []string, deadline time.Time, deeds string) error {
	bounded, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := c.reopen(); err != nil {
		return err
	}
	if c.queue == nil {
		c.printDeeds(deeds)
		return nil
	}
	p := newPulse(c.database())
	for _, id := range ids {
		j, err := c.queue.Job(ctx, id)
		if err == nil && !j.State.Ended() {
			var ended *jobs.Job
			if ended, err = c.ended(bounded, p, j); ended != nil {
				j = ended
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			fmt.Fprintf(c.stdout, "%s %s: %s\n", short(j.ID), j.State, jobs.Sanitize(j.Reason))
		case bounded.Err() != nil:
			fmt.Fprintf(c.stdout, "%s is being ended: jobrunner wait %s returns when it has\n", short(id), short(id))
		default:
			return fmt.Errorf("reading job %s: %w", strconv.Quote(id), err)
		}
	}
	return nil
}
