package runner

import (
	"context"
	"testing"

	"jobrunner/jobs"
)

// A commit may have worked although its answer is an error: what a turn has begun
// then takes its place before anything else is begun.
func TestFailedTurnWasCommitted(t *testing.T) {
	w := newWorld(t, 1)
	over, begun, next := w.add("exit", "0"), w.add("exit", "0"), w.add("exit", "0")
	ctx := context.Background()
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	w.begin(s.link, over)
	sl := s.take(w.job(over))
	sl.settled = true
	ending := jobs.Ending{State: jobs.Completed, Reason: "exit 0"}
	if ok, err := w.queue.End(ctx, over, 1, ending); !ok || err != nil {
		t.Fatal(ok, err)
	}
	w.begin(s.link, begun)
	failing := jobs.Finish{ID: over, Attempt: 1} // without a state it is refused
	s.turning = []*turn{{Finish: failing, slot: sl, said: make(chan struct{})}}
	s.turn(ctx)
	s.free(freed{slot: sl, ending: &ending}) // the slot has found its end recorded
	s.fill(ctx)
	if job := w.job(next); job.State != jobs.Pending {
		t.Errorf("the job is %s beside one that was begun, under a limit of 1", job.State)
	}
}
