package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

func newList(a *app) *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs, the unfinished ones on top",
		Long: `list prints jobs: those that run, those that wait, and then those that have
ended, each newest first. Of several conditions all must fit.

With --scheduled it prints the schedules of jobrunner.yaml instead, the next
one first.`,
		Example: `  jobrunner list --state failed,lost --since 24h
  jobrunner list --group 3f2a91c0
  jobrunner list --label owner=ada --label gpu
  jobrunner list --search 'exit:137 train.py' --watch
  jobrunner list --scheduled`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd, time.Now()); err != nil {
				return err
			}
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			switch {
			case f.scheduled:
				return c.listScheduled(cmd.Context(), f.json)
			case f.watch:
				return c.watchList(cmd.Context(), &f)
			}
			return c.list(cmd.Context(), &f)
		},
	}
	f.define(a, cmd)
	return cmd
}

// jobs reads what is to be listed. The three parts are read in the order of a
// life, so that a job that moves on meanwhile is seen at least once; it counts
// where it was seen last.
func (c *client) jobs(ctx context.Context, f *listFlags) ([]*jobs.Job, error) {
	if c.queue == nil {
		return nil, nil
	}
	group, err := c.group(ctx, f.group)
	if err != nil {
		return nil, err
	}
	var parts [3][]*jobs.Job // waiting, running, ended
	later := map[string]bool{}
	for i, states := range [3][]jobs.State{{jobs.Pending}, {jobs.Running}, jobs.States[2:]} {
		if len(f.states) > 0 {
			states = slices.DeleteFunc(slices.Clone(states), func(s jobs.State) bool { return !slices.Contains(f.states, s) })
		}
		if len(states) == 0 {
			continue
		}
		found, err := c.queue.List(ctx, jobs.Filter{
			States: states, Type: f.kind, Group: group, Labels: f.labels, Since: f.since, Query: f.search, Limit: f.limit,
		})
		var bad *jobs.QueryError
		if errors.As(err, &bad) {
			return nil, &usageError{message: "--search: " + bad.Message, hint: "words and key:value; put what has blanks in double quotes"}
		}
		if err != nil {
			return nil, err
		}
		parts[i] = found
	}
	var all []*jobs.Job
	for _, i := range [3]int{2, 1, 0} {
		parts[i] = slices.DeleteFunc(parts[i], func(j *jobs.Job) bool { return later[j.ID] })
		for _, j := range parts[i] {
			later[j.ID] = true
		}
	}
	for _, i := range [3]int{1, 0, 2} {
		all = append(all, parts[i]...)
	}
	return all[:min(len(all), f.limit)], nil
}

func (c *client) list(ctx context.Context, f *listFlags) error {
	found, err := c.jobs(ctx, f)
	if err != nil {
		return err
	}
	if f.json {
		return printJSON(c.stdout, jobList{append([]*jobs.Job{}, found...)}) // [] and never null
	}
	if len(found) == 0 {
		c.note("%s", c.nothing(f))
		return nil
	}
	s := newScreen(c.stdout)
	for _, line := range jobTable(s, found, time.Now()).lines(s) {
		fmt.Fprintln(s, line)
	}
	if s.terminal() && len(found) == f.limit {
		c.note("the list ends after %s; --limit shows more", count(f.limit, "job"))
	}
	return nil
}

// nothing says why a list is empty.
func (c *client) nothing(f *listFlags) string {
	switch {
	case c.queue == nil:
		return "no jobs yet: no daemon has run here; jobrunner serve starts one"
	case f.narrows():
		return "no job fits"
	}
	return "no jobs yet: jobrunner add submits one"
}

// jobTable shows jobs in columns.
func jobTable(s *screen, found []*jobs.Job, now time.Time) *table {
	t := &table{
		head:     []string{"ID", "STATE", "TYPE", "JOB", "SUBMITTED", "TIME", "REASON"},
		flexible: map[int]int{2: 8, 3: 12, 6: 12},
	}
	if s.terminal() {
		t.head[4] = "AGE"
	}
	for _, j := range found {
		submitted := instant(j.SubmittedAt)
		if s.terminal() {
			submitted = age(now.Sub(j.SubmittedAt))
		}
		job := what(j)
		if j.Name != "" {
			job = jobs.Sanitize(j.Name) + ": " + job
		}
		t.rows = append(t.rows, []cell{
			{text: short(j.ID)}, s.state(j.State), {text: orDash(jobs.Sanitize(j.Type))}, {text: job},
			{text: submitted}, {text: orDash(ran(j, now))}, {text: why(j)},
		})
	}
	return t
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// watchList lists until ctx ends: on a terminal drawn over and over in the
// same place, in a pipe a block at each change.
func (c *client) watchList(ctx context.Context, f *listFlags) error {
	s := newScreen(c.stdout)
	p := newPulse(c.database())
	drawn, last := 0, ""
	for {
		if err := c.reopen(); err != nil {
			return err
		}
		found, err := c.jobs(ctx, f)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case s.terminal() && !f.json:
			drawn = c.frame(s, f, found, drawn)
		default:
			if last, err = c.block(f, found, last); err != nil {
				return err
			}
		}
		if p.rest(ctx, s.terminal()) != nil {
			return nil
		}
	}
}

// frame draws the list over the one before, which had so many lines.
func (c *client) frame(s *screen, f *listFlags, found []*jobs.Job, before int) (lines int) {
	now := time.Now()
	_, rows := s.size()
	shown := found[:min(len(found), max(1, rows-3))]
	out := []string{s.paint(dim, fmt.Sprintf("%s  %s", now.Format("15:04:05"), count(len(found), "job")))}
	if len(shown) < len(found) {
		out[0] += s.paint(dim, fmt.Sprintf(", %d shown", len(shown)))
	}
	if len(found) == 0 {
		columns, _ := s.size()
		out = append(out, cut(c.nothing(f), columns, s.ellipsis))
	} else {
		out = append(out, jobTable(s, shown, now).lines(s)...)
	}
	var b strings.Builder
	if before > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", before)
	}
	for _, line := range out {
		b.WriteString("\r" + line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	fmt.Fprint(s, b.String())
	return len(out)
}

// block prints the list if it is not the same as the last one, and returns what
// it compared.
func (c *client) block(f *listFlags, found []*jobs.Job, last string) (string, error) {
	data, err := json.Marshal(jobList{append([]*jobs.Job{}, found...)})
	if err != nil || string(data) == last {
		return last, err
	}
	if f.json {
		_, err = fmt.Fprintf(c.stdout, "%s\n", data)
		return string(data), err
	}
	if last != "" {
		fmt.Fprintln(c.stdout)
	}
	s := newScreen(c.stdout)
	for _, line := range jobTable(s, found, time.Now()).lines(s) {
		if _, err := fmt.Fprintln(s, line); err != nil {
			return "", err // nobody reads any more
		}
	}
	return string(data), nil
}
