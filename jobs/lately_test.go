package jobs_test

import (
	"testing"
	"time"

	"jobrunner/jobs"
)

// What ended last comes first, in whatever order it was accepted, and however
// many jobs came out well since.
func TestLastEnded(t *testing.T) {
	q, _ := openQueue(t)
	slow := pendingJob()
	slow.Name = "slow"
	slow = begin(t, q, slow) // is accepted first and ends last
	history := func(name string, state jobs.State, ago time.Duration) {
		j := pendingJob()
		j.Name, j.State, j.SubmittedAt = name, state, time.Now().Add(-ago)
		accept(t, q, j)
	}
	history("early", jobs.Timeout, 8*time.Hour)
	history("good", jobs.Completed, 2*time.Hour)
	history("refused", jobs.Rejected, 3*time.Hour)
	accept(t, q, pendingJob())
	mustChange(t)(q.End(bg, slow.ID, 1, jobs.Ending{State: jobs.Failed, Reason: "exit 1"}))
	check := func(what, want string, states []jobs.State, limit int) {
		t.Helper()
		found, err := q.LastEnded(bg, states, limit)
		if got := names(found); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", what, got, err, want)
		}
	}
	check("all", "slow good refused early", nil, 0)
	check("two", "slow good", nil, 2)
	check("those to look at", "slow refused early", jobs.NeedEyes, 0)
	check("one of them", "slow", jobs.NeedEyes, 1)
	check("none", "", []jobs.State{jobs.Lost}, 0)
	for range 600 {
		history("crowd", jobs.Completed, -time.Hour)
	}
	check("behind a crowd", "slow refused early", jobs.NeedEyes, 0)
}
