package jobs

import (
	"context"
	"fmt"
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
		if f.Start != nil {
			if _, err := t.started(f.ID, f.Attempt, *f.Start); err != nil {
				return nil, err
			}
		}
		var err error
		if changed[i], err = t.end(f.ID, f.Attempt, f.Ending); err != nil {
			return nil, err
		}
	}
	return changed, nil
}
