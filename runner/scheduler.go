package runner

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

const (
	tick       = 2 * time.Second        // everything is looked at this often, whatever was missed
	lookPause  = 100 * time.Millisecond // least time between two looks at what is RUNNING
	startBatch = 256                    // jobs that are begun in one commit
	closeTime  = 5 * time.Second        // for what is half done when the daemon ends
)

// scheduler owns the slots and the limits. Its methods run in one goroutine;
// with the goroutines of the slots it shares only channels.
type scheduler struct {
	o     Options
	queue *jobs.Queue
	log   zerolog.Logger
	env   []string

	changed     <-chan struct{}
	unsubscribe func()

	link   *executor                   // the supervisor; nil while none is connected
	slots  map[attemptKey]*slot        // every attempt that is RUNNING in the queue
	strays map[attemptKey]attemptState // what the supervisor runs although the queue says otherwise

	refusals map[attemptKey]int // of jobs that the supervisor would not try, and that wait again

	dirty    bool      // the queue has changed since the last look
	lookAt   time.Time // no look before
	settleAt time.Time // slots without a verdict are settled then; zero: when the tick comes
	startAt  time.Time // no start before
	backoff  time.Duration
	silent   time.Time // since when the supervisor does not answer; zero if it does

	ended int      // jobs that ended
	left  []string // processes that could not be ended, with their job

	done   chan freed
	unsure chan *slot
	stop   chan struct{}
	work   context.Context // of the slots' goroutines; ends closeTime after stop
	cancel context.CancelFunc
	wg     sync.WaitGroup // the slots' goroutines
}

func newScheduler(o Options) *scheduler {
	s := &scheduler{
		o: o, queue: o.Queue, log: o.Log, env: os.Environ(),
		slots: map[attemptKey]*slot{}, strays: map[attemptKey]attemptState{}, refusals: map[attemptKey]int{},
		done: make(chan freed), unsure: make(chan *slot), stop: make(chan struct{}),
	}
	s.work, s.cancel = context.WithCancel(context.Background())
	s.changed, s.unsubscribe = o.Queue.Changed()
	return s
}

// close lets the slots finish what is half done, and leaves the jobs running.
func (s *scheduler) close() {
	close(s.stop)
	timer := time.AfterFunc(closeTime, s.cancel)
	s.wg.Wait()
	timer.Stop()
	s.cancel()
	if s.link != nil {
		s.link.Close()
	}
	s.unsubscribe()
}

// serve starts jobs and minds them until ctx ends.
func (s *scheduler) serve(ctx context.Context, reload <-chan struct{}) {
	s.dirty = true
	for {
		s.look(ctx)
		s.fill(ctx)
		if !s.wait(ctx, reload) {
			return
		}
	}
}

// wait blocks until something has happened and takes it in; false when ctx ends.
func (s *scheduler) wait(ctx context.Context, reload <-chan struct{}) bool {
	timer := time.NewTimer(s.untilNext())
	defer timer.Stop()
	var ends <-chan attemptState
	if s.link != nil {
		ends = s.link.Ended()
	}
	select {
	case <-ctx.Done():
		return false
	case <-s.changed:
		s.dirty = true
	case <-reload:
		s.log.Debug().Int("max_concurrent", s.o.Catalog().MaxConcurrent).Msg("limits reloaded")
	case st, ok := <-ends:
		if ok {
			s.heard(ctx, st)
		} else {
			s.lost(ctx)
		}
	case f := <-s.done:
		s.free(f)
	case u := <-s.unsure:
		u.settled = false
		s.settleAt = time.Now().Add(retryFirst)
	case <-timer.C:
		s.dirty = true
	}
	if s.unsettled() > 0 && !time.Now().Before(s.settleAt) {
		s.settle(ctx)
	}
	return ctx.Err() == nil
}

// untilNext is how long to wait if nothing happens.
func (s *scheduler) untilNext() time.Duration {
	wait := tick
	if s.dirty {
		wait = min(wait, time.Until(s.lookAt))
	}
	if s.unsettled() > 0 {
		wait = min(wait, time.Until(s.settleAt))
	}
	if left := time.Until(s.startAt); left > 0 {
		wait = min(wait, left)
	}
	return max(wait, time.Millisecond)
}

// take makes a slot for a RUNNING job, which waits for its verdict.
func (s *scheduler) take(job *jobs.Job) *slot {
	sl := &slot{
		job: job, queue: s.queue, catalog: s.o.Catalog, env: s.env, state: s.o.StateDir,
		log: s.log.With().Str("job", job.ID).Str("type", job.Type).Str("source", job.Source).
			Int("attempt", job.Attempt).Logger(),
		refusals: s.refusals[keyOf(job)], stop: s.stop, done: s.done, unsure: s.unsure,
		verdicts: make(chan verdict, 1), ends: make(chan attemptState, 1), asks: make(chan jobs.EndReason, 1),
		asked: job.EndReason,
	}
	s.slots[keyOf(job)] = sl
	s.wg.Go(func() { sl.run(s.work) })
	return sl
}

func keyOf(job *jobs.Job) attemptKey { return attemptKey{job.ID, job.Attempt} }

// free gives back the slot of an attempt that is no longer RUNNING in the queue.
func (s *scheduler) free(f freed) {
	delete(s.slots, keyOf(f.slot.job))
	if f.slot.orphan {
		s.forget(f.slot.job.ID, f.slot.job.Attempt)
	}
	if f.ending != nil {
		s.ended++
	}
	delete(s.refusals, keyOf(f.slot.job))
	if f.refused != nil {
		s.refusals[keyOf(f.slot.job)] = f.slot.refusals + 1
		s.backoff = retryMost
		s.startAt = time.Now().Add(s.backoff)
	}
	for _, name := range f.left {
		s.left = append(s.left, name+" of job "+f.slot.job.ID)
	}
}

// heard passes on that an attempt has ended.
func (s *scheduler) heard(ctx context.Context, st attemptState) {
	if sl := s.slots[st.key()]; sl != nil {
		send(sl.ends, st)
		return
	}
	s.meetStray(ctx, st)
}

// look finds out which running jobs are to be ended, and whether the queue has
// running jobs without a slot (a commit may have worked although its answer was
// an error).
func (s *scheduler) look(ctx context.Context) {
	if !s.dirty || time.Now().Before(s.lookAt) {
		return
	}
	running, err := s.queue.Running(ctx)
	if err != nil {
		s.hold(ctx, err, "running jobs not read")
		return
	}
	s.dirty, s.lookAt = false, time.Now().Add(lookPause)
	for _, job := range running {
		sl := s.slots[keyOf(job)]
		switch {
		case sl == nil:
			s.take(job)
		case job.EndReason != sl.asked:
			sl.asked = job.EndReason
			send(sl.asks, job.EndReason)
		}
	}
	if s.unsettled() > 0 && !time.Now().Before(s.settleAt) {
		s.settle(ctx)
	}
}

// fill starts the next jobs while there is room. A job is RUNNING in the queue,
// with the supervisor that is going to be asked, before that is asked.
func (s *scheduler) fill(ctx context.Context) {
	for ctx.Err() == nil && s.unsettled() == 0 && !time.Now().Before(s.startAt) {
		room, most := s.room()
		if most == 0 {
			return
		}
		next, err := s.queue.Next(ctx, room, most)
		if err != nil {
			s.hold(ctx, err, "pending jobs not read")
			return
		}
		if len(next) == 0 {
			s.backoff = 0
			return
		}
		if s.link == nil {
			if err := s.reach(ctx); err != nil {
				s.hold(ctx, err, "no supervisor")
				return
			}
			continue // what it runs counts
		}
		var starts []jobs.Start
		for _, job := range next {
			// A job that was given back a moment ago may still have its slot.
			if s.slots[keyOf(job)] == nil {
				starts = append(starts, jobs.Start{ID: job.ID, Attempt: job.Attempt, Instance: s.link.Instance()})
			}
		}
		if len(starts) == 0 {
			return
		}
		begun, err := s.queue.Begin(ctx, starts)
		if err != nil {
			s.hold(ctx, err, "starts not recorded")
			s.dirty = true
			return
		}
		s.backoff = 0
		for _, job := range begun {
			sl := s.take(job)
			sl.settled = true
			send(sl.verdicts, verdict{kind: verdictStart, executor: s.link})
		}
		if len(begun) < most {
			return
		}
	}
}

// room is how many jobs of each type may be started now, and how many at most.
// Types without room are left out.
func (s *scheduler) room() (room map[string]int, most int) {
	c := s.o.Catalog()
	most = min(c.MaxConcurrent-len(s.slots)-len(s.strays), startBatch)
	if most <= 0 {
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
		if n > 0 {
			room[name] = n
		}
	}
	if len(room) == 0 {
		return nil, 0
	}
	return room, most
}

// hold puts off the next start, each time for longer, and says so once.
func (s *scheduler) hold(ctx context.Context, err error, what string) {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return
	}
	if s.backoff == 0 {
		s.log.Error().Err(err).Msg(what)
	}
	s.backoff = min(max(2*s.backoff, retryFirst), retryMost)
	s.startAt = time.Now().Add(s.backoff)
	s.lookAt = s.startAt
}

// unsettled counts the slots that have no verdict that holds.
func (s *scheduler) unsettled() int {
	n := 0
	for _, sl := range s.slots {
		if !sl.settled {
			n++
		}
	}
	return n
}
