package jobs

// Action is what a Command does.
type Action string

const (
	// Cancel ends a job, waiting or running.
	Cancel Action = "cancel"
	// Retry takes an ended job back to PENDING, same id, next attempt.
	Retry Action = "retry"
)

// Actions lists every action; a type cannot bear one of these names.
var Actions = []Action{Cancel, Retry}

// Command asks for a change of jobs that exist already.
type Command struct {
	At     Position
	Action Action
	IDs    []string // whole ids or unambiguous prefixes of 8 letters or more, lower case
}
