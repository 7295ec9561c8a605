package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobrunner/jobs"
)

const (
	// leeway is by how much a time may be late and is still kept.
	leeway = time.Minute
	// mostMissed bounds the runs that are made up for at once.
	mostMissed = 1000
	// wrongClock is how far a clock must have been set back for the times that
	// were dealt with under the wrong one to be dealt with again.
	wrongClock = time.Hour
)

// errMoved says that the schedule does not stand where it was seen.
var errMoved = errors.New("somebody else moved it")

// hand is one schedule in one turn of the clock.
type hand struct {
	*Clock
	catalog *jobs.Catalog
	s       jobs.Schedule
	state   jobs.ScheduleState // as it is stored
}

// move deals with all times of the schedule up to now.
func (h *hand) move(ctx context.Context, now time.Time) error {
	if err := h.settle(ctx, now); err != nil {
		return err
	}
	missed := now.Add(-leeway)
	if err := h.leaveOut(ctx, missed); err != nil {
		return err
	}
	for h.due(now) && ctx.Err() == nil {
		// Of what was missed, all means all: the runs would only wait for each
		// other.
		madeUp := h.s.CatchUp == jobs.CatchUpAll && h.state.NextAt.Before(missed)
		if err := h.strike(ctx, madeUp); err != nil {
			return err
		}
	}
	return nil
}

// due reports whether the next time has come.
func (h *hand) due(now time.Time) bool {
	return !h.state.NextAt.IsZero() && !h.state.NextAt.After(now)
}

// settle begins anew where the schedule is new or another than before, or where
// the clock was wrong.
func (h *hand) settle(ctx context.Context, now time.Time) error {
	now = now.Truncate(time.Millisecond)
	spec, next := specOf(h.s), h.s.Next(now)
	switch ahead := h.state.NextAt.Sub(next); {
	case h.state.Spec != spec:
	case h.state.NextAt.IsZero() || next.IsZero() || ahead <= wrongClock:
		return nil
	default:
		// Times that were dealt with come again. Their jobs have the same ids,
		// so none runs twice.
		if h.s.Every > 0 {
			next = next.Add(ahead % h.s.Every)
			if next.Sub(now) > h.s.Every {
				next = next.Add(-h.s.Every)
			}
		}
		h.o.Log.Warn().Str("schedule", h.s.Name).Time("was", h.state.NextAt.UTC()).Time("next", next.UTC()).
			Msg("the clock was set back, the schedule begins anew")
	}
	state := h.state
	state.Name, state.Spec, state.NextAt = h.s.Name, spec, next
	if err := h.o.Queue.PutSchedule(ctx, state); err != nil {
		return err
	}
	if h.state.Spec != spec {
		h.o.Log.Info().Str("schedule", h.s.Name).Time("next", next.UTC()).Msg("schedule begins")
	}
	h.state = state
	return nil
}

// specOf is what a schedule's times are made of.
func specOf(s jobs.Schedule) string {
	if s.Every > 0 {
		return "every " + s.Every.String()
	}
	return fmt.Sprintf("cron %s in %s", s.Cron, s.ZoneName())
}

// strike deals with the time at which the schedule stands. A time that is made
// up for is run beside the run before.
func (h *hand) strike(ctx context.Context, madeUp bool) error {
	next := h.s.Next(h.state.NextAt)
	if h.s.Overlap != jobs.OverlapQueue && !madeUp {
		before, err := h.unfinished(ctx)
		if err != nil {
			return err
		}
		if before != nil {
			h.o.Log.Info().Str("schedule", h.s.Name).Time("due", h.state.NextAt.UTC()).Str("job", before.ID).
				Msg("time left out, the run before has not ended")
			return h.skip(ctx, next, fmt.Sprintf("left out: %s of the run before is %s", before.ID[:8], before.State))
		}
	}
	return h.drop(ctx, next)
}

// unfinished gives a job of the run before that has not ended, nil if there is
// none.
func (h *hand) unfinished(ctx context.Context) (*jobs.Job, error) {
	for _, id := range h.state.Jobs {
		j, err := h.o.Queue.Job(ctx, id)
		if errors.Is(err, jobs.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !j.State.Ended() {
			return j, nil
		}
	}
	return nil, nil
}

// skip goes on to next without a job.
func (h *hand) skip(ctx context.Context, next time.Time, why string) error {
	_, err := h.accept(ctx, next, why, nil)
	return err
}
