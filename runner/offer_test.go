package runner

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/jobs"
)

// A job that comes in while nothing runs is accepted and begun by one commit.
func TestStartByOneCommit(t *testing.T) {
	t.Cleanup(func() { jobs.OnStep = nil })
	var commits, atStart atomic.Int32
	jobs.OnStep = func(name string) {
		switch name {
		case "database: committed":
			commits.Add(1)
		case "start: RUNNING committed":
			atStart.Store(commits.Load())
		}
	}
	w := newWorld(t, 1)
	w.serve()
	for range 50 {
		before := commits.Load()
		id := w.add("exit", "0")
		w.awaitEnd(id)
		if atStart.Load() == before+1 {
			return
		}
		time.Sleep(2 * lookPause) // the first has no supervisor; the scheduler may be at work for others
	}
	t.Error("each start took a commit of its own")
}

// While a place is given away nobody else gets it; and where that failed nothing is
// begun before it is known what became of it.
func TestFailedOffer(t *testing.T) {
	w := newWorld(t, 1)
	w.add("exit", "0")
	ctx := context.Background()
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	o := s.offer()
	next := func(room map[string]int, limit int) ([]*jobs.Job, error) { return w.queue.Next(ctx, room, limit) }
	if len(o.Choose(next)) > 0 {
		t.Error("a place was given away while the scheduler was at work")
	}
	s.idle.Unlock() // as if it waited
	if n := len(o.Choose(next)); n != 1 {
		t.Fatalf("%d places were given away, want 1", n)
	}
	if len(o.Choose(next)) > 0 {
		t.Error("the place was given away twice")
	}
	o.Begun(nil, errors.New("disk on fire"))
	if len(o.Choose(next)) > 0 {
		t.Error("a place was given away before the scheduler knew of the one before")
	}
	s.idle.Lock()
	s.takeGiven()
	s.fill(ctx)
	if !s.doubtful || len(s.slots) > 0 {
		t.Errorf("doubtful %v, with %d slots", s.doubtful, len(s.slots))
	}
}
