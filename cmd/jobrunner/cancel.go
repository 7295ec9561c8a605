package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobrunner/jobs"
)

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
	w, err := c.watch(ctx, ids)
	if err != nil {
		return err
	}
	for err == nil && !w.allEnded() {
		err = w.next(bounded)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	for _, n := range w.named {
		c.printEnd(n)
	}
	return nil
}

// printEnd says what became of a cancelled job or sweep.
func (c *client) printEnd(n *named) {
	open := 0
	for _, j := range n.jobs {
		if !j.State.Ended() {
			open++
		}
	}
	id := short(n.id)
	switch {
	case open > 0:
		fmt.Fprintf(c.stdout, "%s is being ended: jobrunner wait %s returns when it has\n", id, id)
	case n.sweep:
		_, words := jobs.Summarise(n.jobs)
		fmt.Fprintf(c.stdout, "%s (sweep of %d): %s\n", id, len(n.jobs), words)
	default:
		fmt.Fprintf(c.stdout, "%s %s: %s\n", id, n.jobs[0].State, jobs.Sanitize(n.jobs[0].Reason))
	}
}
