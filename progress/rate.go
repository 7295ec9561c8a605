package progress

import "time"

// The time left is counted from how fast the fraction grew lately. A rate is
// believed once a hundredth was done in half a minute; or sooner, for short
// jobs, once a twentieth was, in three steps that took two seconds.
const (
	window      = 10 * time.Minute // what lately means
	soonGrowth  = 0.05
	soonTime    = 2 * time.Second
	soonSteps   = 3
	firstGrowth = 0.01
	firstTime   = 30 * time.Second
	maxGaps     = 5                // a fraction that has not grown for so many of its usual gaps tells nothing more
	minSilence  = 30 * time.Second // but this long it is believed in any case
	maxSamples  = 64
)

// rate keeps samples of a fraction that grows.
type rate struct {
	samples []sample      // oldest first; thinned out as there are more
	gap     time.Duration // usual time between two of them
	steps   int           // how many there were
}

type sample struct {
	at       time.Time
	fraction float64
}

// add takes a sample. What is told at one time is one sample, the last one.
func (r *rate) add(fraction float64, at time.Time) {
	if n := len(r.samples); n > 0 {
		last := &r.samples[n-1]
		switch {
		case last.fraction == fraction:
			return
		case !at.After(last.at):
			last.fraction = fraction
			return
		}
		r.space(at.Sub(last.at))
		r.thin(at)
	}
	r.steps++
	r.samples = append(r.samples, sample{at, fraction})
}

// space learns the usual gap: from a longer one soon, from shorter ones slowly,
// so that output that comes in bursts is not taken for one that has stopped.
func (r *rate) space(gap time.Duration) {
	switch {
	case r.gap == 0:
		r.gap = gap
	case gap > r.gap:
		r.gap = (r.gap + gap) / 2
	default:
		r.gap = (9*r.gap + gap) / 10
	}
}

// thin makes room for one more: samples before the window go but the last one
// of them, and of too many every second.
func (r *rate) thin(now time.Time) {
	old := 0
	for old+1 < len(r.samples) && now.Sub(r.samples[old+1].at) >= window {
		old++
	}
	r.samples = r.samples[old:]
	if len(r.samples) < maxSamples {
		return
	}
	half := r.samples[:0]
	for i := 0; i < len(r.samples); i += 2 {
		half = append(half, r.samples[i])
	}
	r.samples = half
}

// left gives the time left from now on; none if it cannot be said. startedAt is
// when the fraction was 0, which serves as a sample while there is but one; it
// may be zero.
func (r *rate) left(startedAt, now time.Time) time.Duration {
	if len(r.samples) == 0 {
		return none
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	silence := max(maxGaps*r.gap, minSilence)
	steps := r.steps
	if len(r.samples) == 1 {
		if startedAt.IsZero() {
			return none
		}
		first = sample{at: startedAt}
		silence = max(last.at.Sub(startedAt), minSilence)
		steps = soonSteps
	}
	grown, took := last.fraction-first.fraction, last.at.Sub(first.at)
	believed := grown >= firstGrowth && took >= firstTime || grown >= soonGrowth && took >= soonTime && steps >= soonSteps
	if !believed || now.Sub(last.at).Abs() > silence { // the clock may have been set back
		return none
	}
	whole := float64(took) / grown
	left := time.Duration(min(whole*(1-last.fraction), float64(maxLeft))).Round(time.Millisecond)
	return max(left-max(now.Sub(last.at), 0), 0)
}
