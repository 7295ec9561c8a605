package runner

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"jobrunner/jobs"
)

// answerTime is how long the supervisor may take for the list of its attempts.
const answerTime = 10 * time.Second

// settle finds out what has become of the attempts in slots without a verdict:
// at start, after the connection to the supervisor was lost, and when a request
// was not answered. It starts no supervisor, since it is only looking. Nothing
// is begun while an attempt is unsettled, so the limits hold meanwhile.
func (s *scheduler) settle(ctx context.Context) {
	s.settleAt = time.Now().Add(tick)
	if s.link == nil {
		link, err := dial(ctx, s.o.StateDir)
		switch {
		case errors.Is(err, errNoSupervisor) && supervised(ctx, s.o.StateDir):
			s.unanswered(ctx, errHidden)
			return
		case err != nil && !errors.Is(err, errNoSupervisor):
			s.unanswered(ctx, err)
			return
		}
		s.linked(link) // nil if there is none
	}
	held := map[attemptKey]attemptState{}
	if s.link != nil {
		if err := s.list(ctx, held); err != nil {
			s.unanswered(ctx, err)
			return
		}
	}
	s.silent = time.Time{}
	s.judge(held)
	for k, st := range held {
		if s.slots[k] == nil {
			s.meetStray(ctx, st)
		}
	}
	s.tidy(ctx)
}

// tidy lets the supervisor forget what earlier ones left of attempts that have
// long been recorded.
func (s *scheduler) tidy(ctx context.Context) {
	if s.link == nil {
		return
	}
	for k := range readEstate(s.o.StateDir).entries {
		if k.Instance == s.link.Instance() || s.slots[attemptKey{k.ID, k.Attempt}] != nil {
			continue
		}
		job, err := s.queue.Job(ctx, k.ID)
		if errors.Is(err, jobs.ErrNotFound) || err == nil && (job.State.Ended() || job.Attempt != k.Attempt) {
			s.forget(k.ID, k.Attempt)
		}
	}
}

// reach connects to the supervisor, and starts one if need be.
func (s *scheduler) reach(ctx context.Context) error {
	link, err := connect(ctx, s.o.StateDir, s.o.Command, s.log)
	if err != nil {
		return err
	}
	s.linked(link)
	s.log.Info().Int("pid", link.PID()).Msg("supervisor connected")
	s.settle(ctx)
	if s.link == nil {
		return errLost
	}
	return nil
}

// linked notes the connection to the supervisor; nil if there is none.
func (s *scheduler) linked(link *executor) {
	s.link = link
	if link == nil {
		s.known.Store(nil)
		return
	}
	s.known.Store(&Supervisor{PID: link.pid, Protocol: link.version})
}

func (s *scheduler) list(ctx context.Context, held map[attemptKey]attemptState) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	states, err := s.link.Attempts(ctx)
	if err != nil {
		return err
	}
	for _, st := range states {
		held[st.key()] = st
	}
	return nil
}

// unanswered gives up a supervisor that does not answer until the next try. It
// may be alive, so nothing is concluded about its attempts.
func (s *scheduler) unanswered(ctx context.Context, err error) {
	s.drop()
	if ctx.Err() != nil {
		return
	}
	if s.silent.IsZero() {
		s.silent = time.Now()
		s.log.Error().Err(err).Msg("supervisor does not answer")
	}
}

// drop closes the connection. The attempts it was for need a new verdict.
func (s *scheduler) drop() {
	if s.link == nil {
		return
	}
	s.link.Close()
	s.linked(nil)
	clear(s.strays)
	for _, sl := range s.slots {
		if !sl.orphan {
			sl.settled = false
		}
	}
}

// lost acts on the end of the connection: perhaps only that, perhaps the
// supervisor was killed.
func (s *scheduler) lost(ctx context.Context) {
	s.log.Warn().Int("pid", s.link.PID()).Int("running", len(s.slots)).Msg("supervisor lost")
	s.drop()
	s.settle(ctx)
}

// judge gives each unsettled slot its verdict. held is what the supervisor that
// is connected knows.
func (s *scheduler) judge(held map[attemptKey]attemptState) {
	var left *estate // read if it is needed
	for k, sl := range s.slots {
		if sl.settled {
			continue
		}
		sl.settled = true
		st, known := held[k]
		same := s.link != nil && s.link.Instance() == sl.job.Instance
		switch {
		case known:
			sl.log.Info().Int("pid", st.Process.PID).Bool("ended", st.Ended).Msg("job adopted")
			send(sl.verdicts, verdict{kind: verdictHeld, executor: s.link, state: st})
		case same && sl.job.Process.PID == 0:
			send(sl.verdicts, verdict{kind: verdictStart, executor: s.link})
		default:
			sl.orphan = true
			if left == nil {
				left = readEstate(s.o.StateDir)
				if left.err != nil {
					s.log.Error().Err(left.err).Msg("journal not read")
				}
			}
			v := left.verdict(sl.job)
			if same && v.kind == verdictLost {
				v.reason = lostUnknown // an older database was put back
			}
			send(sl.verdicts, v)
		}
	}
}

// meetStray deals with an attempt that the supervisor knows and that has no
// slot. If it has ended, its end is committed and the supervisor may forget it.
// If it runs, the queue does not know that: somebody put an older database in
// its place. It is not ended, as nothing says that nobody wants it, but it is
// logged and counts against the limit; if the job is still PENDING at that
// attempt, it is taken over as what it is.
func (s *scheduler) meetStray(ctx context.Context, st attemptState) {
	delete(s.strays, st.key())
	job, err := s.queue.Job(ctx, st.ID)
	switch {
	case err != nil && !errors.Is(err, jobs.ErrNotFound):
		s.log.Error().Err(err).Str("job", st.ID).Msg("job not read")
		return
	case err == nil && job.State == jobs.Running && job.Attempt == st.Attempt:
		s.dirty = true // the next look makes a slot for it
		return
	case err == nil && job.State == jobs.Pending && job.Attempt == st.Attempt:
		s.takeStray(ctx, job, st)
		return
	case st.Ended:
		s.forget(st.ID, st.Attempt)
		return
	}
	s.strays[st.key()] = st
	s.log.Error().Str("job", st.ID).Int("attempt", st.Attempt).Int("pid", st.Process.PID).
		Msg("process runs of a job that the queue does not have running")
}

// forget lets the supervisor forget an attempt whose end is committed, also one
// that an earlier supervisor left. If it cannot be told now, then once it is
// connected again, since it lists the attempt.
func (s *scheduler) forget(id string, attempt int) {
	if s.link == nil {
		return
	}
	if err := s.link.Forget(id, attempt); err != nil {
		s.log.Debug().Err(err).Str("job", id).Int("attempt", attempt).Msg("end not acknowledged")
	}
	jobs.Step("end: acknowledged")
}

// takeStray makes a PENDING job RUNNING that in truth runs already.
func (s *scheduler) takeStray(ctx context.Context, job *jobs.Job, st attemptState) {
	begun, err := s.queue.Begin(ctx, []jobs.Start{
		{ID: job.ID, Attempt: job.Attempt, Instance: s.link.Instance(), Slots: st.Slots},
	})
	if err != nil || len(begun) == 0 {
		if !st.Ended {
			s.strays[st.key()] = st
		}
		s.log.Error().Err(err).Str("job", st.ID).Int("attempt", st.Attempt).Msg("running job not taken over")
		return
	}
	delete(s.strays, st.key())
	sl := s.take(begun[0])
	sl.settled = true
	sl.log.Warn().Int("pid", st.Process.PID).Msg("job adopted that was pending")
	send(sl.verdicts, verdict{kind: verdictHeld, executor: s.link, state: st})
}

// estate is what dead supervisors left.
type estate struct {
	entries map[key]journalEntry
	boots   map[string]string
	until   time.Time // how long processes that are just coming up are looked for
	err     error     // nothing was read; nothing is concluded from a missing record
}

// markTime is how long a process may take to bear its mark: it has that from its
// exec on, and its supervisor may have been killed between that and the fork.
const markTime = time.Second

func readEstate(stateDir string) *estate {
	c, err := loadJournal(stateDir)
	if err != nil {
		return &estate{err: err}
	}
	e := &estate{entries: c.entries, boots: map[string]string{}, until: time.Now().Add(markTime)}
	for _, in := range c.instances {
		e.boots[in.Instance] = in.Boot
	}
	return e
}

// verdict says what has become of a RUNNING job whose supervisor is gone.
func (l *estate) verdict(job *jobs.Job) verdict {
	entry, found := l.entries[key{job.Instance, job.ID, job.Attempt}]
	st := entry.State
	if st.Ended {
		return verdict{kind: verdictEnded, state: st}
	}
	if st.Process.PID == 0 {
		st.Process = job.Process
	}
	boot := cmp.Or(st.Process.Boot, entry.Boot, l.boots[job.Instance])
	if boot != "" && boot != bootID() {
		return verdict{kind: verdictLost, state: st, reason: restarted(bootTime(), time.Now())}
	}
	if st.Process.PID != 0 {
		if present(st.Process) {
			return verdict{kind: verdictOrphan, state: st}
		}
		return verdict{kind: verdictLost, state: st, reason: lostSupervisor}
	}
	// It was about to be started, or nothing is known of it.
	for {
		if p, ok := findFirst(job.ID, job.Attempt); ok {
			st.ID, st.Attempt, st.Process = job.ID, job.Attempt, p
			return verdict{kind: verdictOrphan, state: st}
		}
		if !found || time.Now().After(l.until) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	// A record comes before its process, so where the journal of this boot knows
	// the supervisor but not the attempt, there never was one.
	if !found && l.err == nil && boot != "" {
		return verdict{kind: verdictNever}
	}
	return verdict{kind: verdictLost, state: st, reason: lostSupervisor}
}

// findFirst finds an attempt's first process by its mark: the one that leads the
// session, else the oldest.
func findFirst(jobID string, attempt int) (jobs.ProcessID, bool) {
	var procs []proc
	for _, p := range findByJob(jobID, attempt) {
		if q, ok := look(p.PID); ok && q.is(p) {
			if q.session == q.pid {
				return p, true
			}
			procs = append(procs, q)
		}
	}
	if len(procs) == 0 {
		return jobs.ProcessID{}, false
	}
	first := slices.MinFunc(procs, func(a, b proc) int { return cmp.Compare(a.start, b.start) })
	return first.id(), true
}
