package runner

import (
	"path/filepath"
)

func (s *slot) logPath() string {
	return filepath.Join(s.state, filepath.FromSlash(logName(s.job.ID)))
}

// minds keeps the attempt's output within a bound from here, as its supervisor is
// gone or does not know how; 0 for the one that the attempt was begun with, if
// any. The error is why that cannot be done.
func (s *slot) minds(bound int64) error {
	if s.trim != nil {
		return nil
	}
	t, err := newTrimmer(s.logPath(), s.job.ID, s.job.Attempt, bound, s.log)
	if err != nil {
		s.log.Warn().Err(err).Msg("output is not kept within max_log")
		return err
	}
	t.begin()
	s.trim = t
	return nil
}

// leaveOutput waits until the output is whole, and brings it within its bound for
// the last time, unless a supervisor has done that.
func (s *slot) leaveOutput() {
	if s.executor == nil {
		awaitOutput(s.logPath(), s.stop)
		_ = s.minds(0) // perhaps nobody did while it ran
	}
	s.trim.stop(true)
	s.trim = nil
}

// boundOf is the bound of an orphan's output, of which its supervisor has told st;
// 0 if it has none, or what was begun tells it.
func (s *slot) boundOf(st attemptState) int64 {
	if st.Log != "" {
		return st.MaxLog
	}
	if typ := s.catalog().Types[s.job.Type]; typ != nil {
		return typ.MaxLog
	}
	return 0
}
