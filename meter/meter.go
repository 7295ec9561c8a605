package meter

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options is what a Meter needs. StateDir, Queue and Catalog must be set.
type Options struct {
	StateDir string               // absolute; the logs are in it
	Queue    *jobs.Queue          // open for writing
	Catalog  func() *jobs.Catalog // the one in force; never nil

	// Detect gives what finds the progress of an attempt that began at startedAt.
	// nil means that it is not looked for in what jobs print.
	Detect func(rule jobs.ProgressRule, startedAt time.Time) Detector

	Log zerolog.Logger // the zero value logs nothing
}

// Detector finds in what an attempt prints how far it has come. It is used by
// one goroutine at a time.
type Detector interface {
	// Write takes the next piece of the output, written at about that time.
	Write(p []byte, at time.Time)
	// Skip says that what comes next in the output is left out.
	Skip()
	// File takes what the attempt's progress file holds.
	File(content []byte, at time.Time)
	// Progress gives what has been found; nil if nothing.
	Progress(now time.Time) *jobs.Progress
}

// pace is how often what is done. While nobody asks for readings, logs and
// processes are looked at less often.
type pace struct {
	young   time.Duration // an attempt that has run for less is let be
	refresh time.Duration // least time between two questions to the queue what runs
	look    time.Duration // between two looks at the logs
	seldom  time.Duration // the same while nobody asks
	pass    time.Duration // between two passes through the processes
	rare    time.Duration // the same while nobody asks
	asking  time.Duration // after the last question somebody still asks
	keep    time.Duration // between two times that readings and samples are stored
	soon    time.Duration // from the first change after a rest to the sample
}

var usualPace = pace{
	young: 1500 * time.Millisecond, refresh: 500 * time.Millisecond,
	look: 500 * time.Millisecond, seldom: 2 * time.Second, pass: 2 * time.Second, rare: 5 * time.Second,
	asking: 10 * time.Second, keep: time.Minute, soon: 2 * time.Second,
}

// Meter measures the jobs that run. All fields but shown, asked and wake are
// touched only by the goroutine of Run.
type Meter struct {
	o    Options
	pace pace

	shown atomic.Pointer[map[string]*jobs.Reading]
	asked atomic.Pointer[time.Time] // when readings were last asked for
	wake  chan struct{}             // gets a token when that is the first time for a while

	attempts map[string]*attempt // those that are measured, by the job's id
	logs     *logs
	table    *table
	usual    usual
	unkept   []jobs.Measured // of attempts that have ended and could not be stored yet
	ill      bool            // that something cannot be stored is logged

	changed   bool      // the queue has changed since it was asked
	unsampled bool      // it may have changed since the last sample, or jobs wait or run
	fresh     bool      // an attempt is new since the last pass
	grown     time.Time // when the youngest attempt is old enough; zero if none is too young

	refreshed, looked, passed, kept time.Time // when each was last done
	restless                        time.Time // when the first change after the last sample came
}

// New returns a Meter that does nothing until Run.
func New(o Options) *Meter {
	m := &Meter{
		o: o, pace: usualPace, wake: make(chan struct{}, 1), attempts: map[string]*attempt{},
		logs: newLogs(o.StateDir, o.Queue), table: newTable(), usual: usual{queue: o.Queue},
	}
	m.shown.Store(&map[string]*jobs.Reading{})
	m.asked.Store(&time.Time{})
	return m
}

// Readings gives what is known of the jobs that run, by their id. It may be
// called from any goroutine and costs next to nothing; neither the map nor what
// is in it may be changed. While it is called again and again the jobs are looked at
// more often.
func (m *Meter) Readings() map[string]*jobs.Reading {
	now := time.Now()
	if before := m.asked.Swap(&now); now.Sub(*before) > m.pace.asking {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
	return *m.shown.Load()
}

// watched reports whether somebody asks for readings.
func (m *Meter) watched(now time.Time) bool { return now.Sub(*m.asked.Load()) <= m.pace.asking }

// Run measures until ctx ends, and stores what it knows before it returns nil: of
// jobs that ended while it ran, all that they have printed.
func (m *Meter) Run(ctx context.Context) error {
	changed, unsubscribe := m.o.Queue.Changed()
	defer unsubscribe()
	defer m.logs.close()
	m.changed, m.unsampled = true, true
	m.restless = time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			m.end(context.WithoutCancel(ctx), time.Now())
			return nil
		case <-changed:
			m.noteChange(time.Now())
		case <-m.wake:
		case <-timer.C:
			m.turn(ctx, time.Now())
		}
		if at := m.next(time.Now()); at.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(at))
		}
	}
}

// end stores what is known, also of attempts that have ended a moment ago.
func (m *Meter) end(ctx context.Context, now time.Time) {
	m.refresh(ctx, now)
	m.store(ctx, now)
}

func (m *Meter) noteChange(now time.Time) {
	m.changed = true
	if !m.unsampled {
		m.unsampled, m.restless = true, now
	}
}

// turn does what is due.
func (m *Meter) turn(ctx context.Context, now time.Time) {
	if due(m.refreshAt(), now) {
		m.refresh(ctx, now)
	}
	if due(m.passAt(now), now) {
		m.pass(now)
	}
	if due(m.lookAt(now), now) {
		m.look(ctx, now)
	}
	if due(m.keepAt(), now) {
		m.store(ctx, now)
	}
}

// due reports whether something is to be done that is planned for a time; zero
// means that it is not planned.
func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// next is when the next thing is due; zero if nothing is before the queue
// changes.
func (m *Meter) next(now time.Time) (first time.Time) {
	for _, at := range []time.Time{m.refreshAt(), m.passAt(now), m.lookAt(now), m.keepAt()} {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

func (m *Meter) refreshAt() time.Time {
	earliest := m.refreshed.Add(m.pace.refresh)
	switch {
	case m.changed:
		return earliest
	case !m.grown.IsZero() && m.grown.After(earliest):
		return m.grown
	case !m.grown.IsZero():
		return earliest
	}
	return time.Time{}
}

func (m *Meter) lookAt(now time.Time) time.Time {
	return m.every(m.looked, m.pace.look, m.pace.seldom, now)
}

func (m *Meter) passAt(now time.Time) time.Time {
	if m.fresh {
		return m.passed.Add(m.pace.pass)
	}
	return m.every(m.passed, m.pace.pass, m.pace.rare, now)
}

// every is when to do again what was last done at a time, while there are
// attempts to measure.
func (m *Meter) every(last time.Time, often, seldom time.Duration, now time.Time) time.Time {
	switch {
	case len(m.attempts) == 0:
		return time.Time{}
	case m.watched(now):
		return last.Add(often)
	}
	return last.Add(seldom)
}

func (m *Meter) keepAt() time.Time {
	if !m.unsampled && len(m.attempts) == 0 && len(m.unkept) == 0 {
		return time.Time{}
	}
	at := m.kept.Add(m.pace.keep)
	if first := m.restless.Add(m.pace.soon); first.After(at) {
		return first
	}
	return at
}
