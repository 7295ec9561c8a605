package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"jobrunner/jobs"
)

// watchList lists until ctx ends: on a terminal drawn over and over in the
// same place, in a pipe a block at each change.
func (c *client) watchList(ctx context.Context, f *listFlags) error {
	s := newScreen(c.stdout)
	gauges := newGauges(c)
	defer gauges.Close()
	frames, last := &live{s: s}, ""
	return c.repeat(ctx, s, func() error {
		found, err := c.jobs(ctx, f)
		if err != nil {
			return err
		}
		measured := gauges.read(ctx, found, f.json)
		if s.moves() && !f.json {
			return frames.draw(func(s *screen, room int) []string { return c.listFrame(s, room, f, found, measured) })
		}
		last, err = c.block(s, f, found, measured, last)
		return err
	})
}

// listFrame is what stands on a terminal while a list is watched.
func (c *client) listFrame(s *screen, room int, f *listFlags, found []*jobs.Job, measured map[string]*jobs.Reading) []string {
	const heads = 2 // lines above the jobs
	now := time.Now()
	columns, _ := s.size()
	shown := found[:min(len(found), max(1, room-heads))]
	words := now.Format(time.TimeOnly) + "  " + count(len(found), "job")
	if len(shown) < len(found) {
		words += fmt.Sprintf(", %d shown", len(shown))
	}
	lines := []string{s.paint(dim, cut(words, columns, s.ellipsis))}
	if len(found) == 0 {
		return append(lines, cut(c.nothing(f), columns, s.ellipsis))
	}
	return append(lines, jobTable(s, shown, measured, now).lines(s)...)
}

// block prints the list if there is news since the last one, and returns what
// it compared.
func (c *client) block(s *screen, f *listFlags, found []*jobs.Job, measured map[string]*jobs.Reading, last string) (string, error) {
	key, err := newsOf(found)
	if err != nil || key == last {
		return last, err
	}
	if f.json {
		data, err := json.Marshal(jobList{append([]*jobs.Job{}, found...)})
		if err == nil {
			_, err = fmt.Fprintf(s, "%s\n", data)
		}
		return key, err
	}
	if last != "" {
		fmt.Fprintln(s)
	}
	for _, line := range jobTable(s, found, measured, time.Now()).lines(s) {
		if _, err := fmt.Fprintln(s, line); err != nil {
			return "", err // nobody reads any more
		}
	}
	return key, nil
}

// newsOf is what counts as a change of a list: all but what goes on changing
// while a job runs, of which whole percents and words count.
func newsOf(found []*jobs.Job) (string, error) {
	still := make([]jobs.Job, len(found))
	for i, j := range found {
		still[i] = *j
		still[i].Usage = nil
		if p := j.Progress; p != nil {
			still[i].Progress = &jobs.Progress{Text: p.Text}
			if p.Percent != nil {
				whole := math.Floor(p.Tenths())
				still[i].Progress.Percent = &whole
			}
		}
	}
	data, err := json.Marshal(still)
	return string(data), err
}
