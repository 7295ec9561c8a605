package runner

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// noteDelay is how long an attempt must run for its start to be recorded by
// itself. The end of a shorter one is recorded with its start. Until then the
// supervisor knows of it, and a daemon that comes after this one asks that.
const noteDelay = 5 * time.Millisecond

// noteStart records the start of an attempt that is not over within moments,
// and watches its process from then on; false if stop came first.
func (s *slot) noteStart(ctx context.Context) bool {
	s.noteAt = nil
	if s.unnoted == nil {
		return true
	}
	if s.watch == nil {
		s.watch, _ = follow(s.process)
	}
	return s.recordStart(ctx, *s.unnoted)
}

// recordStart commits what is known of the attempt's process, once; false if
// stop came first.
func (s *slot) recordStart(ctx context.Context, st attemptState) bool {
	if s.recorded {
		return true
	}
	info := s.startInfo(st)
	s.recorded = s.write(ctx, "start not recorded", func() error {
		_, err := s.queue.Started(ctx, s.job.ID, s.job.Attempt, info)
		return err
	})
	if s.recorded {
		s.unnoted = nil
		jobs.Step("start: committed")
		s.logStart(st)
	}
	return s.recorded
}

// startInfo is what the queue is told of the start of the attempt.
func (s *slot) startInfo(st attemptState) jobs.StartInfo {
	return jobs.StartInfo{
		Process: st.Process, Command: st.Argv, At: st.StartedAt,
		Log: logName(s.job.ID), Limits: st.Limits, Script: st.Script, RunAs: st.RunAs,
	}
}

func (s *slot) logStart(st attemptState) {
	s.log.Info().Int("pid", st.Process.PID).Str("state", string(jobs.Running)).Msg("job started")
}
