package runner

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

const (
	tick       = 2 * time.Second        // everything is looked at this often, whatever was missed
	lookPause  = 100 * time.Millisecond // least time between two looks at what is RUNNING
	startBatch = 256                    // jobs that are begun in one commit
	closeTime  = 5 * time.Second        // for what is half done when the daemon ends
	syncTime   = 2 * time.Second        // for the supervisor to take what it was sent last
)

// scheduler owns the slots and the limits. Its methods run in one goroutine;
// with the goroutines of the slots it shares only channels, with the one that
// writes the queue what offer says.
type scheduler struct {
	o     Options
	queue *jobs.Queue
	log   zerolog.Logger
	env   envSet // the daemon's

	changed     <-chan struct{}
	unsubscribe func()

	link   *executor                   // the supervisor; nil while none is connected
	slots  map[attemptKey]*slot        // every attempt that is RUNNING in the queue
	strays map[attemptKey]attemptState // what the supervisor runs although the queue says otherwise

	refusals map[attemptKey]int // of jobs that the supervisor would not try, and that wait again
	hindered *hindrance         // what keeps the supervisor from trying any

	known *atomic.Pointer[Supervisor] // what is told of link

	brakes jobs.Brakes // as the last look saw them

	dirty    bool      // the queue has changed since the last look
	doubtful bool      // more may be RUNNING than has a slot: nothing is begun before a look
	lookAt   time.Time // no look before
	wakeAt   time.Time // when the next PENDING job's time comes; zero if none waits for that
	settleAt time.Time // slots without a verdict are settled then; zero: when the tick comes
	startAt  time.Time // no start before
	backoff  time.Duration
	silent   time.Time // since when the supervisor does not answer; zero if it does

	told int // pid of a supervisor of an earlier version of which that has been said

	ending  bool     // it starts nothing, it is there to end what runs
	drained bool     // it has been told that nothing runs any more
	ended   int      // jobs that ended
	left    []string // processes that could not be ended, with their job

	turning []*turn // ends that have come in, to be committed next

	idle     sync.Mutex // held by the scheduler but while it waits: see offer
	given    bool       // places were given away meanwhile
	begun    []*jobs.Job
	begunErr error
	wakeUp   chan struct{} // capacity 1: given is set

	done   chan freed
	unsure chan *slot
	turns  chan *turn
	stop   chan struct{}
	work   context.Context // of the slots' goroutines; ends closeTime after stop
	cancel context.CancelFunc
	wg     sync.WaitGroup // the slots' goroutines
}

func newScheduler(o Options) *scheduler {
	s := &scheduler{
		o: o, queue: o.Queue, log: o.Log, env: readEnv(os.Environ()),
		slots: map[attemptKey]*slot{}, strays: map[attemptKey]attemptState{}, refusals: map[attemptKey]int{}, hindered: &hindrance{},
		known: &atomic.Pointer[Supervisor]{},
		done:  make(chan freed), unsure: make(chan *slot), turns: make(chan *turn), stop: make(chan struct{}),
		wakeUp: make(chan struct{}, 1),
	}
	s.idle.Lock()
	s.work, s.cancel = context.WithCancel(context.Background())
	s.changed, s.unsubscribe = o.Queue.Changed()
	return s
}

// close lets the slots finish what is half done, and leaves the jobs running.
func (s *scheduler) close() {
	s.refuse()
	close(s.stop)
	timer := time.AfterFunc(closeTime, s.cancel)
	s.wg.Wait()
	timer.Stop()
	s.cancel()
	if s.link != nil {
		s.sync()
		s.link.Close()
	}
	s.unsubscribe()
}

// sync waits, not for long, until the supervisor has taken in what it was sent: else
// it would keep what it is to forget until the next daemon comes.
func (s *scheduler) sync() {
	ctx, cancel := context.WithTimeout(context.Background(), syncTime)
	defer cancel()
	s.link.Sync(ctx)
}

// serve starts jobs and minds them until ctx ends.
func (s *scheduler) serve(ctx context.Context, reload <-chan struct{}) {
	s.dirty, s.doubtful = true, true
	s.queue.Offer(s.offer())
	defer s.queue.Offer(nil)
	for {
		s.turn(ctx)
		s.replace()
		s.fill(ctx) // first, as a look takes as long as a start
		if s.look(ctx) {
			s.heed(ctx)
			s.fill(ctx)
		}
		s.wake(ctx)
		s.tellDrained()
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
	var happened func() // nil: ctx has ended
	s.idle.Unlock()
	select {
	case <-ctx.Done():
	case <-s.wakeUp:
		happened = func() {}
	case <-s.changed:
		happened = func() { s.dirty = true }
	case <-reload:
		happened = func() { s.log.Debug().Int("max_concurrent", s.o.Catalog().MaxConcurrent).Msg("limits reloaded") }
	case st, ok := <-ends:
		happened = func() { s.heard(ctx, st) }
		if !ok {
			happened = func() { s.lost(ctx) }
		}
	case t := <-s.turns:
		happened = func() { s.gather(t) }
	case f := <-s.done:
		happened = func() { s.free(f) }
	case u := <-s.unsure:
		happened = func() { u.settled, s.settleAt = false, time.Now().Add(retryFirst) }
	case <-timer.C:
		happened = func() { s.dirty = true }
	}
	s.idle.Lock()
	s.takeGiven()
	if happened == nil {
		return false
	}
	happened()
	if s.unsettled() > 0 && !time.Now().Before(s.settleAt) {
		s.settle(ctx)
	}
	return ctx.Err() == nil
}

// untilNext is how long to wait if nothing happens.
func (s *scheduler) untilNext() time.Duration {
	wait := jobs.UntilBeat(tick)
	if s.dirty {
		wait = min(wait, time.Until(s.lookAt))
	}
	if s.unsettled() > 0 {
		wait = min(wait, time.Until(s.settleAt))
	}
	if left := time.Until(s.startAt); left > 0 {
		wait = min(wait, left)
	}
	if !s.wakeAt.IsZero() {
		wait = min(wait, max(time.Until(s.wakeAt), time.Until(s.startAt)))
	}
	return max(wait, time.Millisecond)
}

// take makes a slot for a RUNNING job, which waits for its verdict.
func (s *scheduler) take(job *jobs.Job) *slot {
	sl := &slot{
		job: job, queue: s.queue, catalog: s.o.Catalog, env: s.env, state: s.o.StateDir,
		log: s.log.With().Str("job", job.ID).Str("type", job.Type).Str("source", job.Source).
			Int("attempt", job.Attempt).Logger(),
		refusals: s.refusals[keyOf(job)], hindered: s.hindered, stop: s.stop, done: s.done, unsure: s.unsure, turns: s.turns,
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
	// Not so of what was given back: that is asked for once more, and a supervisor
	// that comes up meanwhile must not take it for one that has ended.
	if f.ending != nil {
		s.ended++
		s.forget(f.slot.job.ID, f.slot.job.Attempt)
	}
	delete(s.refusals, keyOf(f.slot.job))
	if f.refused != nil {
		if s.hindered.words() == "" {
			s.refusals[keyOf(f.slot.job)] = f.slot.refusals + 1
		}
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
// an error). It reports whether there was anything to look at.
func (s *scheduler) look(ctx context.Context) bool {
	if !s.dirty || time.Now().Before(s.lookAt) {
		return false
	}
	running, err := s.queue.Running(ctx)
	if err != nil {
		s.hold(ctx, err, "running jobs not read")
		return false
	}
	s.dirty, s.doubtful, s.lookAt = false, false, time.Now().Add(lookPause)
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
	return true
}

// heed finds out what keeps jobs from starting: pauses, a drain, their time.
func (s *scheduler) heed(ctx context.Context) {
	brakes, err := s.queue.Brakes(ctx)
	if err != nil {
		s.hold(ctx, err, "pauses not read")
		s.dirty = true
		return
	}
	s.brakes, s.wakeAt = brakes, time.Now()
}

// wake lets the jobs start whose time has come. When the next one's comes is
// asked at each look, so a clock that was set is noticed with the tick.
func (s *scheduler) wake(ctx context.Context) {
	now := time.Now()
	if s.wakeAt.IsZero() || now.Before(s.wakeAt) || now.Before(s.startAt) {
		return
	}
	next, err := s.queue.Wake(ctx, now)
	if err != nil {
		s.hold(ctx, err, "jobs not woken")
		return
	}
	s.wakeAt = next
}

// tellDrained says, once, that the queue is being drained and nothing runs.
func (s *scheduler) tellDrained() {
	if s.drained || s.dirty || !s.brakes.Draining || len(s.slots)+len(s.strays) > 0 {
		return
	}
	s.drained = true
	s.log.Info().Msg("drained: nothing runs any more")
	if s.o.Drained != nil {
		s.o.Drained()
	}
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

// doubt is hold after a commit whose answer was an error: it may have worked, so a
// look comes before anything else is begun.
func (s *scheduler) doubt(ctx context.Context, err error, what string) {
	s.hold(ctx, err, what)
	s.dirty, s.doubtful = true, true
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
