package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

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
	EventEnded    = "ended"    // to an ended state, by itself or because of another job
	EventDoubt    = "doubt"    // its line is missing, or the question is settled
	EventLine     = "line"     // PENDING to CANCELLED: its line was removed
	EventCancel   = "cancel"   // the command, also when it did nothing
	EventRetry    = "retry"    // the command, also when it did nothing
	EventRerun    = "rerun"    // the command, also when it did nothing
	EventHold     = "hold"     // the command, also when it did nothing
	EventRelease  = "release"  // the command, also when it did nothing
	EventPause    = "pause"    // the command; concerns no job
	EventResume   = "resume"   // the command; concerns no job
	EventDrain    = "drain"    // the command; concerns no job
	EventAgain    = "again"    // RUNNING to PENDING: the attempt ended, and another one follows
	EventDue      = "due"      // its time has come
	EventReady    = "ready"    // the jobs that it waited for have ended
	EventSchedule = "schedule" // a schedule left a time out; concerns no job
	EventHook     = "hook"     // a hook failed for good
	EventPrune    = "prune"    // the command, and when it is done; Job is the id of the command
)

// Ends reports whether the event took its job to an ended state. History that
// was imported did not end here; a request that was REJECTED counts.
func (e Event) Ends() bool {
	switch e.Kind {
	case EventEnded, EventLine:
		return e.State.Ended()
	case EventCancel:
		return e.State == Cancelled && strings.HasSuffix(e.Reason, " "+deedCancelled)
	case EventAccepted:
		return e.State == Rejected
	}
	return false
}

// NoteHook notes as an event of a job, or of none if that is "", what became of
// a hook. The job stays as it is.
func (q *Queue) NoteHook(ctx context.Context, job, words string) error {
	err := q.write(ctx, func(t *tx) error {
		var state string
		err := t.row("SELECT state FROM jobs WHERE id = ?", []any{job}, &state)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return t.event(job, EventHook, State(state), words)
	})
	if err != nil {
		return fmt.Errorf("noting a hook of job %s: %w", job, err)
	}
	return nil
}
