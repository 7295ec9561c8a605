package meter

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"jobrunner/jobs"
)

// attempt is one attempt that is measured.
type attempt struct {
	job      *jobs.Job // as it was when it was first seen to run
	rule     jobs.ProgressRule
	detector Detector // nil if nothing is looked for
	log      *log
	note     noteFile
	tree     *tree
	series   series

	found *jobs.Progress // what the daemon before this one found
	shown *jobs.Progress // as of the last look
	usage *jobs.Usage    // nil until it is measured
	quiet time.Time      // its output last grew then
}

// refresh asks the queue what runs, takes up what is new and old enough, and
// brings to an end what has ended.
func (m *Meter) refresh(ctx context.Context, now time.Time) {
	m.refreshed, m.changed, m.grown = now, false, time.Time{}
	running, err := m.o.Queue.Running(ctx)
	if err != nil {
		m.changed = true // asked again
		m.failing(ctx, err)
		return
	}
	still := make(map[string]int, len(running))
	for _, j := range running {
		still[j.ID] = j.Attempt
	}
	for id, a := range m.attempts {
		if still[id] != a.job.Attempt {
			m.finish(ctx, a, now)
			delete(m.attempts, id)
		}
	}
	for _, j := range running {
		switch left := m.pace.young - now.Sub(j.StartedAt); {
		case m.attempts[j.ID] != nil, j.Log == "": // or it has not been started yet
		case left > 0 && left <= m.pace.young: // unless the clock was set back
			m.ripens(now.Add(left))
		default:
			m.attempts[j.ID] = m.begin(ctx, j, now)
		}
	}
	if len(m.unkept) > 0 {
		m.failing(ctx, m.keep(ctx, m.unkept))
	}
	m.publish()
}

// ripens notes when an attempt is old enough to be measured.
func (m *Meter) ripens(at time.Time) {
	if m.grown.IsZero() || at.Before(m.grown) {
		m.grown = at
	}
}

// begin takes up an attempt, with what an earlier daemon has stored of it.
func (m *Meter) begin(ctx context.Context, j *jobs.Job, now time.Time) *attempt {
	a := &attempt{job: j, log: m.logs.of(j), tree: newTree(j), quiet: j.StartedAt}
	if t := m.o.Catalog().Types[j.Type]; t != nil {
		a.rule = t.Progress
	}
	if m.o.Detect != nil && !a.rule.Off {
		a.detector = m.o.Detect(a.rule, j.StartedAt)
	}
	r, err := m.o.Queue.Reading(ctx, j.ID, j.Attempt)
	switch {
	case err == nil:
		a.resume(r)
	case !errors.Is(err, jobs.ErrNotFound):
		m.failing(ctx, err) // it begins anew
	}
	m.read(a, now)
	m.progress(ctx, a, now)
	m.fresh = true
	return a
}

// resume goes on with what was stored of the attempt.
func (a *attempt) resume(r *jobs.Reading) {
	a.series.resume(r.Series)
	if r.OutputAt.After(a.quiet) {
		a.quiet = r.OutputAt
	}
	if a.usage = r.Usage; r.Usage != nil {
		a.tree.resume(*r.Usage, r.Series)
	}
	if r.Progress != nil {
		p := *r.Progress
		p.ETA, p.ETASource = nil, "" // whoever told it may have stopped telling since
		a.found = &p
	}
}

// finish takes a last look at what an attempt that has ended has left, and notes
// what is to be stored of it.
func (m *Meter) finish(ctx context.Context, a *attempt, now time.Time) {
	a.note = noteFile{} // read in any case
	a.log.find(ctx)
	m.read(a, now)
	m.detect(a, func(d Detector) { d.Write([]byte("\n"), now) }) // what stands there is whole
	m.progress(ctx, a, now)
	a.log.close()
	m.usual.forget(a.job.Type)
	m.unkept = append(m.unkept, jobs.Measured{ID: a.job.ID, Reading: a.reading()})
	if over := len(m.unkept) - mostUnkept; over > 0 {
		m.unkept = append(m.unkept[:0:0], m.unkept[over:]...)
	}
}

// look reads what the attempts have printed since the last look.
func (m *Meter) look(ctx context.Context, now time.Time) {
	m.looked = now
	for _, a := range m.attempts {
		m.read(a, now)
		m.progress(ctx, a, now)
	}
	m.publish()
}

// read reads on in an attempt's output and progress file.
func (m *Meter) read(a *attempt, now time.Time) {
	if a.detector == nil {
		a.log.read(nil, now)
	}
	m.detect(a, func(d Detector) {
		a.log.read(d, now)
		if content, at, ok := a.note.read(m.o.StateDir, a.job); ok {
			d.File(content, earlier(at, now))
		}
	})
	if a.log.grew.After(a.quiet) {
		a.quiet = earlier(a.log.grew, now)
	}
}

// progress finds out how far an attempt has come.
func (m *Meter) progress(ctx context.Context, a *attempt, now time.Time) {
	a.shown = nil
	if a.rule.Off {
		return
	}
	p := a.found
	m.detect(a, func(d Detector) {
		if found := d.Progress(now); found != nil {
			p = found
		}
	})
	a.shown = m.usual.complete(ctx, p, a.job, now)
}

// detect calls fn with the attempt's detector, if it has one. Should there be an
// output on which that panics, it is given up, and nothing else: the next daemon
// would read the same.
func (m *Meter) detect(a *attempt, fn func(Detector)) {
	if a.detector == nil {
		return
	}
	defer func() {
		if fault := recover(); fault != nil {
			a.detector = nil
			m.o.Log.Error().Str("job", a.job.ID).Interface("fault", fault).Bytes("stack", debug.Stack()).
				Msg("the progress of a job is not followed any more: a fault in jobrunner")
		}
	}()
	fn(a.detector)
}

// reading gives what is known of the attempt.
func (a *attempt) reading() *jobs.Reading {
	return &jobs.Reading{
		Attempt: a.job.Attempt, Progress: a.shown, Usage: a.usage, OutputAt: a.quiet, Series: a.series.points,
	}
}

// publish gives out what is known now.
func (m *Meter) publish() {
	all := make(map[string]*jobs.Reading, len(m.attempts))
	for id, a := range m.attempts {
		all[id] = a.reading()
	}
	m.shown.Store(&all)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
