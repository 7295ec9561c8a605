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
