package runner

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

const (
	retryFirst = 100 * time.Millisecond // before a failed write is tried again, doubling
	retryMost  = 5 * time.Second

	// refusalsMost is how often the supervisor may refuse to try a job before
	// that is taken for the job's fault. While the machine hinders it, as a full
	// disk does, it may refuse for ever.
	refusalsMost = 20
)

// slot is the place that one RUNNING attempt takes, and the goroutine that sees
// the attempt through: start, record the start, wait, record the end. It tells
// the scheduler by done when the place is free, and by unsure when it no longer
// knows where its attempt stands and needs a verdict.
type slot struct {
	// Set when the slot is made and not changed.
	job      *jobs.Job // as it was when the slot was taken
	queue    *jobs.Queue
	catalog  func() *jobs.Catalog
	env      envSet // the daemon's
	state    string // the state folder
	log      zerolog.Logger
	refusals int             // of this attempt before it took this slot
	hindered *hindrance      // of all slots
	stop     <-chan struct{} // closed: record what is at hand and return
	done     chan<- freed
	unsure   chan<- *slot
	turns    chan<- *turn

	// From the scheduler; each holds one and the newest counts.
	verdicts chan verdict
	ends     chan attemptState
	asks     chan jobs.EndReason

	// Touched only by the scheduler.
	settled bool           // it has a verdict that holds
	orphan  bool           // that verdict does not depend on a supervisor
	asked   jobs.EndReason // sent by asks

	// Touched only by the slot's own goroutine.
	executor  *executor        // who runs the attempt; nil: nobody that can be asked
	typ       *jobs.Type       // the job's type; nil if it is gone
	limit     time.Duration    // its time limit; 0 means none
	process   jobs.ProcessID   // zero until known
	recorded  bool             // its start is in the queue
	unnoted   *attemptState    // its start, while that waits to be recorded
	noteAt    <-chan time.Time // when it does no longer
	why       jobs.EndReason   // why it is to be ended
	watch     *watch           // follows the process
	watching  bool             // the watch decides: there is no supervisor
	deadline  *deadline        // of an orphan; nil: none
	again     <-chan time.Time // ask the supervisor again to end it
	refused   error            // why the supervisor did not even try to start it
	exit      *exitStatus      // seen by the watch
	tree      *treeEnd         // our own ending of an orphan; nil while there is none
	endedBy   jobs.EndReason   // why that is done
	survivors []string         // what could not be ended
	trim      *trimmer         // keeps the output within its bound, where no supervisor does
}

// freed tells that a slot's attempt is no longer RUNNING in the queue.
type freed struct {
	slot    *slot
	ending  *jobs.Ending // nil if it went back to PENDING
	refused error        // it did because the supervisor would not start it
	left    []string     // processes of it that could not be ended
}

// send puts v in c in place of what nobody has taken yet. There is one sender.
func send[T any](c chan T, v T) {
	select {
	case <-c:
	default:
	}
	c <- v
}

// run sees the attempt through. It returns when that is done or stop is closed.
func (s *slot) run(ctx context.Context) {
	defer func() { s.watch.Close(); s.deadline.Stop(); s.trim.stop(false) }()
	s.typ = s.catalog().Types[s.job.Type]
	s.limit = limitOf(s.job, s.typ)
	s.recorded = s.job.Process.PID != 0
	s.process = s.job.Process
	s.why = s.job.EndReason
	for over := false; !over; {
		var orphanEnd <-chan exitStatus
		if s.watching {
			orphanEnd = s.watch.Ended()
		}
		select {
		case <-s.stop:
			if s.unnoted != nil {
				_ = s.recordStart(ctx, *s.unnoted)
			}
			s.leaveTree()
			return
		case v := <-s.verdicts:
			over = s.accept(ctx, v)
		case st := <-s.ends:
			over = s.saw(ctx, st)
		case why := <-s.asks:
			s.why = why
			s.end(ctx)
		case <-s.again:
			s.end(ctx)
		case <-s.noteAt:
			over = !s.noteStart(ctx)
		case <-s.deadline.C():
			s.timeUp(ctx)
		case exit := <-orphanEnd:
			over = s.sawOrphanEnd(ctx, exit)
		case left := <-s.treeLeft():
			over = s.sawTreeEnd(ctx, left)
		}
	}
}

// accept acts on a verdict and reports whether the attempt is over.
func (s *slot) accept(ctx context.Context, v verdict) bool {
	s.executor, s.again = nil, nil
	select {
	case st := <-s.ends: // it was told before the connection was lost
		s.executor = v.executor
		return s.saw(ctx, st)
	default:
	}
	switch v.kind {
	case verdictStart:
		return s.start(ctx, v.executor)
	case verdictHeld:
		over := s.meet(ctx, v.executor, v.state)
		if !over && s.why != "" {
			s.end(ctx)
		}
		return over
	case verdictOrphan:
		return s.adoptOrphan(ctx, v.state)
	case verdictEnded:
		return s.saw(ctx, v.state)
	case verdictNever:
		if s.why != "" {
			return s.finish(ctx, s.conclude(attemptState{EndedBy: s.why}, ""))
		}
		return s.giveBack(ctx)
	}
	if s.watch != nil { // it was seen running, so its end may have been seen too
		return s.adoptOrphan(ctx, v.state)
	}
	return s.finish(ctx, s.conclude(attemptState{EndedBy: cmp.Or(v.state.EndedBy, s.why)}, v.reason))
}

// meet takes in that e has the attempt. If that is only about to start, asking
// for it once more waits until it has.
func (s *slot) meet(ctx context.Context, e *executor, st attemptState) bool {
	s.executor = e
	if e.version < protocolMaxLog && !st.Ended {
		_ = s.minds(0) // as the daemon before this one did
	}
	if st.Process.PID == 0 && !st.Ended {
		if sp, err := s.prepare(); err == nil && e.heeds(&sp) {
			return s.ask(ctx, e, sp)
		}
	}
	return s.saw(ctx, st)
}

// start starts an attempt that e does not know.
func (s *slot) start(ctx context.Context, e *executor) bool {
	switch {
	case s.why != "":
		// A daemon that was killed may have asked for the start, and the
		// supervisor not yet have read it: from now on it will not do it.
		if err := e.Ack(ctx, s.job.ID, s.job.Attempt); err != nil {
			s.log.Warn().Err(err).Msg("start not withdrawn")
			s.tellUnsure()
			return false
		}
		return s.finish(ctx, s.conclude(attemptState{EndedBy: s.why}, ""))
	case s.refused != nil && s.refusals >= refusalsMost && s.hindered.words() == "":
		return s.finish(ctx, notStarted(s.refused.Error()))
	case s.refused != nil:
		return s.giveBack(ctx)
	}
	sp, err := s.prepare()
	switch {
	case s.typ == nil, !fits(s.job.Slots, s.typ.Slots): // it was otherwise when the job was begun
		return s.giveBack(ctx)
	case err != nil:
		return s.finish(ctx, notStarted(err.Error()))
	case !e.heeds(&sp):
		return s.giveBack(ctx)
	}
	return s.ask(ctx, e, sp)
}

// prepare makes of the job what its type, as it is now, says is to be run.
func (s *slot) prepare() (spec, error) {
	catalog := s.catalog()
	s.typ = catalog.Types[s.job.Type]
	s.limit = limitOf(s.job, s.typ)
	return prepare(s.job, s.typ, catalog.Dir, s.state, s.env)
}

// ask asks e to start the attempt, or what became of that.
func (s *slot) ask(ctx context.Context, e *executor, sp spec) bool {
	bound := sp.Limits.Log
	if e.version < protocolMaxLog {
		sp.Limits.Log = 0
	}
	if e.version < protocolTTY && sp.Account != nil {
		sp.forgetProgress() // it would not make its folder
	}
	st, err := e.Start(ctx, sp)
	if err != nil {
		// Whether it runs is not known now. The scheduler finds out.
		if !errors.Is(err, errLost) {
			s.refused = err
		}
		if s.hindered.met(err) {
			s.log.Error().Err(err).Msg("no job can be started, they wait until this works again")
		} else if s.hindered.words() == "" {
			s.log.Warn().Err(err).Msg("start not answered")
		}
		s.tellUnsure()
		return false
	}
	if s.hindered.met(nil) {
		s.log.Info().Msg("jobs can be started again")
	}
	jobs.Step("start: answered")
	s.executor = e
	if e.version < protocolLimits {
		// It was there before this jobrunner was, and stays while its jobs run.
		st.Limits, st.Script = sp.Limits.unset("the running supervisor is of an earlier version"), sp.Script
	}
	if bound > 0 && e.version < protocolMaxLog && !st.Ended {
		st.Limits = joined(st.Limits, logWords(bound, s.minds(bound)))
	}
	return s.saw(ctx, st)
}

// saw takes in what the supervisor, or what it left behind, says of the attempt.
func (s *slot) saw(ctx context.Context, st attemptState) bool {
	if st.Process.PID != 0 {
		s.process = st.Process
		// What is told of its end may leave out what was told of its start.
		if !s.recorded && (s.unnoted == nil || s.unnoted.Process != st.Process) {
			s.unnoted = &st
		}
	}
	switch {
	case st.Ended:
		return s.finish(ctx, s.conclude(st, lostUnknown))
	case s.unnoted != nil && s.noteAt == nil:
		s.noteAt = time.After(noteDelay)
	case s.unnoted == nil && s.watch == nil && st.Process.PID != 0:
		s.watch, _ = follow(st.Process)
	}
	return false
}

func (s *slot) conclude(st attemptState, lost string) jobs.Ending {
	s.survivors = st.Survivors
	s.takeTerms(st)
	return conclude(st, s.typ, s.limit, lost)
}

// takeTerms goes by what was in force when the attempt was started, if a supervisor
// has told that.
func (s *slot) takeTerms(st attemptState) {
	if st.Log != "" {
		s.typ, s.limit = &jobs.Type{SuccessCodes: st.Success}, st.Timeout
	}
}

// end asks for the attempt to be ended, by whoever can.
func (s *slot) end(ctx context.Context) {
	s.again = nil
	switch {
	case s.executor != nil:
		err := s.executor.End(ctx, s.job.ID, s.job.Attempt, s.why, graceOf(s.catalog().Types[s.job.Type]))
		if err != nil {
			s.log.Warn().Err(err).Msg("end not answered")
			s.again = time.After(time.Second)
		}
	case s.watching:
		s.endOrphan(ctx)
	}
}

// finish records how the attempt ended, and whether another one follows, and gives
// the place back.
func (s *slot) finish(ctx context.Context, e jobs.Ending) bool {
	s.plan(&e)
	s.leaveOutput()
	t := s.turn(e)
	if !t.done {
		if !s.recordEnd(ctx, t) {
			return true // the supervisor keeps the status for the next daemon
		}
		jobs.Step("end: committed")
	}
	if t.Start != nil {
		s.logStart(*s.unnoted)
	}
	if t.changed {
		s.logEnd(ctx, e)
	}
	if !t.done && !s.tellDone(freed{slot: s, ending: &e, left: s.survivors}) && s.executor != nil {
		_ = s.executor.Forget(s.job.ID, s.job.Attempt) // the scheduler has left
	}
	return true
}

// giveBack makes the job PENDING again, as it never ran.
func (s *slot) giveBack(ctx context.Context) bool {
	ok := s.write(ctx, "job not given back", func() error {
		_, err := s.queue.Unbegin(ctx, s.job.ID, s.job.Attempt)
		return err
	})
	if ok {
		jobs.Step("start: given back")
		if s.hindered.words() == "" { // else it was said, for all of them
			s.log.Info().Msg("job had not started")
		}
		s.tellDone(freed{slot: s, refused: s.refused})
	}
	return true
}

// write repeats a write to the queue until it works; false if stop came first.
// What is not written is still known here, or to the supervisor.
func (s *slot) write(ctx context.Context, failing string, fn func() error) bool {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := fn()
		if err == nil {
			return true
		}
		if wait == retryFirst {
			s.log.Error().Err(err).Msg(failing)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.stop:
			timer.Stop()
			return false
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// tellDone hands the place back; false if the scheduler takes nothing any more.
func (s *slot) tellDone(f freed) bool {
	select {
	case s.done <- f:
		return true
	case <-s.stop:
		return false
	}
}

func (s *slot) tellUnsure() {
	select {
	case s.unsure <- s:
	case <-s.stop:
	}
}
