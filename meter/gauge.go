package meter

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// Gauge measures for somebody who looks now and then, beside a daemon or
// without one: it finds out what a Meter would, and stores nothing. It is used by
// one goroutine.
type Gauge struct{ m *Meter }

// NewGauge returns a Gauge, which Close ends. The Queue may be open for reading
// only.
func NewGauge(o Options) *Gauge { return &Gauge{New(o)} }

// Close closes the logs that are open.
func (g *Gauge) Close() { g.m.logs.close() }

// Look gives what is known of the jobs that run among some, by their id. With
// processes it also looks what they take: at the first look, since what a daemon
// stored of them or since their start, then since the look before.
func (g *Gauge) Look(ctx context.Context, some []*jobs.Job, processes bool) map[string]*jobs.Reading {
	m, now := g.m, time.Now()
	attempts := make(map[string]*attempt, len(some))
	for _, j := range some {
		switch a := m.attempts[j.ID]; {
		case j.State != jobs.Running || j.Log == "": // or it has not been started yet
		case a == nil || a.job.Attempt != j.Attempt:
			attempts[j.ID] = g.begin(ctx, j, now)
		default:
			m.read(a, now)
			m.progress(ctx, a, now)
			attempts[j.ID] = a
		}
	}
	for id, a := range m.attempts {
		if attempts[id] != a {
			a.log.close()
		}
	}
	m.attempts = attempts
	if processes && len(attempts) > 0 {
		m.pass(now)
	}
	m.publish()
	return *m.shown.Load()
}

// staleAfter is how old what a daemon has stored of the time that is left may be:
// it stores that once a minute.
const staleAfter = 2 * time.Minute

// begin takes up an attempt. One look at its output tells less of the time that
// is left than following it did, so what a daemon that did so has stored counts
// if it is young.
func (g *Gauge) begin(ctx context.Context, j *jobs.Job, now time.Time) *attempt {
	a := g.m.begin(ctx, j, now)
	p := a.shown
	if p == nil || p.ETA != nil && p.ETASource != jobs.ProgressHistory {
		return a
	}
	r, err := g.m.o.Queue.Reading(ctx, j.ID, j.Attempt)
	if err != nil || r.Progress == nil || r.Progress.ETA == nil || r.Progress.Source != p.Source || now.Sub(r.Progress.At) > staleAfter {
		return a
	}
	with := *p
	with.ETA, with.ETASource = r.Progress.ETA, r.Progress.ETASource
	a.shown = &with
	return a
}
