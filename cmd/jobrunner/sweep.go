package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"jobrunner/jobs"
)

// shownJobs is how many jobs of a sweep show prints.
const shownJobs = 50

// sweep is what show --json prints of one.
type sweep struct {
	Group  string      `json:"group"`
	State  jobs.State  `json:"state"`
	Reason string      `json:"reason"`
	Jobs   []*jobs.Job `json:"jobs"`
}

// showSweep prints how far the jobs of a sweep have come.
func (c *client) showSweep(ctx context.Context, n *named, asJSON bool) error {
	measured := c.measure(ctx, n.jobs, asJSON)
	state, words := jobs.Summarise(n.jobs)
	if asJSON {
		return printJSON(c.stdout, sweep{n.id, state, words, n.jobs})
	}
	s, now := newScreen(c.stdout), time.Now()
	printHead(s, state, fmt.Sprintf("sweep of %s: %s", count(len(n.jobs), "job"), words))
	fmt.Fprintln(s)
	first, last := n.jobs[0], finish(n.jobs)
	printFacts(s, []fact{
		{"id", n.id},
		{"type", jobs.Sanitize(first.Type)},
		{"source", jobs.Sanitize(first.Source)},
		{"submitted", when(s, first.SubmittedAt, now)},
		{"finished", when(s, last, now)},
	})
	shown := n.jobs[:min(len(n.jobs), shownJobs)]
	fmt.Fprintln(s)
	jobTable(s, shown, measured, now).print(s)
	if more := len(n.jobs) - len(shown); more > 0 {
		c.note("and %s more; jobrunner list --group %s --limit %d shows all", count(more, "job"), short(n.id), len(n.jobs))
	}
	return nil
}

// finish is when the last of some jobs ended; zero if one has not.
func finish(all []*jobs.Job) time.Time {
	if slices.ContainsFunc(all, func(j *jobs.Job) bool { return !j.State.Ended() }) {
		return time.Time{}
	}
	return slices.MaxFunc(all, byEnd).FinishedAt
}
