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
	return "", sweep, refusal, err
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
