package jobs

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// AsOf gives a job as it was right after an event of it, as far as that is
// known; j is newer, and comes from Queue.Detail. What it waited for is left out,
// and so is the pid of a run that is over.
func (j Job) AsOf(e Event) *Job {
	switch {
	case e.State.Ended():
		j.backToEnd(e)
	case e.State == Running:
		j.backToRun(e)
	default:
		j.backToQueue(e)
	}
	return &j
}

// backToEnd makes of j what it was when it ended.
func (j *Job) backToEnd(e Event) {
	a := j.endOf(e)
	if a == nil && j.State == e.State && !j.FinishedAt.After(e.At) {
		return // it ended while it waited, and nobody has retried it
	}
	if a != nil && j.State == a.State && j.Attempt == a.Attempt {
		return
	}
	j.Progress, j.Usage, j.PID = nil, nil, 0
	if a != nil {
		j.State, j.Reason, j.Attempt, j.ExitCode, j.Signal = a.State, a.Reason, a.Attempt, a.ExitCode, a.Signal
		j.StartedAt, j.FinishedAt, j.Slots, j.Log = a.StartedAt, a.FinishedAt, a.Slots, a.Log
		return
	}
	j.Attempt, j.State, j.Reason = j.attemptAfter(e.At), e.State, e.Reason
	if e.Kind == EventCancel {
		j.Reason = cancelledReason
	}
	j.forgetRun()
	j.FinishedAt = e.At
}

// endOf gives the attempt whose end an event tells of; nil if it is the end of a
// job that waited.
func (j *Job) endOf(e Event) *Attempt {
	var found *Attempt
	for n := range j.Past {
		a := &j.Past[n]
		ended := e.Kind == EventEnded && a.State == e.State && a.Reason == e.Reason
		if ended && (found == nil || !a.FinishedAt.After(e.At)) {
			found = a
		}
	}
	return found
}

// backToRun makes of j what it was while it ran.
func (j *Job) backToRun(e Event) {
	attempt := j.attemptRunning(e)
	if j.State != Running || j.Attempt != attempt {
		j.Progress, j.Usage, j.PID = nil, nil, 0
	}
	for _, a := range j.Past {
		if a.Attempt == attempt {
			j.StartedAt, j.Slots, j.Log = a.StartedAt, a.Slots, a.Log
		}
	}
	j.State, j.Attempt, j.Reason = Running, attempt, ""
	j.FinishedAt, j.ExitCode, j.Signal = time.Time{}, nil, ""
	switch e.Kind {
	case EventStarting:
		j.StartedAt, j.Log, j.Command, j.Limits, j.RunAs, j.PID = e.At, "", nil, "", "", 0
	case EventCancel:
		j.Reason = endWords(EndCancel)
	case EventEnding:
		j.Reason = e.Reason
	}
}

// backToQueue makes of j what it was while it waited.
func (j *Job) backToQueue(e Event) {
	j.Attempt = j.attemptWaiting(e)
	j.State, j.Reason, j.Hold = Pending, "", e.Kind == EventHold
	switch e.Kind {
	case EventHold:
		j.Reason = heldReason
	case EventDoubt:
		if e.Reason == doubtReason {
			j.Reason = e.Reason
		}
	}
	j.Progress, j.Usage, j.PID = nil, nil, 0
	j.forgetRun()
}

// forgetRun takes away what is known of a run.
func (j *Job) forgetRun() {
	j.StartedAt, j.FinishedAt, j.ExitCode, j.Signal = time.Time{}, time.Time{}, nil, ""
	j.Node, j.Command, j.Log, j.Slots, j.Limits, j.RunAs, j.ScriptNoted = "", nil, "", nil, "", "", ""
}

// attemptWaiting is the attempt that it waited for after an event.
func (j *Job) attemptWaiting(e Event) int {
	var n int
	switch e.Kind {
	case EventAccepted:
		return 1
	case EventAgain:
		if _, err := fmt.Sscanf(e.Reason, againWords, &n); err == nil {
			return n + 1
		}
	case EventRetry:
		if _, err := fmt.Sscanf(e.Reason, shortID(j.ID)+" "+deedRetried, &n); err == nil {
			return n
		}
	}
	return j.attemptAfter(e.At)
}

// attemptAfter is the one after those that had ended by then.
func (j *Job) attemptAfter(at time.Time) int {
	n := 1
	for _, a := range j.Past {
		if !a.FinishedAt.After(at) {
			n = a.Attempt + 1
		}
	}
	return min(n, j.Attempt)
}

// attemptRunning is the attempt that an event of a RUNNING job is of. It may be
// noted after the end of the process, but not before its start.
func (j *Job) attemptRunning(e Event) int {
	var before, after int // the last that had started by then, the first that started later
	for _, a := range append(slices.Clip(j.Past), Attempt{Attempt: j.Attempt, StartedAt: j.StartedAt}) {
		switch {
		case a.StartedAt.IsZero():
		case a.StartedAt.After(e.At):
			after = cmp.Or(after, a.Attempt)
		default:
			before = a.Attempt
		}
		if e.Kind == EventStarting && a.StartedAt.Equal(e.At) {
			after = cmp.Or(after, a.Attempt)
		}
	}
	if e.Kind == EventStarting { // the start of the process is noted later
		return cmp.Or(after, j.attemptAfter(e.At))
	}
	return cmp.Or(before, 1)
}
