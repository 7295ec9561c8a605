package jobs

import "time"

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
	Entries []Entry
}

// Entry is one job or command to be taken in.
type Entry struct {
	Job     *Job     // a new job: PENDING, REJECTED, or ended if imported as history
	Command *Command // or a command
	Taken   *Taken   // set for the queue file: the line it came from; Job is filled in
}

// Outcome is what became of an Entry.
type Outcome struct {
	Job     *Job     // the job as it now is; nil for a command
	Known   bool     // its id was known already and not REJECTED: nothing was added
	Warning string   // known, but with other content
	Jobs    []string // for a command: ids it named
	State   State    // for a command: COMPLETED or REJECTED
	Reason  string   // for a command: what it did, or why it did nothing
}
