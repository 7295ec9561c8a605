package runner

import (
	"cmp"
	"context"
	"time"

	"jobrunner/jobs"
)

// treeEnd is what came of ending an orphan's processes.
type treeEnd struct {
	cancel context.CancelFunc
	left   chan []string // gets the names of those that could not be ended
}

// adoptOrphan takes over an attempt that runs on although its supervisor died,
// or that ended after it: from here on the watch tells its end, and time limit
// and cancel are seen to by the daemon.
func (s *slot) adoptOrphan(ctx context.Context, st attemptState) bool {
	if st.Process.PID != 0 {
		s.process = st.Process
		if sp, err := s.prepare(); err == nil && len(st.Argv) == 0 {
			st.Argv = sp.Argv // what it was started with, unless its type was changed since
		}
		s.takeTerms(st)
		if !s.recordStart(ctx, st) {
			return true
		}
	}
	s.endedBy = cmp.Or(st.EndedBy, s.endedBy) // since an earlier verdict it may be being ended
	if s.why == "" {
		s.why = st.EndedBy
	}
	if s.watch == nil {
		s.watch, _ = follow(s.process)
	}
	if s.watch == nil {
		return s.finish(ctx, s.conclude(attemptState{EndedBy: s.why}, lostSupervisor))
	}
	s.watching = true
	_ = s.minds(s.boundOf(st)) // it runs on all the same
	s.log.Info().Int("pid", s.process.PID).Msg("job runs without supervisor")
	if s.limit > 0 {
		started := st.StartedAt
		if started.IsZero() {
			started = s.job.StartedAt
		}
		s.deadline.Stop()
		left := time.Until(started.Add(s.limit))
		if ran, ok := ranFor(s.process); ok { // the clock may have been set since
			left = s.limit - ran
		}
		s.deadline = newDeadline(left)
	}
	if s.why != "" {
		s.endOrphan(ctx)
	}
	return false
}

// timeUp ends an orphan whose time limit has passed.
func (s *slot) timeUp(ctx context.Context) {
	s.deadline.Stop()
	s.deadline = nil // it comes once
	if s.why == "" && alive(s.process) {
		// Committed first, so that the next daemon knows it too.
		ok := s.write(ctx, "time limit not recorded", func() error {
			_, err := s.queue.AskEnd(ctx, s.job.ID, s.job.Attempt, jobs.EndTimeout)
			return err
		})
		if !ok {
			return
		}
		s.why = jobs.EndTimeout
	}
	s.endOrphan(ctx)
}

// endOrphan begins to end the orphan's processes, once.
func (s *slot) endOrphan(ctx context.Context) {
	if s.tree != nil || !alive(s.process) {
		return // the watch is about to tell
	}
	s.endedBy = s.why
	ctx, cancel := context.WithCancel(ctx)
	s.tree = &treeEnd{cancel: cancel, left: make(chan []string, 1)}
	grace := graceOf(s.catalog().Types[s.job.Type])
	go func(t *treeEnd, p jobs.ProcessID, id string, attempt int) {
		// What it is to end is fixed here: a later verdict may tell the process again.
		t.left <- endTree(ctx, p, id, attempt, grace)
	}(s.tree, s.process, s.job.ID, s.job.Attempt)
}

// treeLeft gives the survivors of endOrphan; nil while nothing is being ended.
func (s *slot) treeLeft() <-chan []string {
	if s.tree == nil {
		return nil
	}
	return s.tree.left
}

// leaveTree gives up ending the orphan's processes and waits until that is so.
// Why they are to be ended is in the queue, so the next daemon goes on with it.
func (s *slot) leaveTree() {
	if s.tree == nil {
		return
	}
	s.tree.cancel()
	<-s.tree.left
}

// sawOrphanEnd records the end of an orphan, unless the rest of its processes is
// being ended: then that has to be waited for.
func (s *slot) sawOrphanEnd(ctx context.Context, exit exitStatus) bool {
	s.exit = &exit
	if s.tree != nil {
		return false
	}
	st := attemptState{Exit: s.exit, EndedBy: cmp.Or(s.endedBy, s.endedBefore(exit))}
	return s.finish(ctx, s.conclude(st, lostSupervisor))
}

// endedBefore is why a daemon before this one was ending the orphan, unless that
// has succeeded all the same: it may have sent the signal and then been killed.
func (s *slot) endedBefore(exit exitStatus) jobs.EndReason {
	if exit.Known && exit.Code != nil && succeeds(s.typ, *exit.Code) {
		return ""
	}
	return s.job.EndReason
}

// sawTreeEnd records the end of an orphan that was ended from here.
func (s *slot) sawTreeEnd(ctx context.Context, left []string) bool {
	s.tree.cancel()
	if s.exit == nil {
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		select {
		case exit := <-s.watch.Ended():
			s.exit = &exit
		case <-timer.C: // it cannot be killed, or not yet
		}
	}
	st := attemptState{Exit: s.exit, EndedBy: s.endedBy, Survivors: left}
	return s.finish(ctx, s.conclude(st, lostSupervisor))
}
