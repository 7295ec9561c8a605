package jobs

import (
	"regexp"
	"time"
)

// Type is a kind of job as the configuration defines it: how it is started,
// what a request may ask of it, and its limits.
type Type struct {
	Name        string
	Description string

	// Either Command, which the request's arguments follow, or Interpreter
	// with Scripts and Extensions, which runs any script of a folder.
	Command     []string
	Interpreter []string
	Scripts     string   // absolute folder; "" for a Command type
	Extensions  []string // ".py"; empty means any

	Args    ArgRules
	Workdir string // absolute

	Env      map[string]string // set for every job
	EnvPass  []string          // names handed on from the daemon's environment
	EnvAllow []string          // names that a request may set

	MaxConcurrent int           // jobs of this type at once; 0 means only the global limit
	Priority      int           // of jobs whose request names none
	Timeout       time.Duration // 0 means none
	KillGrace     time.Duration // between SIGTERM and SIGKILL
	SuccessCodes  []int         // exit statuses that mean COMPLETED; empty means 0
	Umask         int           // -1 means the daemon's
}

// ArgRules says which arguments a type takes, the script not counted.
type ArgRules struct {
	Min     int
	Max     int            // -1 means any number
	Pattern *regexp.Regexp // anchored at both ends; nil means any text
}

// Succeeds reports whether code is an exit status that means COMPLETED.
func (t *Type) Succeeds(code int) bool {
	if len(t.SuccessCodes) == 0 {
		return code == 0
	}
	for _, c := range t.SuccessCodes {
		if c == code {
			return true
		}
	}
	return false
}

// Catalog is the set of types in force and the limits over them. It is never
// changed once built: a new configuration makes a new one.
type Catalog struct {
	Dir           string // absolute folder of the configuration file
	MaxConcurrent int    // jobs at once, over all types
	Types         map[string]*Type
}
