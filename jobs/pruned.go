package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// PrunedError says that an id is that of a job, or of a sweep, of which no more
// is known than this. It is an ErrNotFound too.
type PrunedError struct {
	ID    string
	State State // of a sweep the first one that is not COMPLETED, if one is
	At    time.Time
	Sweep bool
}

func (e *PrunedError) Error() string { return "job " + shortID(e.ID) + " " + e.words() }

// Unwrap makes it an ErrNotFound for whoever need not tell the two apart.
func (e *PrunedError) Unwrap() error { return ErrNotFound }

// words say what became of it: "COMPLETED on 2026-10-01 and was pruned".
func (e *PrunedError) words() string {
	var did string
	switch e.State {
	case Completed, Failed:
		did = string(e.State)
	default:
		did = "was " + string(e.State)
	}
	return fmt.Sprintf("%s on %s and was pruned", did, e.At.Format(time.DateOnly))
}

// taken says why a new request cannot bear the id.
func (e *PrunedError) taken() string {
	what := "job"
	if e.Sweep {
		what = "sweep"
	}
	return fmt.Sprintf("id %s belongs to a %s that %s", shortID(e.ID), what, e.words())
}

// Job is what is left to say of it as a job: id, state and end.
func (e *PrunedError) Job() *Job {
	return &Job{ID: e.ID, State: e.State, Reason: e.words(), Attempt: 1, SubmittedAt: e.At, FinishedAt: e.At}
}

const (
	prunedColumns   = "id, state, finished_at, sweep"
	selectAnyPruned = "SELECT 1 FROM pruned LIMIT 1"
	selectPruned    = "SELECT " + prunedColumns + " FROM pruned WHERE id = ?"
	selectPrunedBy  = "SELECT " + prunedColumns + " FROM pruned WHERE id >= ? AND id < ? ORDER BY id LIMIT 2"
)

// HasPruned reports whether a job has ever been let go.
func (q *Queue) HasPruned(ctx context.Context) (bool, error) {
	err := q.read.row(ctx, selectAnyPruned, nil, new(int))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return false, fmt.Errorf("looking for pruned jobs: %w", err)
	}
	return err == nil, nil
}

func scanPruned(row scanner) (*PrunedError, error) {
	var e PrunedError
	var state string
	var at int64
	err := row.Scan(&e.ID, &state, &at, &e.Sweep)
	e.State, e.At = State(state), fromMillis(at)
	return &e, err
}

// absent is the error for an id, or the beginning of one, that no job bears: a
// *PrunedError if a single one did.
func (q *Queue) absent(ctx context.Context, prefix string) error {
	var found []*PrunedError
	err := q.read.each(ctx, selectPrunedBy, []any{prefix, pastPrefix(prefix)}, func(row scanner) error {
		e, err := scanPruned(row)
		found = append(found, e)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(found) == 1:
		return found[0]
	}
	return ErrNotFound
}

// pruned reads what is left of an id inside the transaction; nil if nothing is.
func (t *tx) pruned(id string) (*PrunedError, error) {
	s, err := t.stmt(selectPruned)
	if err != nil {
		return nil, err
	}
	e, err := scanPruned(s.QueryRow(id))
	if err = notFound(err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return e, err
}

// prunedBy is pruned for the beginning of an id that fits one alone.
func (t *tx) prunedBy(prefix string) (*PrunedError, error) {
	var found []*PrunedError
	err := t.each(selectPrunedBy, []any{prefix, pastPrefix(prefix)}, func(row scanner) error {
		e, err := scanPruned(row)
		found = append(found, e)
		return err
	})
	if err != nil || len(found) != 1 {
		return nil, err
	}
	return found[0], nil
}

// prunedFor gives what is left of the job that a new one cannot follow, because
// it, or its sweep, bears the same id; nil if there is none. A REJECTED one gives
// the id up.
func (t *tx) prunedFor(j *Job) (*PrunedError, error) {
	for _, id := range []string{j.Group, j.ID} {
		if id == "" {
			continue
		}
		e, err := t.pruned(id)
		switch {
		case err != nil:
			return nil, err
		case e == nil:
		case e.State != Rejected:
			return e, nil
		case j.State == Pending || j.State == Rejected:
			if _, err := t.change("DELETE FROM pruned WHERE id = ?", id); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// stateOf gives the state of a job, also of one that was pruned.
func (t *tx) stateOf(id string) (State, error) {
	var state string
	err := t.row("SELECT state FROM jobs WHERE id = ?", []any{id}, &state)
	if err != ErrNotFound {
		return State(state), err
	}
	e, err := t.pruned(id)
	if err == nil && e == nil {
		err = ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return e.State, nil
}

// remains is what is left of a job that was pruned, or ErrNotFound.
func (t *tx) remains(id string) (*Job, error) {
	e, err := t.pruned(id)
	if err == nil && e == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return e.Job(), nil
}

// takeNew is take for an entry whose job, or sweep, may have been pruned: then
// that answers it.
func (t *tx) takeNew(e Entry) (Outcome, error) {
	gone, err := t.prunedFor(e.Job)
	if err != nil || gone == nil {
		if err != nil {
			return Outcome{}, err
		}
		return t.take(e)
	}
	return Outcome{Job: gone.Job(), Known: true, Warning: gone.taken(), pruned: gone}, nil
}

// refusePruned refuses the requests of a file whose jobs were pruned; nil if
// there are none. Nothing is left of such a job that could be shown in answer,
// so its writer must learn of it. Lines and schedules come again by themselves.
func refusePruned(in Intake, out []Outcome) *RefusedError {
	if in.Receipt == nil {
		return nil
	}
	var refusals []Refusal
	for i, o := range out {
		if o.pruned == nil || in.Entries[i].Job.State != Pending {
			continue
		}
		f := &Fault{File: in.Receipt.Name, Message: o.pruned.taken(), Hint: "use another id"}
		if refusals = append(refusals, Refusal{i, f}); len(refusals) == maxBad {
			break
		}
	}
	if len(refusals) == 0 {
		return nil
	}
	return &RefusedError{Refusals: refusals}
}
