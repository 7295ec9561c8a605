package jobs

import (
	"fmt"
	"time"
)

// Receipt is one taken request file.
type Receipt struct {
	ID      string    // the id made when the file was claimed
	Name    string    // its file name
	Jobs    []string  // ids of its jobs, or of the jobs its command names, in order
	Command *Command  // nil unless it was a command
	State   State     // for a command: COMPLETED or REJECTED
	Reason  string    // for a command: what it did, or why it did nothing
	Warning string    // e.g. the id was known with other content
	TakenAt time.Time // when it was committed
}

// Intake is a set of entries that are committed together with the record of
// where they came from, so that a crash can neither lose nor double one.
type Intake struct {
	Receipt *Receipt // set for a request file; Jobs, State, Reason, Warning are filled in
	Mark    *Mark    // set for the queue file: how far it has now been read
	Firing  *Firing  // set for a schedule: the time that it has come to
	Entries []Entry

	MaxPending int // jobs that may be PENDING with those of the Intake; 0 means any number
}

// Entry is one job or command to be taken in.
type Entry struct {
	Job     *Job     // a new job: PENDING, REJECTED, or ended if imported as history
	Command *Command // or a command
	Taken   *Taken   // set for the queue file: the line it came from; Job is filled in

	Waits     []Wait    // of a Job: what it waits for
	Duplicate Duplicate // of a Job with a UniqueKey; "" means DuplicateKeep
}

// Wait is one thing that a new job waits for.
type Wait struct {
	On  string   // id of a job or of a sweep, whole or its beginning, lower case
	Any bool     // whatever its end, not only COMPLETED
	At  Position // where it was written
}

// Refusal is an Entry that cannot be taken, for a reason that only the queue
// knows: it waits for a job that is not known, or whose id is ambiguous.
type Refusal struct {
	Entry int // index in Intake.Entries
	Fault *Fault
}

// RefusedError is what Accept returns when entries cannot be taken. Nothing of
// the Intake was then.
type RefusedError struct {
	Refusals []Refusal
	TooMuch  bool // the last one was refused for all that stands before it: less of that at once may be taken
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%d entries are refused, the first one: %v", len(e.Refusals), e.Refusals[0].Fault)
}

// Outcome is what became of an Entry.
type Outcome struct {
	Job     *Job     // the job as it now is; nil for a command
	Known   bool     // its id was known already and not REJECTED, or an unfinished job bears its UniqueKey: nothing was added
	Warning string   // known, but with other content
	Jobs    []string // for a command: ids it named; for Rerun those of the new jobs
	State   State    // for a command: COMPLETED or REJECTED
	Reason  string   // for a command: what it did, or why it did nothing

	pruned *PrunedError // Job is all that is left of the one with its id
}
