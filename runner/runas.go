package runner

import (
	"fmt"

	"jobrunner/jobs"
)

// accountOf is the user that a type's jobs run as; nil for the daemon's own.
func accountOf(typ *jobs.Type) (*jobs.Account, error) {
	if typ.RunAs == "" {
		return nil, nil
	}
	return jobs.FindAccount(typ.RunAs)
}

// mayWork says what an account may not use that its job needs. The system would
// refuse it too, but an interpreter's own words would stand in the job's log, if
// anywhere.
func mayWork(a *jobs.Account, job *jobs.Job, workdir, script string) error {
	switch {
	case a == nil:
		return nil
	case a.May(workdir, jobs.ToExecute) != nil:
		return fmt.Errorf("user %q may not enter workdir %s", a.Name, workdir)
	case script != "" && a.May(script, jobs.ToRead) != nil:
		return fmt.Errorf("user %q may not read script %s", a.Name, job.Target)
	}
	return nil
}

// become makes of the daemon's variables those of a job that runs as another user:
// none that lead to what is the daemon's.
func (e envSet) become(a *jobs.Account) {
	if a == nil {
		return
	}
	delete(e, envKey("TMPDIR"))
	e.set("HOME", a.Home)
	e.set("USER", a.Name)
	e.set("LOGNAME", a.Name)
}

// wordOf names the account of a start, for people; "" for the daemon's.
func wordOf(a *jobs.Account) string {
	if a == nil {
		return ""
	}
	return a.Word
}

// knows reports whether the supervisor would heed whose rights the job is to have.
// One of an earlier version would start it with its own.
func (e *executor) knows(a *jobs.Account) bool { return a == nil || e.version >= protocolRunAs }

// outdated reports whether the supervisor that is connected is of an earlier
// version, which jobs of the type must wait out.
func (s *scheduler) outdated(typ *jobs.Type) bool {
	return typ.RunAs != "" && s.link != nil && s.link.version < protocolRunAs
}

// replace lets a supervisor of an earlier version go, once nothing runs under it
// any more, if it keeps jobs waiting: the next start brings up one of this version.
func (s *scheduler) replace() {
	var waiting []string
	for name, typ := range s.o.Catalog().Types {
		if s.outdated(typ) {
			waiting = append(waiting, name)
		}
	}
	if len(waiting) == 0 {
		return
	}
	pid, running := s.link.PID(), len(s.slots)+len(s.strays)
	if s.told != pid {
		s.told = pid
		s.log.Warn().Int("pid", pid).Int("running", running).Strs("types", waiting).
			Msg("the running supervisor is of an earlier version and knows no run_as: jobs of these types wait until nothing runs under it")
	}
	if running > 0 {
		return
	}
	if err := askToLeave(pid); err != nil {
		s.log.Warn().Err(err).Int("pid", pid).Msg("earlier supervisor not asked to end")
	}
	s.drop()
}
