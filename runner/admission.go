package runner

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// fill starts the next jobs while there is room. A job is RUNNING in the queue,
// with the supervisor that is going to be asked, before that is asked.
func (s *scheduler) fill(ctx context.Context) {
	for ctx.Err() == nil && s.mayStart() {
		starts, strays, err := s.admit(func(room map[string]int, limit int) ([]*jobs.Job, error) {
			return s.queue.Next(ctx, room, limit)
		})
		if err != nil {
			s.hold(ctx, err, "pending jobs not read")
			return
		}
		for _, job := range strays {
			s.takeStray(ctx, job, s.strays[keyOf(job)])
		}
		if len(starts) == 0 {
			s.backoff = 0
			return
		}
		if s.link == nil {
			if err := s.reach(ctx); err != nil {
				s.hindered.met(&hinderedError{err.Error()})
				s.hold(ctx, err, "no supervisor")
				return
			}
			continue // what it runs counts
		}
		begun, err := s.begin(ctx, starts)
		if err != nil {
			s.doubt(ctx, err, "starts not recorded")
			return
		}
		s.backoff = 0
		if len(begun) < len(starts) {
			s.dirty = true // something was paused, cancelled or held meanwhile
		}
		if len(begun) == 0 || len(begun) == len(starts) && len(starts) < startBatch {
			return
		}
	}
}

// mayStart reports whether anything may be begun at present.
func (s *scheduler) mayStart() bool {
	return !s.ending && !s.doubtful && s.unsettled() == 0 && !time.Now().Before(s.startAt)
}

// begin commits that the jobs run and has them started. It returns those that
// still waited.
func (s *scheduler) begin(ctx context.Context, starts []jobs.Start) ([]*jobs.Job, error) {
	for i := range starts {
		starts[i].Instance = s.link.Instance()
	}
	begun, err := s.queue.Begin(ctx, starts)
	s.launch(begun)
	return begun, err
}

// launch has jobs started whose start is committed.
func (s *scheduler) launch(begun []*jobs.Job) {
	if len(begun) == 0 {
		return
	}
	jobs.Step("start: RUNNING committed")
	for _, job := range begun {
		sl := s.take(job)
		sl.settled = true
		send(sl.verdicts, verdict{kind: verdictStart, executor: s.link})
	}
}

// admit says which jobs are to be started now, and with which tokens: the first
// ones in the order of priority and acceptance for which there is room. One that
// lacks tokens is left out and holds up nothing but those that need the same.
// strays are those among them that in truth run already. It changes nothing.
func (s *scheduler) admit(next jobs.NextFunc) (starts []jobs.Start, strays []*jobs.Job, err error) {
	c := s.o.Catalog()
	room, most := s.room(c)
	if most == 0 {
		return nil, nil, nil
	}
	table := s.tokens(c)
	narrow(room, c, table)
	all := 0
	for _, n := range room {
		all += n
	}
	found, err := next(room, all)
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 && len(s.slots) == 0 {
		s.hindered.met(nil) // nobody is left whom it keeps from starting
	}
	for _, job := range found {
		if len(starts) == most {
			break
		}
		if s.slots[keyOf(job)] != nil {
			continue // it was given back a moment ago and still has its slot
		}
		if _, ok := s.strays[keyOf(job)]; ok {
			strays = append(strays, job)
			continue
		}
		tokens, _, ok := table.Take(job.ID, c.Types[job.Type].Slots)
		if ok {
			starts = append(starts, jobs.Start{ID: job.ID, Attempt: job.Attempt, Slots: tokens})
		}
	}
	return starts, strays, nil
}

// room is how many jobs of each type may be started now, and how many at most.
// Types without room are left out.
func (s *scheduler) room(c *jobs.Catalog) (room map[string]int, most int) {
	most = min(c.MaxConcurrent-len(s.slots)-len(s.strays), startBatch)
	if s.hindered.words() != "" {
		most = min(most, 1) // one is enough to find out whether they can be started
	}
	if most <= 0 || s.brakes.All || s.brakes.Draining {
		return nil, 0
	}
	taken := map[string]int{}
	for _, sl := range s.slots {
		taken[sl.job.Type]++
	}
	room = map[string]int{}
	for name, typ := range c.Types {
		n := most
		if typ.MaxConcurrent > 0 {
			n = min(n, typ.MaxConcurrent-taken[name])
		}
		if n > 0 && !s.brakes.Types[name] && !s.outdated(typ) {
			room[name] = n
		}
	}
	if len(room) == 0 {
		return nil, 0
	}
	return room, most
}

// tokens is who holds which tokens: every attempt that may be running, whatever
// is configured now.
func (s *scheduler) tokens(c *jobs.Catalog) *jobs.SlotTable {
	t := jobs.NewSlotTable(c.Slots)
	for _, sl := range s.slots {
		t.Hold(sl.job.Slots)
	}
	for _, st := range s.strays {
		t.Hold(st.Slots)
	}
	return t
}

// narrow lowers room to what the tokens allow, so that of a thousand jobs that
// wait for a token no more are read than matter.
func narrow(room map[string]int, c *jobs.Catalog, table *jobs.SlotTable) {
	for name, n := range room {
		need := c.Types[name].Slots
		lacks := table.Lacks("", need)
		switch {
		case len(lacks) > 0 && idle(lacks):
			delete(room, name)
		case len(lacks) > 0:
			room[name] = 1 // it keeps tokens from others if it comes before them
		default:
			room[name] = min(n, seats(need, c.Slots))
		}
	}
}

// idle reports whether a job that lacks tokens keeps none from others: there
// are none, or it could never have enough.
func idle(lacks []jobs.SlotLack) bool {
	some := false
	for _, lack := range lacks {
		if lack.Need > lack.All {
			return true
		}
		some = some || lack.Taken < lack.All
	}
	return !some
}

// seats is how many jobs that need these tokens can ever run at once.
func seats(need map[string]int, pools map[string]jobs.SlotPool) int {
	most := startBatch
	for name, n := range need {
		if n > 0 {
			most = min(most, len(pools[name].Tokens)*max(pools[name].PerSlot, 1)/n)
		}
	}
	return most
}
