package jobs

import (
	"context"
	"fmt"
)

const doubtReason = "its line is missing from the queue file: waits until that is decided"

// waits knows why PENDING jobs wait: the limits in force held against what
// runs. Such a reason would be old as soon as it was stored, so it is made
// when a job is read.
type waits struct {
	catalog *Catalog // nil: no reason is known
	running map[string]int
	total   int
	pending []string // types of which jobs wait
}

// waits reads the counters it needs.
func (q *Queue) waits(ctx context.Context) (*waits, error) {
	w := &waits{catalog: q.catalog.Load(), running: map[string]int{}}
	if w.catalog == nil {
		return w, nil
	}
	err := q.read.each(ctx, "SELECT state, type, n FROM counters WHERE state IN ('PENDING', 'RUNNING') AND n > 0", nil,
		func(row scanner) error {
			var state, name string
			var n int
			if err := row.Scan(&state, &name, &n); err != nil {
				return err
			}
			if State(state) == Running {
				w.running[name] = n
				w.total += n
			} else {
				w.pending = append(w.pending, name)
			}
			return nil
		})
	return w, err
}

// explain fills in the reasons of the PENDING ones among found.
func (q *Queue) explain(ctx context.Context, found ...*Job) error {
	var w *waits
	for _, j := range found {
		if j.State != Pending {
			continue
		}
		if w == nil {
			var err error
			if w, err = q.waits(ctx); err != nil {
				return err
			}
		}
		j.Reason = w.reason(j.Type, j.Doubt)
	}
	return nil
}

// reason is that of a PENDING job; "" if nothing known keeps it from starting.
func (w *waits) reason(name string, doubt bool) string {
	if w.catalog == nil {
		return ""
	}
	t := w.catalog.Types[name]
	switch {
	case t == nil:
		return fmt.Sprintf("type %q is not configured", name)
	case doubt:
		return doubtReason
	case t.MaxConcurrent > 0 && w.running[name] >= t.MaxConcurrent:
		return fmt.Sprintf("type limit: %s %d of %d running", name, w.running[name], t.MaxConcurrent)
	case w.catalog.MaxConcurrent > 0 && w.total >= w.catalog.MaxConcurrent:
		return fmt.Sprintf("limit: %d of %d running", w.total, w.catalog.MaxConcurrent)
	}
	return ""
}

// mention reports whether the reason of any PENDING job can contain word,
// which is in lower case.
func (w *waits) mention(word string) bool {
	for _, name := range w.pending {
		if containsFold(w.reason(name, false), word) || containsFold(w.reason(name, true), word) {
			return true
		}
	}
	return false
}
