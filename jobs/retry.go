package jobs

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// longestDelay bounds what doubling makes of a RetryDelay that is shorter.
const longestDelay = time.Hour

// RetryAfter says how long to wait before the next attempt of a job whose
// attempt ended as e says; false if there is none. The wait doubles with each
// attempt and is made up to a tenth longer by chance, so that jobs that failed
// together do not come back together.
func (t *Type) RetryAfter(j *Job, e Ending) (time.Duration, bool) {
	if j.Retried >= j.Retries || j.EndReason == EndCancel || !t.RetryOn.include(e) {
		return 0, false
	}
	most := max(longestDelay, t.RetryDelay)
	delay := t.RetryDelay
	for n := 0; n < j.Retried && delay < most; n++ {
		delay *= 2
	}
	delay = min(delay, most)
	return delay + time.Duration(rand.Float64()*float64(delay)/10), true
}

// include reports whether an attempt that ended so is tried again. A job that
// could not be started has neither an exit status nor a signal.
func (r RetryRules) include(e Ending) bool {
	switch e.State {
	case Timeout:
		return r.Timeout
	case Lost:
		return r.Lost
	case Failed:
	default:
		return false
	}
	if e.ExitCode == nil && e.Signal == "" || strings.HasPrefix(e.Reason, "start: ") {
		return false
	}
	if r.unset() || r.Failed {
		return true
	}
	return e.ExitCode != nil && slices.Contains(r.Codes, *e.ExitCode) || e.Signal != "" && slices.Contains(r.Signals, e.Signal)
}

// unset reports whether nothing is said: then what failed is tried again.
func (r RetryRules) unset() bool {
	return !r.Failed && len(r.Codes) == 0 && len(r.Signals) == 0 && !r.Timeout && !r.Lost
}
