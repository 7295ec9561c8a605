package meter

import (
	"context"
	"errors"
	"slices"
	"time"

	"jobrunner/jobs"
)

// mostUnkept bounds the readings of attempts that have ended which wait until
// they can be stored; the oldest go first.
const mostUnkept = 1000

// store stores what is known of all attempts, and takes a sample of the queue.
func (m *Meter) store(ctx context.Context, now time.Time) {
	m.kept, m.restless = now, time.Time{}
	list := slices.Clone(m.unkept)
	for id, a := range m.attempts {
		list = append(list, jobs.Measured{ID: id, Reading: a.reading()})
	}
	err := m.keep(ctx, list)
	busy, errSample := m.o.Queue.TakeSample(ctx, m.o.Catalog().MaxConcurrent)
	m.unsampled = busy || errSample != nil
	m.failing(ctx, errors.Join(err, errSample))
}

// keep stores readings, those in unkept among them.
func (m *Meter) keep(ctx context.Context, list []jobs.Measured) error {
	if len(list) == 0 {
		return nil
	}
	err := m.o.Queue.KeepReadings(ctx, list)
	if err == nil {
		m.unkept = nil
	}
	return err
}

// failing logs an error, the first of several; nil ends that. What failed is tried
// again, and no job is touched for it.
func (m *Meter) failing(ctx context.Context, err error) {
	if err != nil && !m.ill && ctx.Err() == nil {
		m.o.Log.Warn().Err(err).Msg("what is measured of jobs cannot be stored just now, trying again; jobs run on")
	}
	m.ill = err != nil
}
