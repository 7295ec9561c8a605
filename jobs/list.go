package jobs

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// List returns the jobs that a Filter selects, newest first by Seq. A fault in
// its Query is a *QueryError.
//
// Every state and type asked for is walked in its own index from the newest
// job down, and no further than the limit needs.
func (q *Queue) List(ctx context.Context, f Filter) ([]*Job, error) {
	terms, err := parseQuery(f.Query)
	if err != nil {
		return nil, err
	}
	if !terms.narrow(f) {
		return nil, nil // the Filter contradicts its Query
	}
	w, err := q.waits(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing jobs: %w", err)
	}
	limit := orDefault(f.Limit)
	from, floor := int64(math.MaxInt64), int64(0)
	if f.Before > 0 {
		from = f.Before
	}
	conditions, args := terms.sql(w)
	var found []*Job
	for _, walk := range terms.walks() {
		some, err := q.walk(ctx, walk, from, floor, conditions, args, func(j *Job) bool {
			if j.State == Pending {
				j.Reason = w.reason(j.Type, j.Doubt)
			}
			return terms.match(j)
		}, limit)
		if err != nil {
			return nil, fmt.Errorf("listing jobs: %w", err)
		}
		found = append(found, some...)
		slices.SortFunc(found, func(a, b *Job) int { return cmp.Compare(b.Seq, a.Seq) })
		if len(found) >= limit {
			found = found[:limit]
			floor = found[limit-1].Seq // the other walks need go no further
		}
	}
	return found, nil
}

// walk is a way through the jobs by descending Seq: an index, and what of it.
type walk struct {
	index string
	where string // ends in " AND " or is ""
	args  []any
}

func (w walk) query(conditions string) string {
	return selectJobs + w.index + " WHERE " + w.where + "seq < ? AND seq > ?" + conditions + " ORDER BY seq DESC"
}

// walk returns up to limit jobs between two Seqs, both left out, that wanted
// accepts.
func (q *Queue) walk(ctx context.Context, w walk, before, after int64, conditions string, args []any,
	wanted func(*Job) bool, limit int) ([]*Job, error) {
	all := slices.Concat(w.args, []any{before, after}, args)
	rows, err := q.read.db.QueryContext(ctx, w.query(conditions), all...)
	if err != nil {
		return nil, err
	}
	var found []*Job
	err = eachRow(rows, func(row scanner) error {
		j, err := scanJob(row)
		if err != nil {
			return err
		}
		if wanted(j) {
			found = append(found, j)
		}
		if len(found) == limit {
			return errStop
		}
		return nil
	})
	return found, err
}

// walks are the ways to go: one for each combination of state and type.
func (t *terms) walks() []walk {
	if t.id != "" {
		return []walk{{index: "INDEXED BY jobs_id", where: "id >= ? AND id < ? AND " + t.among(), args: []any{t.id, pastPrefix(t.id)}}}
	}
	var all []walk
	states := t.states
	if len(states) == 0 {
		states = States
	}
	switch {
	case len(t.types) > 0:
		for _, name := range t.types {
			for _, s := range states {
				all = append(all, walk{"INDEXED BY jobs_type", "type = ? AND state = ? AND ", []any{name, string(s)}})
			}
		}
	case len(t.states) > 0:
		for _, s := range states {
			all = append(all, walk{"INDEXED BY jobs_state", "state = ? AND ", []any{string(s)}})
		}
	default:
		all = []walk{{index: "NOT INDEXED"}}
	}
	return all
}

// among is the condition for states and types where no index holds them. The
// names are constants of this package, or checked in Go afterwards.
func (t *terms) among() string {
	if len(t.states) == 0 {
		return ""
	}
	quoted := make([]string, len(t.states))
	for i, s := range t.states {
		quoted[i] = "'" + string(s) + "'"
	}
	return "state IN (" + strings.Join(quoted, ",") + ") AND "
}
