package jobs_test

import (
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
)

// Whenever they begin to wait, all wait for the same moments.
func TestBeatsAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 2 * time.Second
		first := time.Now().Add(jobs.UntilBeat(d))
		for range 50 {
			wait := jobs.UntilBeat(d)
			if wait <= 0 || wait > d {
				t.Fatalf("the next beat is in %v, want within %v", wait, d)
			}
			if off := time.Now().Add(wait).Sub(first) % d; off != 0 {
				t.Errorf("a beat is off by %v", off)
			}
			if off := time.Now().Add(jobs.UntilBeat(2*d)).Sub(first) % d; off != 0 {
				t.Errorf("a longer one is off by %v", off)
			}
			time.Sleep(137 * time.Millisecond)
		}
		time.Sleep(jobs.UntilBeat(d))
		if wait := jobs.UntilBeat(d); wait != d {
			t.Errorf("from a beat it is %v to the next one, want %v", wait, d)
		}
	})
}
