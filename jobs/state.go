package jobs

// State is where a job stands in its life: PENDING, then RUNNING, then one of
// the ended states; a retry leads from an ended state back to PENDING with the
// next attempt.
type State string

const (
	// Pending: accepted and durable, waiting. Left by a start, a cancel, or
	// the removal of its line. A crash changes nothing.
	Pending State = "PENDING"
	// Running: its process runs, or was asked for. Left when the process's end
	// is known, or when it is known that it cannot be known. A crash of the
	// daemon changes nothing: the next one adopts the job.
	Running State = "RUNNING"
	// Completed: its exit status was read and is one of the type's success codes.
	Completed State = "COMPLETED"
	// Failed: it ended otherwise, or could not be started.
	Failed State = "FAILED"
	// Cancelled: ended by request, while waiting or while running.
	Cancelled State = "CANCELLED"
	// Timeout: its time limit ended it.
	Timeout State = "TIMEOUT"
	// Lost: it may have run and nobody saw its exit status.
	Lost State = "LOST"
	// Rejected: never accepted, the request was bad. The id may be used again.
	Rejected State = "REJECTED"
)

// States lists every state, in the order in which a life passes them.
var States = []State{Pending, Running, Completed, Failed, Cancelled, Timeout, Lost, Rejected}

// StateWidth is the length of the longest state word. Lines pad their word to
// it, so that any state can be written over any other in place.
const StateWidth = 9

// Ended reports whether no more is to come, short of a retry.
func (s State) Ended() bool { return s != Pending && s != Running }

// ParseState returns the state that word names, to the letter.
func ParseState(word string) (State, bool) {
	for _, s := range States {
		if string(s) == word {
			return s, true
		}
	}
	return "", false
}
