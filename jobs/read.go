package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// defaultLimit is how many rows a list has whose caller names no limit.
const defaultLimit = 100

func orDefault(limit int) int {
	if limit <= 0 {
		return defaultLimit
	}
	return limit
}

// Job returns the job of exactly that id, or ErrNotFound.
func (q *Queue) Job(ctx context.Context, id string) (*Job, error) {
	found, err := q.explained(ctx, selectJobs+"WHERE id = ?", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("reading job %q: %w", id, q.absent(ctx, id))
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Find returns the job whose id is prefix or begins with it, in any case; at
// least 4 letters are needed. Its error is ErrNotFound or an *AmbiguousError.
func (q *Queue) Find(ctx context.Context, prefix string) (*Job, error) {
	prefix = strings.ToLower(strings.TrimSpace(prefix))
	if len(prefix) < 4 {
		return nil, fmt.Errorf("finding job %q: at least 4 letters of its id are needed: %w", prefix, ErrNotFound)
	}
	found, err := q.explained(ctx, selectJobs+"WHERE id >= ? AND id < ? ORDER BY id LIMIT 10", prefix, pastPrefix(prefix))
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("finding job %q: %w", prefix, q.absent(ctx, prefix))
	case len(found) > 1:
		several := &AmbiguousError{Prefix: prefix}
		for _, j := range found {
			several.IDs = append(several.IDs, j.ID)
		}
		return nil, several
	}
	return found[0], nil
}

// mayStart is what the index jobs_next holds: PENDING jobs that nothing about
// themselves keeps from starting.
const mayStart = "state = 'PENDING' AND doubt = 0 AND hold = 0 AND unmet = 0 AND due = 0"

const (
	selectRunning = selectJobs + "INDEXED BY jobs_state WHERE state = 'RUNNING' ORDER BY seq"
	selectOrder   = selectJobs + "INDEXED BY jobs_order WHERE state = 'PENDING' ORDER BY priority DESC, seq LIMIT ?+0"
	selectNext    = selectJobs + `INDEXED BY jobs_next WHERE state = 'PENDING' AND doubt = 0 AND hold = 0 AND unmet = 0
		AND due = 0 AND type = ? ORDER BY priority DESC, seq LIMIT ?+0`
)

// Running returns every RUNNING job, in order of acceptance.
func (q *Queue) Running(ctx context.Context) ([]*Job, error) {
	return q.explained(ctx, selectRunning)
}

const selectLongest = "SELECT submitted_at FROM jobs INDEXED BY jobs_state WHERE state = 'PENDING' ORDER BY seq LIMIT 1"

// OldestPending returns when the PENDING job was submitted that was accepted
// first, the zero time if there is none.
func (q *Queue) OldestPending(ctx context.Context) (time.Time, error) {
	var at int64
	err := q.read.row(ctx, selectLongest, nil, &at)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return time.Time{}, fmt.Errorf("reading the oldest job that waits: %w", err)
	}
	return fromMillis(at), nil
}

// ListActive returns up to limit unfinished jobs (0 means 100): the RUNNING
// ones by their start, then the PENDING ones in the order of priority and
// acceptance.
func (q *Queue) ListActive(ctx context.Context, limit int) ([]*Job, error) {
	limit = orDefault(limit)
	found, err := q.Running(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b *Job) int { return a.StartedAt.Compare(b.StartedAt) })
	if len(found) >= limit {
		return found[:limit], nil
	}
	waiting, err := q.explained(ctx, selectOrder, limit-len(found))
	if err != nil {
		return nil, err
	}
	// A job that began between the two looks is in the first only if it was
	// RUNNING then; one that was taken back may be in both.
	for _, j := range waiting {
		if !slices.ContainsFunc(found, func(r *Job) bool { return r.ID == j.ID }) {
			found = append(found, j)
		}
	}
	return found, nil
}

// Next returns the PENDING jobs to start next: of the types that room names,
// at most room of each and limit in all, by priority and order of acceptance,
// none that is in doubt or held or waits for other jobs or its time. Their
// reasons are left out. It heeds neither pauses nor slots.
func (q *Queue) Next(ctx context.Context, room map[string]int, limit int) ([]*Job, error) {
	found, err := next(func(query string, args []any, fn func(scanner) error) error {
		return q.read.each(ctx, query, args, fn)
	}, room, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the next jobs: %w", err)
	}
	return found, nil
}

const (
	selectPendingTypes = "SELECT type FROM counters WHERE state = 'PENDING' AND n > 0"

	// manyTypes is how many types are asked for their next jobs without looking
	// first which of them have any.
	manyTypes = 8
)

// next is Next by whatever reads rows.
func next(each func(query string, args []any, fn func(scanner) error) error, room map[string]int, limit int) ([]*Job, error) {
	asked := maps.Clone(room)
	if len(room) > manyTypes {
		clear(asked)
		err := each(selectPendingTypes, nil, func(row scanner) error {
			var name string
			err := row.Scan(&name)
			if n, ok := room[name]; ok {
				asked[name] = n
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var found []*Job
	for name, n := range asked {
		if n = min(n, limit); n <= 0 {
			continue
		}
		if err := each(selectNext, []any{name, n}, addTo(&found)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, func(a, b *Job) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Seq, b.Seq))
	})
	return found[:max(0, min(len(found), limit))], nil
}

// Stats returns how many jobs there are of each state and type.
func (q *Queue) Stats(ctx context.Context) (Stats, error) {
	s := Stats{States: map[State]int{}, Types: map[string]map[State]int{}}
	for _, state := range States {
		s.States[state] = 0
	}
	err := q.read.each(ctx, "SELECT state, type, n FROM counters WHERE n > 0", nil, func(row scanner) error {
		var state, name string
		var n int
		if err := row.Scan(&state, &name, &n); err != nil {
			return err
		}
		s.States[State(state)] += n
		if name == "" {
			return nil // REJECTED before its type was known
		}
		if s.Types[name] == nil {
			s.Types[name] = map[State]int{}
		}
		s.Types[name][State(state)] = n
		return nil
	})
	if err != nil {
		return Stats{}, fmt.Errorf("reading counters: %w", err)
	}
	return s, nil
}

const selectEvents = "SELECT id, at, job, kind, state, reason FROM events WHERE id > ? ORDER BY id LIMIT ?+0"

// Events returns up to limit events (0 means 100) that came after the one of
// that id, oldest first.
func (q *Queue) Events(ctx context.Context, after int64, limit int) ([]Event, error) {
	var found []Event
	err := q.read.each(ctx, selectEvents, []any{after, orDefault(limit)},
		func(row scanner) error {
			var e Event
			var at int64
			var state string
			err := row.Scan(&e.ID, &at, &e.Job, &e.Kind, &state, &e.Reason)
			e.At, e.State = fromMillis(at), State(state)
			found = append(found, e)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	return found, nil
}

// LastEvent returns the id of the newest event that there was, 0 if there was none:
// it may be pruned.
func (q *Queue) LastEvent(ctx context.Context) (int64, error) {
	var id int64
	if err := q.read.row(ctx, "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)", nil, &id); err != nil {
		return 0, fmt.Errorf("reading the last event: %w", err)
	}
	return id, nil
}

// PutMeta stores a value that must survive a restart, under a name that its
// user chose.
func (q *Queue) PutMeta(ctx context.Context, key, value string) error {
	err := q.write(ctx, func(t *tx) error {
		_, err := t.change("INSERT OR REPLACE INTO meta VALUES (?,?)", key, value)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing %s: %w", key, err)
	}
	return nil
}

// Meta returns what PutMeta stored, "" if nothing.
func (q *Queue) Meta(ctx context.Context, key string) (string, error) {
	var value string
	err := q.read.row(ctx, "SELECT value FROM meta WHERE key = ?", []any{key}, &value)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", fmt.Errorf("reading %s: %w", key, err)
	}
	return value, nil
}

// explained runs a constant query for whole jobs and fills in their reasons.
func (q *Queue) explained(ctx context.Context, query string, args ...any) ([]*Job, error) {
	found, err := q.read.jobs(ctx, query, args...)
	if err == nil {
		err = q.explain(ctx, found...)
	}
	if err != nil {
		return nil, fmt.Errorf("reading jobs: %w", err)
	}
	return found, nil
}
