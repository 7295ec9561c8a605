package jobs

import (
	"context"
	"fmt"
)

// FullError is what Accept returns when so many jobs wait already that those of
// an Intake may not join them. Nothing of it was taken; later it may be.
type FullError struct {
	Most int // jobs that may wait
	Adds int // jobs that the Intake asks for
}

func (e *FullError) Error() string { return FullWords(e.Most) }

// FullWords says that no more than most jobs may wait, and that they do.
func FullWords(most int) string { return fmt.Sprintf("%d jobs wait already (max_pending)", most) }

const countPending = "SELECT coalesce(sum(n), 0) FROM counters WHERE state = 'PENDING'"

// Pending returns how many jobs are PENDING.
func (q *Queue) Pending(ctx context.Context) (n int, err error) {
	if err = q.read.row(ctx, countPending, nil, &n); err != nil {
		return 0, fmt.Errorf("counting what waits: %w", err)
	}
	return n, nil
}

// room watches over how many jobs wait while an Intake is taken in.
type room struct {
	t      *tx
	in     Intake
	before int // jobs that waited before it
	added  int // tx.added before it
}

func (t *tx) room(in Intake) (*room, error) {
	r := &room{t: t, in: in, added: t.added}
	if in.MaxPending == 0 {
		return r, nil
	}
	return r, t.row(countPending, nil, &r.before)
}

// full says whether there are too many jobs now; nil if not. Commands and keys
// may have ended some meanwhile, so they are counted again before that is said.
func (r *room) full() (*FullError, error) {
	most, added := r.in.MaxPending, r.t.added-r.added
	if most == 0 || added == 0 || r.before+added <= most {
		return nil, nil
	}
	var now int
	if err := r.t.row(countPending, nil, &now); err != nil || now <= most {
		return nil, err
	}
	return &FullError{Most: most, Adds: max(1, r.in.pending())}, nil
}

// pending counts the jobs of the Intake that are to wait.
func (in Intake) pending() (n int) {
	for _, e := range in.Entries {
		if e.Job != nil && e.Job.State == Pending {
			n++
		}
	}
	return n
}
