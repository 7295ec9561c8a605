package jobs

import "time"

// Event is one entry of the audit: a job's change of state or a command.
type Event struct {
	ID     int64 // growing without end
	At     time.Time
	Job    string // "" if it concerns none
	Kind   string // one of the Event constants
	State  State  // the job's state after it; "" if it concerns none
	Reason string
}

// Kinds of events.
const (
	EventAccepted = "accepted" // a job is in the queue, whatever its state
	EventStarting = "starting" // PENDING to RUNNING: committed before its supervisor is asked
	EventStarted  = "started"  // its process is known
	EventReturned = "returned" // RUNNING to PENDING: it is known that it never ran
	EventEnding   = "ending"   // somebody ends it: Reason says why
	EventEnded    = "ended"    // RUNNING to an ended state
	EventDoubt    = "doubt"    // its line is missing, or the question is settled
	EventLine     = "line"     // PENDING to CANCELLED: its line was removed
	EventCancel   = "cancel"   // the command, also when it did nothing
	EventRetry    = "retry"    // the command, also when it did nothing
)
