package schedule

import (
	"context"
	"fmt"
	"math"
	"time"

	"jobrunner/jobs"
)

// mostCounted bounds how many missed times are looked at one by one: a clock
// that began in 1970 has missed millions.
const mostCounted = 50_000

// gap is what of the missed times is left out.
type gap struct {
	times int       // how many
	more  bool      // or more than that
	next  time.Time // the first time after them
}

// leaveOut passes over the missed times that are not made up for.
func (h *hand) leaveOut(ctx context.Context, missed time.Time) error {
	keep := 0
	switch h.s.CatchUp {
	case jobs.CatchUpOne:
		keep = 1
	case jobs.CatchUpAll:
		keep = mostMissed
	}
	g := h.gap(missed, keep)
	if g.times <= 0 {
		return nil
	}
	h.o.Log.Warn().Str("schedule", h.s.Name).Int("times", g.times).Str("catch_up", string(h.s.CatchUp)).
		Msg("times were missed and are left out")
	return h.skip(ctx, g.next, g.words(h.s.CatchUp))
}

// gap finds the missed times but for the latest ones, so many of which are kept.
func (h *hand) gap(missed time.Time, keep int) gap {
	first := h.state.NextAt
	if first.IsZero() || !first.Before(missed) {
		return gap{}
	}
	if h.s.Every > 0 {
		count := int((missed.Sub(first)-1)/h.s.Every) + 1
		left := max(0, count-keep)
		return gap{times: left, next: first.Add(time.Duration(left) * h.s.Every)}
	}
	times, after, all := h.times(first, missed, mostCounted+keep)
	if !all {
		return gap{mostCounted, true, h.latest(missed, keep)}
	}
	left := max(0, len(times)-keep)
	return gap{times: left, next: append(times, after)[left]}
}

// times lists the times from first on that are missed, and the one after them,
// zero if there is none. It reports false if there are more than most.
func (h *hand) times(first, missed time.Time, most int) (times []time.Time, after time.Time, all bool) {
	at := first
	for ; !at.IsZero() && at.Before(missed); at = h.s.Next(at) {
		if len(times) == most {
			return times, at, false
		}
		times = append(times, at)
	}
	return times, at, true
}

// latest gives the first of so many times before missed, of which there are
// more than that; the one after them if it is none.
func (h *hand) latest(missed time.Time, keep int) time.Time {
	for back := time.Hour; ; back *= 2 {
		times, after, _ := h.times(h.s.Next(missed.Add(-back)), missed, math.MaxInt)
		switch n := len(times); {
		case keep == 0:
			return after
		case n >= keep:
			return times[n-keep]
		}
	}
}

func (g gap) words(c jobs.CatchUp) string {
	words := fmt.Sprintf("%d missed times are left out", g.times)
	switch {
	case g.more:
		words = "more than " + words
	case g.times == 1:
		words = "1 missed time is left out"
	}
	return fmt.Sprintf("%s (catch_up: %s)", words, c)
}
