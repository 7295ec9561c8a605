package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options is what a Clock needs. All of it but Log must be set.
type Options struct {
	StateDir string               // absolute; keeps scripts as they were
	Queue    *jobs.Queue          // open for writing
	Catalog  func() *jobs.Catalog // the types and schedules in force; never nil
	Log      zerolog.Logger       // the zero value logs nothing
}

// Clock makes the jobs of schedules when their times come.
type Clock struct {
	o      Options
	reload chan struct{}
}

// New returns a Clock that does nothing until Run.
func New(o Options) *Clock { return &Clock{o: o, reload: make(chan struct{}, 1)} }

// Reload says that Options.Catalog gives something new.
func (c *Clock) Reload() {
	select {
	case c.reload <- struct{}{}:
	default:
	}
}

const (
	// longestWait is how long a step of the clock, or the end of a suspend, may
	// go unnoticed: timers know of neither.
	longestWait = 30 * time.Second
	firstRetry  = time.Second
)

// Run makes jobs until ctx ends, and then returns nil. What cannot be written
// is logged and tried again.
func (c *Clock) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	said, retry := "", firstRetry
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.reload:
		case <-timer.C:
		}
		wait, err := c.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			said, retry = "", firstRetry
		default:
			if err.Error() != said {
				c.o.Log.Error().Err(err).Msg("schedules cannot be kept, trying again")
			}
			said = err.Error()
			wait = min(wait, retry)
			retry = min(2*retry, longestWait)
		}
		timer.Reset(wait)
	}
}

// turn deals with every time that has come and says when to look again. An
// error of one schedule does not keep the others.
func (c *Clock) turn(ctx context.Context) (wait time.Duration, err error) {
	list, err := c.o.Queue.Schedules(ctx)
	if err != nil {
		return longestWait, err
	}
	states := make(map[string]jobs.ScheduleState, len(list))
	for _, s := range list {
		states[s.Name] = s
	}
	wait = longestWait
	catalog := c.o.Catalog()
	var errs []error
	for _, s := range catalog.Schedules {
		h := &hand{Clock: c, catalog: catalog, s: s, state: states[s.Name]}
		delete(states, s.Name)
		if err := h.move(ctx, time.Now()); err != nil {
			errs = append(errs, fmt.Errorf("schedule %s: %w", s.Name, err))
			continue
		}
		if next := h.state.NextAt; !next.IsZero() {
			wait = max(0, min(wait, time.Until(next)))
		}
	}
	for name := range states {
		errs = append(errs, c.forget(ctx, name))
	}
	return wait, errors.Join(errs...)
}

// forget is for a schedule that is not configured any more.
func (c *Clock) forget(ctx context.Context, name string) error {
	err := c.o.Queue.DropSchedule(ctx, name)
	if err == nil {
		c.o.Log.Info().Str("schedule", name).Msg("schedule removed")
	}
	return err
}
