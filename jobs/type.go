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
	RunAs         string        // "user" or "user:group" whose rights its jobs have, see FindAccount; "" means the daemon's

	MaxRetries int            // further attempts that a job may have; also what it has if its request says nothing
	RetryDelay time.Duration  // before the first further attempt; doubles with each
	RetryOn    RetryRules     // what is tried again
	Slots      map[string]int // tokens that each job takes
	OnChange   OnChange       // what is run if the script was changed since its job was accepted; "" means OnChangeRun
	Params     []Param        // named parameters, in the order in which they are placed
	OnFinish   []Hook         // beside Catalog.OnFinish

	Nice        *int    // niceness, -20…19; nil leaves the daemon's
	MemoryLimit int64   // bytes; 0 means none
	CPULimit    float64 // processors; 0 means none
	MaxLog      int64   // bytes of output that are kept; 0 means all

	Progress ProgressRule // how far its jobs have come, where their output tells it in words of their own
	TTY      bool         // its jobs write to a pseudo-terminal, as tools want that hide their bars from files
}

// ProgressRule says how to find out from the output how far a job has come.
type ProgressRule struct {
	Off bool // it is not looked for; not even said on purpose, nor guessed from earlier runs

	// Pattern is tried on every line before what is known of common tools. Its
	// groups are named done, total, left, percent, label, eta. nil means none.
	Pattern *regexp.Regexp
}

// OnChange says what is run if a script was changed after its job was accepted.
type OnChange string

const (
	OnChangeRun    OnChange = "run"    // the script as it is, and the job says so
	OnChangeCopy   OnChange = "copy"   // the script as it was
	OnChangeReject OnChange = "reject" // nothing: the job is FAILED
)

// RetryRules say after which ends a further attempt is made.
type RetryRules struct {
	Failed  bool     // any exit status that is no success, any signal
	Codes   []int    // these exit statuses
	Signals []string // these signals, "SIGKILL"
	Timeout bool
	Lost    bool
}

// Param is a named parameter of a type.
type Param struct {
	Name       string
	Kind       ParamKind
	Default    string         // as text; meant only if HasDefault
	HasDefault bool           // false: a request must give it
	Min, Max   *float64       // of int and float; nil means no bound
	Values     []string       // of enum
	Below      string         // of path: absolute folder
	Pattern    *regexp.Regexp // of text: anchored at both ends; nil means any
	Env        string         // of secret: the variable that holds it
}

// ParamKind is what a parameter's value must be.
type ParamKind string

const (
	ParamText   ParamKind = "text"
	ParamInt    ParamKind = "int"
	ParamFloat  ParamKind = "float"
	ParamEnum   ParamKind = "enum"
	ParamPath   ParamKind = "path"
	ParamSecret ParamKind = "secret" // handed on as a variable, never shown
)

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
	MaxPending    int    // jobs that may wait; 0 means any number
	Types         map[string]*Type
	Slots         map[string]SlotPool
	Schedules     []Schedule
	OnFinish      []Hook // for jobs of every type

	terse bool // faults do not say what may have been meant
}

// Terse gives a catalog that does not look for what may have been meant by an
// unknown word. Among many types and scripts that takes a while, which is too
// much for a word in each of a thousand lines.
func (c *Catalog) Terse() *Catalog {
	terse := *c
	terse.terse = true
	return &terse
}
