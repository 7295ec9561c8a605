package runner

import (
	"slices"
	"strings"

	"jobrunner/jobs"
)

// heeds reports whether the supervisor would start an attempt as it is to be. One
// of an earlier version would pass over what it has never heard of.
func (e *executor) heeds(sp *spec) bool {
	return (sp.Account == nil || e.version >= protocolRunAs) && (!sp.TTY || e.version >= protocolTTY)
}

// unheeded names the keys of a type that a supervisor of that version would pass
// over, though its jobs depend on them.
func unheeded(typ *jobs.Type, version int) (keys []string) {
	if typ.RunAs != "" && version < protocolRunAs {
		keys = append(keys, "run_as")
	}
	if typ.TTY && version < protocolTTY {
		keys = append(keys, "tty")
	}
	return keys
}

// outdated reports whether the supervisor that is connected is of an earlier
// version, which jobs of the type must wait out.
func (s *scheduler) outdated(typ *jobs.Type) bool {
	return s.link != nil && len(unheeded(typ, s.link.version)) > 0
}

// replace lets a supervisor of an earlier version go, once nothing runs under it
// any more, if it keeps jobs waiting: the next start brings up one of this version.
func (s *scheduler) replace() {
	var waiting, keys []string
	for name, typ := range s.o.Catalog().Types {
		if s.outdated(typ) {
			waiting, keys = append(waiting, name), append(keys, unheeded(typ, s.link.version)...)
		}
	}
	if len(waiting) == 0 {
		return
	}
	pid, running := s.link.PID(), len(s.slots)+len(s.strays)
	if s.told != pid {
		s.told = pid
		slices.Sort(keys)
		s.log.Warn().Int("pid", pid).Int("running", running).Strs("types", waiting).Str("keys", strings.Join(slices.Compact(keys), ", ")).
			Msg("the running supervisor is of an earlier version and does not know these keys: jobs of these types wait until nothing runs under it")
	}
	if running > 0 {
		return
	}
	s.sync()
	if err := askToLeave(pid); err != nil {
		s.log.Warn().Err(err).Int("pid", pid).Msg("earlier supervisor not asked to end")
	}
	s.drop()
}
