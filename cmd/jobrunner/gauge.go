package main

import (
	"context"

	"jobrunner/jobs"
	"jobrunner/meter"
)

// gauges measures the jobs that run as the daemon does for the page, from their
// output, their processes and earlier runs.
type gauges struct {
	c     *client
	gauge *meter.Gauge // nil while there is no database
}

func newGauges(c *client) *gauges { return &gauges{c: c} }

// read gives what is known of the jobs that run among found, by their id, and
// puts their Progress and Usage into the jobs. What they take is looked for only
// with processes.
func (g *gauges) read(ctx context.Context, found []*jobs.Job, processes bool) map[string]*jobs.Reading {
	if g.c.queue == nil {
		return nil
	}
	if g.gauge == nil {
		g.gauge = meter.NewGauge(meter.Options{
			StateDir: g.c.cfg.StateDir, Queue: g.c.queue, Detect: detect,
			Catalog: func() *jobs.Catalog { return g.c.cfg.Catalog },
		})
	}
	all := g.gauge.Look(ctx, found, processes)
	for _, j := range found {
		if r := all[j.ID]; r != nil && j.State == jobs.Running {
			j.Progress, j.Usage = r.Progress, r.Usage
		}
	}
	return all
}

// Close closes the logs that are open.
func (g *gauges) Close() {
	if g.gauge != nil {
		g.gauge.Close()
	}
}

// measure is read for a verb that looks once.
func (c *client) measure(ctx context.Context, found []*jobs.Job, processes bool) map[string]*jobs.Reading {
	g := newGauges(c)
	defer g.Close()
	return g.read(ctx, found, processes)
}
