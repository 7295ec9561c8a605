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
	s, err := q.search(ctx, terms, f)
	if err != nil {
		return nil, fmt.Errorf("listing jobs: %w", err)
	}
	var found []*Job
	for _, walk := range terms.walks() {
		some, err := s.walk(ctx, walk)
		if err != nil {
			return nil, fmt.Errorf("listing jobs: %w", err)
		}
		found = append(found, some...)
		slices.SortFunc(found, func(a, b *Job) int { return cmp.Compare(b.Seq, a.Seq) })
		if len(found) >= s.limit {
			found = found[:s.limit]
			s.after = found[s.limit-1].Seq // the other walks need go no further
		}
	}
	return found, nil
}

// search is a Filter on its way through the jobs.
type search struct {
	queue         *Queue
	terms         *terms
	waits         *waits
	conditions    string // fulfilled by every match
	args          []any
	before, after int64 // bounds of Seq, both left out
	limit         int
}

func (q *Queue) search(ctx context.Context, t *terms, f Filter) (*search, error) {
	w, err := q.waits(ctx)
	if err != nil {
		return nil, err
	}
	if len(t.words) > 0 && w.catalog != nil {
		if err := w.readSlots(ctx); err != nil { // they are in reasons that a word may be of
			return nil, err
		}
	}
	s := &search{queue: q, terms: t, waits: w, before: math.MaxInt64, limit: orDefault(f.Limit)}
	if f.Before > 0 {
		s.before = f.Before
	}
	s.conditions, s.args = t.sql(w)
	if t.since.IsZero() {
		return s, nil
	}
	err = q.read.row(ctx, selectSince, []any{toMillis(t.since)}, &s.after)
	return s, err
}

// selectSince gives the Seq before that of the first job of a time or later.
// Seqs are nearly in the order of time, but not to be relied on for it.
const selectSince = "SELECT ifnull(min(seq), 9223372036854775807) - 1 FROM jobs INDEXED BY jobs_submitted WHERE submitted_at >= ?"

// walk is a way through the jobs by descending Seq: an index, and what of it.
type walk struct {
	index string
	where string // ends in " AND " or is ""
	args  []any
}

func (w walk) query(conditions string) string {
	return selectJobs + w.index + " WHERE " + w.where + "seq < ? AND seq > ?" + conditions + " ORDER BY seq DESC LIMIT ?+0"
}

// Jobs that are read at once when a walk looks for matches.
const (
	walkLeast = 50
	walkMost  = 500
)

// walk returns the jobs that match, up to the limit.
func (s *search) walk(ctx context.Context, w walk) ([]*Job, error) {
	var found []*Job
	for before, n := s.before, s.limit; ; {
		n = min(max(n, walkLeast), walkMost)
		some, err := s.read(ctx, w, before, n)
		if err != nil {
			return nil, err
		}
		for _, j := range some {
			if s.terms.match(j) {
				found = append(found, j)
			}
			if len(found) == s.limit {
				return found, nil
			}
		}
		if len(some) < n {
			return found, nil
		}
		before = some[n-1].Seq
		n *= 2 // matches are rare
	}
}

// read reads the next n jobs of a walk, with their reasons.
func (s *search) read(ctx context.Context, w walk, before int64, n int) ([]*Job, error) {
	all := slices.Concat(w.args, []any{before, s.after}, s.args, []any{n})
	rows, err := s.queue.read.db.QueryContext(ctx, w.query(s.conditions), all...)
	if err != nil {
		return nil, err
	}
	var some []*Job
	err = eachRow(rows, func(row scanner) error {
		j, err := scanJob(row)
		some = append(some, j)
		return err
	})
	if err != nil {
		return nil, err
	}
	return some, s.waits.explain(ctx, some)
}

// walks are the ways to go: one for each combination of state and type, or the
// few jobs of an id or a sweep.
func (t *terms) walks() []walk {
	switch {
	case t.id != "":
		return []walk{{index: "INDEXED BY jobs_id", where: "id >= ? AND id < ? AND " + t.among(), args: []any{t.id, pastPrefix(t.id)}}}
	case len(t.group) == 36:
		return []walk{{index: "INDEXED BY jobs_sweep", where: "sweep = ? AND sweep <> '' AND " + t.among(), args: []any{t.group}}}
	case t.group != "":
		return []walk{{index: "INDEXED BY jobs_sweep", where: "sweep >= ? AND sweep < ? AND sweep <> '' AND " + t.among(),
			args: []any{t.group, pastPrefix(t.group)}}}
	}
	states := t.states
	if len(states) == 0 {
		states = States
	}
	var all []walk
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
