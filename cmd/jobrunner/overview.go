package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"jobrunner/jobs"
)

// How many jobs each part of an overview has, and how far back.
const (
	mostNext  = 5
	mostEyes  = 8
	mostEnded = 5

	eyesAge = 3 * 24 * time.Hour // a failure older than this is no news
)

// overview is the page's first screen for a terminal.
type overview struct {
	At            utc                `json:"at"`
	Daemon        daemonFacts        `json:"daemon"`
	Problems      []string           `json:"problems"`
	States        map[jobs.State]int `json:"states"`
	MaxConcurrent int                `json:"max_concurrent"`
	Slots         map[string]taken   `json:"slots"`
	Running       []*jobs.Job        `json:"running"`          // the longest first
	Next          []upNext           `json:"next"`             // in the order in which they are to start
	DoneAt        utc                `json:"done_at,omitzero"` // when all that runs and may start is likely to have ended; zero if that cannot be said
	Eyes          []*jobs.Job        `json:"eyes"`             // that failed in the last days, the latest first
	Ended         []*jobs.Job        `json:"ended"`            // the latest first

	measured map[string]*jobs.Reading // of Running, by id
}

// daemonFacts says whether a daemon runs.
type daemonFacts struct {
	Running bool `json:"running"`
	PID     int  `json:"pid,omitempty"`
	Since   utc  `json:"since,omitzero"`
}

// taken is how many tokens of a slot jobs have.
type taken struct {
	Taken int `json:"taken"`
	Of    int `json:"of"`
}

// upNext is a job that waits, and when it is likely to start.
type upNext struct {
	Job     *jobs.Job `json:"job"`
	StartAt utc       `json:"start_at,omitzero"` // zero if it cannot be said
	Basis   string    `json:"basis,omitempty"`   // what that rests on, or why there is none
}

// overview reads all that there is to show.
func (c *client) overview(ctx context.Context, gauges *gauges) (*overview, error) {
	o := &overview{
		At: utc{time.Now()}, Problems: []string{}, States: map[jobs.State]int{}, MaxConcurrent: c.cfg.Catalog.MaxConcurrent,
		Slots: map[string]taken{}, Running: []*jobs.Job{}, Next: []upNext{}, Eyes: []*jobs.Job{}, Ended: []*jobs.Job{},
	}
	for _, s := range jobs.States {
		o.States[s] = 0
	}
	pid, served, err := lockHolder(c.cfg.StateDir)
	if err != nil {
		return nil, err
	}
	if served {
		o.Daemon = daemonFacts{Running: true, PID: pid, Since: utc{lockedSince(c.cfg.StateDir)}}
		o.Problems = append(o.Problems, readProblems(c.cfg.StateDir, pid)...)
	}
	if c.queue == nil {
		return o, nil
	}
	err = c.readCounts(ctx, o)
	if err == nil {
		err = c.readActive(ctx, o, gauges)
	}
	if err == nil {
		err = c.readEnded(ctx, o)
	}
	return o, err
}

func (c *client) readCounts(ctx context.Context, o *overview) error {
	stats, err := c.queue.Stats(ctx)
	if err != nil {
		return err
	}
	o.States = stats.States
	brakes, err := c.queue.Brakes(ctx)
	if err != nil {
		return err
	}
	o.Problems = append(brakeWords(brakes), o.Problems...)
	return nil
}

// brakeWords say what keeps jobs from starting, and what ends that.
func brakeWords(b jobs.Brakes) []string {
	var words []string
	if b.Draining {
		words = append(words, "draining: no job starts, and the daemon ends with the last that runs; jobrunner resume goes on instead")
	}
	if b.All {
		words = append(words, "paused: no job starts; jobrunner resume ends that")
	}
	for _, name := range slices.Sorted(maps.Keys(b.Types)) {
		words = append(words, fmt.Sprintf("paused: no job of type %s starts; jobrunner resume %[1]s ends that", name))
	}
	return words
}

// readActive reads what runs and what is to start.
func (c *client) readActive(ctx context.Context, o *overview, gauges *gauges) error {
	active, err := c.queue.ListActive(ctx, o.States[jobs.Running]+mostNext)
	if err != nil {
		return err
	}
	held := map[string]int{}
	var waiting []*jobs.Job
	for _, j := range active {
		switch {
		case j.State == jobs.Running:
			for name, tokens := range j.Slots {
				held[name] += len(tokens)
			}
			o.Running = append(o.Running, j)
		case len(waiting) < mostNext:
			waiting = append(waiting, j)
		}
	}
	for name, pool := range c.cfg.Catalog.Slots {
		o.Slots[name] = taken{held[name], len(pool.Tokens) * max(1, pool.PerSlot)}
	}
	o.measured = gauges.read(ctx, o.Running, true)
	return c.foresee(ctx, o, waiting)
}

// foresee finds out when the jobs that wait are likely to start, and when all is
// done: while a daemon runs.
func (c *client) foresee(ctx context.Context, o *overview, waiting []*jobs.Job) error {
	left := map[string]time.Duration{}
	for _, j := range o.Running {
		if p := j.Progress; p != nil && p.ETA != nil && p.ETASource != jobs.ProgressHistory {
			left[j.ID] = *p.ETA
		}
	}
	outlook := jobs.Outlook{}
	if o.Daemon.Running {
		var err error
		if outlook, err = c.queue.Outlook(ctx, waiting, left); err != nil {
			return err
		}
		o.DoneAt = utc{outlook.Done}
	}
	for _, j := range waiting {
		next := upNext{Job: j, Basis: "no daemon runs"}
		if f, ok := outlook.Starts[j.ID]; ok || o.Daemon.Running {
			next.StartAt, next.Basis = utc{f.StartAt}, f.Basis
		}
		o.Next = append(o.Next, next)
	}
	return nil
}

// readEnded reads what ended lately, and what of it needs eyes.
func (c *client) readEnded(ctx context.Context, o *overview) (err error) {
	if o.Ended, err = c.queue.LastEnded(ctx, nil, mostEnded); err != nil {
		return err
	}
	failed, err := c.queue.LastEnded(ctx, jobs.NeedEyes, mostEyes)
	if err != nil {
		return err
	}
	for _, j := range failed {
		if o.At.Sub(j.EndedAt()) > eyesAge {
			break
		}
		c.readHeadline(j)
		o.Eyes = append(o.Eyes, j)
	}
	return nil
}
