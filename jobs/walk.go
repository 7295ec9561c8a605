package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// walk is a way through the jobs by their Seq: an index, and what of it.
type walk struct {
	index string
	where string // what of the index; ends in " AND " or is ""
	args  []any
	few   bool // the index is not in the order of Seq, but there are few jobs
	cost  int  // to come to the next job

	at   int64 // the Seq that it has come to
	step int   // jobs to look at next
	done bool
}

// Jobs that a walk looks at in one step, at first and at most, and reads.
const (
	stepLeast, stepMost = 32, 4000
	readLeast, readMost = 50, 500
)

// query reads jobs of a walk that fulfil conditions.
func (w *walk) query(conditions string, up bool) string {
	return selectJobs + w.index + " WHERE " + w.where + "seq < ? AND seq > ?" + conditions + " ORDER BY seq" + direction(up) + " LIMIT ?+0"
}

// queryStep finds the Seq that so many jobs of a walk lead to.
func (w *walk) queryStep(up bool) string {
	return "SELECT seq FROM jobs " + w.index + " WHERE " + w.where + "seq < ? AND seq > ? ORDER BY seq" + direction(up) + " LIMIT 1 OFFSET ?+0"
}

func direction(up bool) string {
	if up {
		return ""
	}
	return " DESC"
}

// bounds are the Seqs between which a walk has still to go, both left out.
func (s *search) bounds(w *walk) (before, after int64) {
	if s.up {
		return s.before, w.at
	}
	return w.at, s.after
}

// advance takes a walk some jobs on.
func (s *search) advance(ctx context.Context, w *walk) error {
	end, err := s.stepOf(ctx, w)
	if err != nil {
		return err
	}
	n := min(max(s.limit+1-len(s.found), readLeast), readMost)
	some, err := s.read(ctx, w, end, n)
	if err != nil {
		return err
	}
	s.effort -= 2*costLookUp + (len(some)-s.add(some))*costWhole // what is found is wanted
	looked, from := w.step, w.at
	if len(some) == n {
		w.at = some[n-1].Seq // the next step begins there
		if looked = n; s.conditions != "" {
			looked = int(min(int64(w.step), max(from-w.at, w.at-from)))
		}
	} else {
		w.at, w.done = end, end == s.end()
		w.step = min(2*w.step, stepMost)
	}
	s.effort -= looked * (w.cost + s.costs)
	return nil
}

// end is the Seq at which the search has come to its end.
func (s *search) end() int64 {
	if s.up {
		return s.before
	}
	return s.after
}

// stepOf gives the Seq up to which a walk's next step goes. If every job is a
// match, there is no need for a bound beside the number that is read.
func (s *search) stepOf(ctx context.Context, w *walk) (int64, error) {
	if w.few || s.conditions == "" {
		return s.end(), nil
	}
	before, after := s.bounds(w)
	var seq int64
	row := s.queue.read.db.QueryRowContext(ctx, w.queryStep(s.up), slices.Concat(w.args, []any{before, after, w.step - 1})...)
	err := notFound(row.Scan(&seq))
	if errors.Is(err, ErrNotFound) {
		return s.end(), nil
	}
	return seq, err
}

// read reads up to n jobs of a walk up to a Seq, with their reasons.
func (s *search) read(ctx context.Context, w *walk, end int64, n int) ([]*Job, error) {
	before, after := s.bounds(w)
	switch {
	case end == s.end():
	case s.up:
		before = end + 1
	default:
		after = end - 1
	}
	all := slices.Concat(w.args, []any{before, after}, s.args, []any{n})
	rows, err := s.queue.read.db.QueryContext(ctx, w.query(s.conditions, s.up), all...)
	if err != nil {
		return nil, err
	}
	var some []*Job
	if err := eachRow(rows, addTo(&some)); err != nil {
		return nil, err
	}
	return some, s.waits.explain(ctx, some)
}

// plan decides on the ways to go.
func (s *search) plan(ctx context.Context) error {
	var err error
	s.walks, err = s.ways(ctx)
	for _, w := range s.walks {
		w.at = s.start()
	}
	return err
}

// share makes the first step of all walks together cost no more than effort.
func (s *search) share(effort int) {
	for _, w := range s.walks {
		w.step = min(max(effort/len(s.walks)/(w.cost+s.costs+1), stepLeast), stepMost)
	}
}

// start is the Seq at which the search begins.
func (s *search) start() int64 {
	if s.up {
		return s.after
	}
	return s.before
}

// ways are the few jobs of an id, a sweep or an exit status, or those of each
// state and type that is asked for, or all.
func (s *search) ways(ctx context.Context) ([]*walk, error) {
	t := s.terms
	few, err := s.few(ctx)
	switch {
	case err != nil:
		return nil, err
	case few:
		s.among()
		return []*walk{{index: "INDEXED BY jobs_id", where: "id >= ? AND id < ? AND ", args: []any{t.id, pastPrefix(t.id)}, few: true}}, nil
	case t.group != "":
		s.among()
		groups, err := s.queue.sweeps(ctx, t.group)
		var all []*walk
		for _, group := range groups {
			all = append(all, &walk{index: "INDEXED BY jobs_sweep", where: "sweep = ? AND sweep <> '' AND ", args: []any{group}, cost: costJump})
		}
		return all, err
	case t.exit != nil && *t.exit != 0:
		s.among()
		return []*walk{{index: "INDEXED BY jobs_exit", where: "exit_code = ? AND exit_code <> 0 AND ", args: []any{*t.exit}, cost: costJump}}, nil
	}
	if t.id != "" {
		s.conditions += " AND id >= ? AND id < ?"
		s.args = append(s.args, t.id, pastPrefix(t.id))
	}
	if len(t.states) == 0 && len(t.types) == 0 {
		return []*walk{{index: "NOT INDEXED", cost: costRow}}, nil
	}
	return s.sorts(ctx)
}

// walkID is how many letters of an id are looked up; fewer fit many jobs, and so
// may more, where ids begin with a time. walkMost is how many jobs are few.
const (
	walkID   = 4
	walkMost = 500

	countIDs = "SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_id WHERE id >= ? AND id < ? LIMIT ?+0)"
)

// few reports whether the beginning of an id that is asked for fits but few jobs.
func (s *search) few(ctx context.Context) (bool, error) {
	id := s.terms.id
	if len(id) < walkID {
		return false, nil
	}
	n := 0
	err := s.queue.read.row(ctx, countIDs, []any{id, pastPrefix(id), walkMost + 1}, &n)
	return n <= walkMost, err
}

// mostSorts is how many indexes are walked at once.
const mostSorts = 24

// sorts are the jobs of each state and type that is asked for, by their indexes.
// Where that is a good part of all jobs and each has to be looked at, the table
// is walked instead: what comes next there is read at once.
func (s *search) sorts(ctx context.Context) ([]*walk, error) {
	stats, err := s.queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	all, wanted := 0, 0
	for _, n := range stats.States {
		all += n
	}
	var list []*walk
	states := s.terms.states
	if len(states) == 0 {
		states = States
	}
	for _, state := range states {
		if len(s.terms.types) == 0 && stats.States[state] > 0 {
			wanted += stats.States[state]
			list = append(list, &walk{index: "INDEXED BY jobs_state", where: "state = ? AND ", args: []any{string(state)}, cost: costJump})
		}
		for _, name := range s.terms.types {
			if n := stats.Types[name][state]; n > 0 {
				wanted += n
				list = append(list, &walk{index: "INDEXED BY jobs_type", where: "type = ? AND state = ? AND ", args: []any{name, string(state)}, cost: costJump})
			}
		}
	}
	if len(list) > mostSorts || s.conditions != "" && wanted > all/8 {
		s.among()
		return []*walk{{index: "NOT INDEXED", cost: costRow}}, nil
	}
	return list, nil
}

// among makes conditions of the states and types, where no index holds them.
func (s *search) among() {
	if list := s.terms.states; len(list) > 0 {
		s.conditions = " AND state IN (" + quotedStates(list) + ")" + s.conditions
	}
	if list := s.terms.types; len(list) > 0 {
		s.conditions = " AND type IN (SELECT value FROM json_each(?))" + s.conditions
		s.args = append([]any{packJSON(list)}, s.args...)
	}
}

// quotedStates are states for a condition. They are constants of this package.
func quotedStates(list []State) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = "'" + string(s) + "'"
	}
	return strings.Join(quoted, ",")
}

// mostSweeps is how many sweeps the beginning of an id may stand for.
const mostSweeps = 16

const selectGroup = "SELECT sweep FROM jobs INDEXED BY jobs_sweep WHERE sweep > ? AND sweep < ? AND sweep <> '' ORDER BY sweep LIMIT 1"

// sweeps gives the sweeps whose ids begin with prefix.
func (q *Queue) sweeps(ctx context.Context, prefix string) ([]string, error) {
	if len(prefix) == 36 {
		return []string{prefix}, nil
	}
	var all []string
	for last := prefix; ; {
		err := q.read.row(ctx, selectGroup, []any{last, pastPrefix(prefix)}, &last)
		switch {
		case errors.Is(err, ErrNotFound):
			return all, nil
		case err != nil:
			return nil, err
		case len(all) == mostSweeps:
			return nil, &QueryError{Term: "group:" + prefix, Message: fmt.Sprintf("more than %d sweeps begin with %s: give more letters", mostSweeps, prefix)}
		}
		all = append(all, last)
	}
}
