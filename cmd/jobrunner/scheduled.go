package main

import (
	"context"
	"strings"
	"time"

	"jobrunner/jobs"
)

// scheduleList is what the API answers with for the schedules.
type scheduleList struct {
	Schedules []jobs.Scheduled `json:"schedules"`
}

// listScheduled prints the schedules and when each is due.
func (c *client) listScheduled(ctx context.Context, asJSON bool) error {
	now := time.Now()
	found, err := c.scheduled(ctx, now)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.stdout, scheduleList{found})
	}
	if len(found) == 0 {
		c.note("there are no schedules: the key schedules in jobrunner.yaml defines them")
		return nil
	}
	s := newScreen(c.stdout)
	scheduleTable(s, found, now).print(s)
	return nil
}

// scheduled reads the schedules; where no daemon has run yet, none of them has
// ever made a job.
func (c *client) scheduled(ctx context.Context, now time.Time) ([]jobs.Scheduled, error) {
	if c.queue != nil {
		return c.queue.Scheduled(ctx, c.cfg.Catalog, now)
	}
	found := make([]jobs.Scheduled, len(c.cfg.Catalog.Schedules))
	for i, s := range c.cfg.Catalog.Schedules {
		found[i] = jobs.Scheduled{Schedule: s, Reason: "begins with the next serve"}
	}
	return found, nil
}

// scheduleTable shows schedules in columns.
func scheduleTable(s *screen, found []jobs.Scheduled, now time.Time) *table {
	t := &table{
		head:     []string{"NAME", "NEXT", "LAST", "WHEN", "REQUEST", "REASON"},
		flexible: map[int]int{0: 8, 3: 10, 4: 12, 5: 12},
	}
	for _, one := range found {
		last := when(s, one.LastAt, now)
		if last != "" && len(one.Jobs) > 0 {
			last += " " + short(one.Jobs[0])
		}
		t.rows = append(t.rows, []cell{
			{text: jobs.Sanitize(one.Name)}, {text: orDash(when(s, one.NextAt, now))}, {text: orDash(last)},
			{text: jobs.Sanitize(scheduleWords(one))}, {text: jobs.Sanitize(one.Target()) + spaced(one.Request.Args)},
			{text: jobs.Sanitize(one.Reason)},
		})
	}
	return t
}

// scheduleWords says when a schedule comes: every 1h0m0s, 0 2 * * * Europe/Berlin.
func scheduleWords(s jobs.Scheduled) string {
	if s.Every > 0 {
		return "every " + shortDuration(s.Every)
	}
	return s.Cron + " " + s.ZoneName()
}

// shortDuration writes a duration without the units that are 0 at its end.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
