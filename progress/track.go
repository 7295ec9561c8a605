package progress

import (
	"time"

	"jobrunner/jobs"
)

// track is what one source has told, over time.
type track struct {
	reading
	seen      bool
	startedAt time.Time // of the attempt; zero if it is not known, or the track is not the first thing the attempt does
	leftAt    time.Time // when reading.left was told
	changedAt time.Time // when text or fraction were last seen to change
	rate      rate
}

// update takes what was read at the time at.
func (t *track) update(r reading, at time.Time) {
	if r.fraction < 0 {
		r.fraction = t.known()
	}
	back := t.seen && at.Before(t.changedAt) // the clock was set back
	if !t.seen || back || r.text != t.text || r.fraction != t.fraction {
		t.changedAt = at
	}
	if back || t.fall(r.fraction) {
		t.startedAt = time.Time{}
		t.rate = rate{}
		t.left = none
	}
	if r.left >= 0 {
		t.leftAt = at
	} else if t.seen {
		r.left = t.left
	}
	if r.fraction >= 0 {
		t.rate.add(r.fraction, at)
	}
	t.reading = r
	t.seen = true
}

// known is the fraction that was told last, or none.
func (t *track) known() float64 {
	if !t.seen {
		return none
	}
	return t.fraction
}

// newPhase is how far a fraction falls when something new begins. Smaller falls
// come from totals that grow while they are counted.
const newPhase = 0.05

func (t *track) fall(fraction float64) bool {
	return t.seen && fraction >= 0 && fraction < t.fraction-newPhase
}

func (t *track) forget() {
	*t = track{}
}

func (t *track) progress(now time.Time) *jobs.Progress {
	p := &jobs.Progress{Text: t.text, Source: t.source, At: t.changedAt}
	if t.fraction >= 0 {
		percent := t.fraction * 100
		p.Percent = &percent
	}
	if left, source := t.eta(now); left >= 0 {
		p.ETA, p.ETASource = &left, source
	}
	return p
}

// freshness is how long a tool's own word on the time left counts.
const freshness = 30 * time.Second

// eta gives the time that is left from now on and what told it; none if it
// cannot be said.
func (t *track) eta(now time.Time) (time.Duration, string) {
	if t.fraction >= 1 {
		return none, ""
	}
	if age := now.Sub(t.leftAt); t.left >= 0 && age.Abs() < freshness {
		return max(t.left-max(age, 0), 0), t.source
	}
	if t.fraction < 0 {
		return none, ""
	}
	return t.rate.left(t.startedAt, now), jobs.ETARate
}
