package runner

import (
	"context"

	"jobrunner/jobs"
)

// turnBatch is how many ends share one commit.
const turnBatch = 128

// turn is the end of an attempt on its way into the queue, in one commit with
// the start of whatever takes its place.
type turn struct {
	jobs.Finish
	slot    *slot
	done    bool          // it is committed, and the slot is free; else the slot has to record the end itself
	changed bool          // it changed the job
	said    chan struct{} // closed when done and changed are set
}

// turn hands the end of the attempt to the scheduler and waits for what became
// of that. The scheduler answers each turn that it has received.
func (s *slot) turn(e jobs.Ending) *turn {
	t := &turn{
		Finish: jobs.Finish{ID: s.job.ID, Attempt: s.job.Attempt, Ending: e},
		slot:   s, said: make(chan struct{}),
	}
	if s.unnoted != nil {
		info := s.startInfo(*s.unnoted)
		t.Start = &info
	}
	select {
	case s.turns <- t:
		<-t.said
	case <-s.stop:
	}
	return t
}

// recordEnd records the end without the scheduler, which could not or has left;
// false if stop came first.
func (s *slot) recordEnd(ctx context.Context, t *turn) bool {
	if t.Start != nil && !s.recordStart(ctx, *s.unnoted) {
		return false
	}
	t.Start = nil
	return s.write(ctx, "end not recorded", func() (err error) {
		t.changed, err = s.queue.End(ctx, t.ID, t.Attempt, t.Ending)
		return err
	})
}

// gather takes in the ends that wait besides t.
func (s *scheduler) gather(t *turn) {
	s.turning = append(s.turning, t)
	for len(s.turning) < turnBatch {
		select {
		case t := <-s.turns:
			s.turning = append(s.turning, t)
		default:
			return
		}
	}
}

// turn commits the ends that have come in, and with them the starts of what
// there is room for then.
func (s *scheduler) turn(ctx context.Context) {
	if len(s.turning) == 0 {
		return
	}
	turning := s.turning
	s.turning = nil
	ends := make([]jobs.Finish, len(turning))
	for i, t := range turning {
		ends[i] = t.Finish
		delete(s.slots, keyOf(t.slot.job)) // it keeps no place from others
	}
	changed, begun, err := s.queue.Turn(ctx, ends, s.choose)
	if err != nil {
		for _, t := range turning {
			s.slots[keyOf(t.slot.job)] = t.slot
			close(t.said)
		}
		s.doubt(ctx, err, "ends and starts not recorded")
		return
	}
	jobs.Step("end: committed")
	for i, t := range turning {
		t.done, t.changed = true, changed[i]
		s.free(freed{slot: t.slot, ending: &t.Ending, left: t.slot.survivors})
		close(t.said)
	}
	s.launch(begun)
}

// choose says which jobs take the places that are free; see admit. It runs in a
// transaction, while the scheduler waits for that, and so changes nothing.
func (s *scheduler) choose(next jobs.NextFunc) ([]jobs.Start, error) {
	if s.link == nil || !s.mayStart() {
		return nil, nil
	}
	starts, _, err := s.admit(next)
	for i := range starts {
		starts[i].Instance = s.link.Instance()
	}
	return starts, err
}

// refuse leaves the ends that have come in to their slots.
func (s *scheduler) refuse() {
	for _, t := range s.turning {
		close(t.said)
	}
	s.turning = nil
}
