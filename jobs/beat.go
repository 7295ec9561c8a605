package jobs

import "time"

// began is when the program did.
var began = time.Now()

// UntilBeat is how long it is until the next beat of those that are d apart, of
// which one was when the program began: more than nothing, and d at the most. Who
// has to look at something every d, and not at times of its own, waits for beats:
// a program at rest then wakes once for all of them.
func UntilBeat(d time.Duration) time.Duration {
	if d <= 0 {
		return d
	}
	passed := time.Since(began) % d
	if passed < 0 { // the clock of a test may be behind
		passed += d
	}
	return d - passed
}
