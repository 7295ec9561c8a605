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
	measured := c.measure(ctx, found, f.json)
	if f.json {
		return printJSON(c.stdout, jobList{append([]*jobs.Job{}, found...)}) // [] and never null
	}
	if len(found) == 0 {
		c.note("%s", c.nothing(f))
		return nil
	}
	s := newScreen(c.stdout)
	jobTable(s, found, measured, time.Now()).print(s)
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

// jobTable shows jobs in columns, and of those that run how far they have come.
func jobTable(s *screen, found []*jobs.Job, measured map[string]*jobs.Reading, now time.Time) *table {
	t := &table{
		head:     []string{"ID", "STATE", "TYPE", "JOB", "SUBMITTED", "TIME", "REASON"},
		flexible: map[int]int{2: 8, 3: 12, 6: 12},
		spare:    []int{2, 4, 5},
	}
	if s.terminal() {
		t.head[4] = "AGE"
	}
	run := slices.ContainsFunc(found, func(j *jobs.Job) bool { return j.State == jobs.Running })
	if run {
		t.head = slices.Insert(t.head, 4, "PROGRESS", "LEFT")
		t.flexible = map[int]int{2: 8, 3: 12, 4: s.barWidth() + len(" 100%"), 8: 12}
		t.spare = []int{2, 6, 7, 5}
	}
	for _, j := range found {
		row := jobRow(s, j, measured[j.ID], now)
		if run {
			row = slices.Insert(row, 4, progressCell(s, j), cell{text: orDash(timeLeft(j.Progress))})
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// jobRow shows one job in a table that leaves out how far it has come.
func jobRow(s *screen, j *jobs.Job, r *jobs.Reading, now time.Time) []cell {
	submitted := instant(j.SubmittedAt)
	if s.terminal() {
		submitted = age(now.Sub(j.SubmittedAt))
	}
	reason := cell{text: why(j)}
	if quiet := silence(r, j, now); quiet != "" && reason.text == "" {
		reason = cell{text: quiet, colour: yellow}
	}
	return []cell{
		{text: short(j.ID)}, s.state(j.State), {text: orDash(jobs.Sanitize(j.Type))}, {text: title(j)},
		{text: submitted}, {text: orDash(ran(j, now))}, reason,
	}
}

// progressCell shows how far a job that runs has come.
func progressCell(s *screen, j *jobs.Job) cell {
	p := j.Progress
	if j.State != jobs.Running || p == nil {
		return cell{text: "-"}
	}
	words := cell{text: jobs.Sanitize(p.Text), colour: dim}
	switch {
	case !s.terminal():
		return cell{text: strings.TrimSpace(percent(p) + " " + words.text)}
	case p.Percent == nil:
		return words
	case !s.roomy():
		words.text = ""
	case words.text != "":
		words.text = " " + words.text
	}
	return joined(s.bar(p, s.barWidth()), cell{text: fmt.Sprintf(" %4s", percent(p))}, words)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
