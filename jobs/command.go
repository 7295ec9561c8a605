package jobs

// Action is what a Command does.
type Action string

const (
	// Cancel ends a job, waiting or running.
	Cancel Action = "cancel"
	// Retry takes an ended job back to PENDING, same id, next attempt.
	Retry Action = "retry"
	// Rerun makes a new job of what an old one asked for.
	Rerun Action = "rerun"
	// Hold keeps a PENDING job from starting until it is released.
	Hold Action = "hold"
	// Release lets a held job start.
	Release Action = "release"
	// Pause keeps all jobs, or those of one type, from starting. What runs goes on.
	Pause Action = "pause"
	// Resume ends a Pause, and without a type also a Drain.
	Resume Action = "resume"
	// Drain starts nothing new and ends the daemon when the last job has ended.
	Drain Action = "drain"
	// Prune lets go of ended jobs. It has no form as a line: a type may be called so.
	Prune Action = "prune"
)

// Actions lists every action that a line can ask for; a type cannot bear one of
// these names.
var Actions = []Action{Cancel, Retry, Rerun, Hold, Release, Pause, Resume, Drain}

// Command asks for a change of jobs that exist already, or of what may start.
type Command struct {
	At     Position
	Action Action
	IDs    []string // of jobs or sweeps: whole ids or unambiguous prefixes of 8 letters or more, lower case
	Type   string   // of Pause and Resume: only this type; "" means all
	Prune  Wish     // of Prune
}
