package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A partial index is used only where its condition is repeated.
const (
	selectFirstSweep = "SELECT sweep FROM jobs INDEXED BY jobs_sweep WHERE sweep >= ? AND sweep < ? AND sweep <> '' ORDER BY sweep LIMIT 1"
	selectLastSweep  = "SELECT sweep FROM jobs INDEXED BY jobs_sweep WHERE sweep >= ? AND sweep < ? AND sweep <> '' ORDER BY sweep DESC LIMIT 1"
	selectMembers    = "SELECT id FROM jobs INDEXED BY jobs_sweep WHERE sweep = ? AND sweep <> '' ORDER BY seq"
	selectMember     = selectMembers + " LIMIT 1"
	selectSweep      = selectJobs + "INDEXED BY jobs_sweep WHERE sweep = ? AND sweep <> '' ORDER BY seq"
)

// Members returns the jobs of the sweep whose id is prefix or begins with it,
// in order of acceptance; ErrNotFound if there is none, an *AmbiguousError if
// there are several. At least 4 letters are needed.
func (q *Queue) Members(ctx context.Context, prefix string) ([]*Job, error) {
	prefix = strings.ToLower(strings.TrimSpace(prefix))
	if len(prefix) < 4 {
		return nil, fmt.Errorf("finding sweep %q: at least 4 letters of its id are needed: %w", prefix, ErrNotFound)
	}
	var first, last string
	err := q.read.row(ctx, selectFirstSweep, []any{prefix, pastPrefix(prefix)}, &first)
	if err == nil {
		err = q.read.row(ctx, selectLastSweep, []any{prefix, pastPrefix(prefix)}, &last)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("finding sweep %q: %w", prefix, err)
	case first != last:
		return nil, &AmbiguousError{Prefix: prefix, IDs: []string{first, last}}
	}
	return q.explained(ctx, selectSweep, first)
}

// lookUp finds what an id or its beginning names: a job, else a sweep. If that
// is neither or several, refusal says so.
func (t *tx) lookUp(prefix string) (job, sweep, refusal string, err error) {
	if len(prefix) < minPrefix {
		return "", "", fmt.Sprintf("%q is too short: at least %d letters of an id are needed", prefix, minPrefix), nil
	}
	var fits []string
	err = t.each("SELECT id FROM jobs WHERE id >= ? AND id < ? LIMIT 2", []any{prefix, pastPrefix(prefix)},
		func(row scanner) error {
			err := row.Scan(&job)
			fits = append(fits, job)
			return err
		})
	switch {
	case err != nil || len(fits) == 1:
		return job, "", "", err
	case len(fits) > 1:
		return "", "", fmt.Sprintf("%q fits several jobs", prefix), nil
	}
	sweep, refusal, err = t.sweep(prefix)
	if err == nil && refusal != "" {
		if gone, err := t.prunedBy(prefix); err != nil || gone != nil {
			return "", "", goneWords(gone), err
		}
	}
	return "", sweep, refusal, err
}

// goneWords is why nothing can be done to what was pruned.
func goneWords(gone *PrunedError) string {
	if gone == nil {
		return ""
	}
	return gone.Error()
}

func (t *tx) sweep(prefix string) (id, refusal string, err error) {
	var last string
	err = t.row(selectFirstSweep, []any{prefix, pastPrefix(prefix)}, &id)
	if err == nil {
		err = t.row(selectLastSweep, []any{prefix, pastPrefix(prefix)}, &last)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return "", fmt.Sprintf("no job %q is known", prefix), nil
	case err == nil && id != last:
		return "", fmt.Sprintf("%q fits several sweeps", prefix), nil
	}
	return id, "", err
}

// members gives the ids of the jobs of a sweep, in order of acceptance.
func (t *tx) members(sweep string) (ids []string, err error) {
	err = t.each(selectMembers, []any{sweep}, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// answerBySweep answers a new job whose id, or that of its sweep, stands for
// something else already: for a sweep, for a job, or for a sweep that was made
// without it. Otherwise the Outcome bears no Job.
func (t *tx) answerBySweep(j *Job) (Outcome, error) {
	id, words := j.ID, "as that of a sweep"
	known, err := t.firstMember(id)
	if j.Group != "" {
		id, words = j.Group, "as that of a sweep without this job"
		if known, err = t.knownSweep(id); known != nil && known.ID == id {
			words = "as that of a single job"
		}
	}
	if err != nil || known == nil {
		return Outcome{}, err
	}
	if known.Group == j.Group && j.Group != "" {
		err := t.row("SELECT id FROM jobs WHERE id = ?", []any{j.ID}, new(string))
		if !errors.Is(err, ErrNotFound) {
			return Outcome{}, err // it is one of the sweep, and answered as that
		}
	}
	if j.State == Rejected {
		words += "; what came now is bad: " + j.Reason
	}
	return Outcome{Job: known, Known: true, Warning: fmt.Sprintf("id %s is known already, %s", shortID(id), words)}, nil
}

// knownSweep gives the job that bears the id of a sweep, or the first one of a
// sweep that was taken in before; nil if there is neither. A REJECTED job gives
// the id up. It is found out once for all jobs of the sweep.
func (t *tx) knownSweep(id string) (*Job, error) {
	if j, seen := t.sweeps[id]; seen {
		return j, nil
	}
	j, err := t.job(id)
	if err == nil && j.State == Rejected {
		if _, err := t.change("DELETE FROM jobs WHERE id = ? AND state = 'REJECTED'", id); err != nil {
			return nil, err
		}
		err = ErrNotFound
	}
	if errors.Is(err, ErrNotFound) {
		j, err = t.firstMember(id)
	}
	if err != nil {
		return nil, err
	}
	if t.sweeps == nil {
		t.sweeps = map[string]*Job{}
	}
	t.sweeps[id] = j
	return j, nil
}

// firstMember gives the first job of the sweep with that id; nil if there is
// none.
func (t *tx) firstMember(sweep string) (*Job, error) {
	var id string
	err := t.row(selectMember, []any{sweep}, &id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return t.job(id)
}
