package jobs

import "time"

// Schedule drops a request at its times.
type Schedule struct {
	Name    string
	Cron    string        // as it is written; "" if Every is set
	Every   time.Duration // 0 if Cron is set
	Zone    *time.Location
	CatchUp CatchUp
	Overlap Overlap
	Request *Request

	// Next gives the first time after t; zero if there is none.
	Next func(t time.Time) time.Time
}

// CatchUp says what becomes of the times at which no daemon ran.
type CatchUp string

const (
	CatchUpNone CatchUp = "none" // they are left out
	CatchUpOne  CatchUp = "one"  // one run stands for all of them
	CatchUpAll  CatchUp = "all"  // each is run
)

// Overlap says what becomes of a time at which the run before has not ended.
type Overlap string

const (
	OverlapSkip  Overlap = "skip"  // it is left out
	OverlapQueue Overlap = "queue" // it is run when there is room, beside the one before if the limits allow
)

// ScheduleState is how far a schedule has come, as the queue stores it.
type ScheduleState struct {
	Name   string
	Spec   string    // what it was made of: another one begins anew
	NextAt time.Time // the next time that is still to be dealt with
	LastAt time.Time // the last time at which it made jobs; zero if it never did
	Jobs   []string  // ids of those jobs
}

// Firing is one step of a schedule. It is committed together with the jobs
// that it makes, and only if the schedule still stands at Due.
type Firing struct {
	Name string
	Due  time.Time // the time that is dealt with: ScheduleState.NextAt
	Next time.Time // the time after it
	Skip string    // why it makes no job; "" if it does
}
