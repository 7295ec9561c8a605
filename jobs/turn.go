package jobs

import (
	"context"
	"fmt"
	"time"
)

// Finish is the end of one attempt.
type Finish struct {
	ID      string
	Attempt int
	Start   *StartInfo // its process, if that was not noted yet; nil if it was, or if it never ran
	Ending
}

// NextFunc is Next inside a transaction.
type NextFunc func(room map[string]int, limit int) ([]*Job, error)

// Turn ends attempts and begins others in their places, in one transaction: so
// that a job of milliseconds costs one, and what takes a place is begun the
// moment that place is free, never before. choose gets what is PENDING once
// the attempts have ended, and says which of it to start; it is called by
// another goroutine, perhaps several times, while the caller waits, and must
// not use the Queue. Turn returns of each end whether it changed anything (see
// End), and the jobs that were begun (see Begin).
func (q *Queue) Turn(ctx context.Context, ends []Finish, choose func(NextFunc) ([]Start, error)) ([]bool, []*Job, error) {
	for _, f := range ends {
		if err := f.check(f.ID); err != nil {
			return nil, nil, err
		}
	}
	var changed []bool
	var begun []*Job
	err := q.write(ctx, func(t *tx) (err error) {
		if changed, err = t.finishAll(ends); err != nil {
			return err
		}
		read := map[string]*Job{}
		starts, err := choose(t.nextFunc(read))
		if err == nil {
			begun, err = t.begin(starts, read)
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("ending %d jobs and beginning others: %w", len(ends), err)
	}
	return changed, begun, nil
}

func (t *tx) finishAll(ends []Finish) ([]bool, error) {
	changed := make([]bool, len(ends))
	for i, f := range ends {
		var err error
		if changed[i], err = t.finish(f); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// finish is End, after Started if f says how the attempt was started.
func (t *tx) finish(f Finish) (bool, error) {
	finished := f.finished(t.now)
	running, err := t.keepAttempt(f, finished)
	if err != nil || !running {
		return false, err
	}
	if f.Start != nil && !f.again() {
		if noted, err := t.wholeRun(f, finished); err != nil || noted {
			return noted, err
		}
	}
	if f.Start != nil {
		if _, err := t.started(f.ID, f.Attempt, *f.Start); err != nil {
			return false, err
		}
	}
	if again, err := t.again(f.ID, f.Attempt, f.Ending); err != nil || again {
		return again, err
	}
	_, err = t.change("UPDATE jobs SET "+setEnd+" WHERE id = ? AND state = 'RUNNING' AND attempt = ?",
		string(f.State), f.Reason, exitValue(f.ExitCode), f.Signal, finished, f.ID, f.Attempt)
	if err != nil {
		return false, err
	}
	return true, t.tellEnd(f.ID, f.Ending)
}

// wholeRun notes the start and the end of a RUNNING attempt at once, which is half
// the work; false, and nothing is changed, if its process was noted before.
func (t *tx) wholeRun(f Finish, finished int64) (bool, error) {
	s := f.Start
	noted, err := t.change(`UPDATE jobs SET command = ?, log = ?, limits = ?, run_as = ?, script_noted = ?,
		started_at = ifnull(?, started_at), `+setEnd+` WHERE id = ? AND state = 'RUNNING' AND attempt = ? AND pid = 0`,
		packList(s.Command), s.Log, s.Limits, s.RunAs, s.Script, s.at(),
		string(f.State), f.Reason, exitValue(f.ExitCode), f.Signal, finished, f.ID, f.Attempt)
	if err == nil && noted {
		err = t.event(f.ID, EventStarted, Running, s.words())
	}
	if err != nil || !noted {
		return false, err
	}
	return true, t.tellEnd(f.ID, f.Ending)
}

// setEnd sets the columns of a run that has ended.
const setEnd = `state = ?, reason = ?, exit_code = ?, signal = ?, finished_at = ?,
	end_reason = '', doubt = 0, pid = 0, proc_start = '', proc_boot = ''`

// tellEnd tells of a run that has ended for good.
func (t *tx) tellEnd(id string, e Ending) error {
	if err := t.event(id, EventEnded, e.State, e.Reason); err != nil {
		return err
	}
	return t.settle(over{id, e.State})
}

// again reports whether the attempt may be followed by another one.
func (e *Ending) again() bool {
	return !e.RetryAt.IsZero() && e.State != Completed && e.State != Cancelled
}

// finished is when it ended, which may be left to the time of the transaction.
func (e *Ending) finished(now time.Time) int64 {
	if e.FinishedAt.IsZero() {
		return toMillis(now)
	}
	return toMillis(e.FinishedAt)
}

// at is when the process was started, for a column; nil if that is not known.
func (s *StartInfo) at() any {
	if s.At.IsZero() {
		return nil
	}
	return toMillis(s.At)
}

// words are the reason of an EventStarted.
func (s *StartInfo) words() string {
	if s.Script == "" {
		return ""
	}
	return "its script was changed after it was accepted"
}
