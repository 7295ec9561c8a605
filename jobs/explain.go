package jobs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// waits knows why PENDING jobs wait: the limits in force held against what
// runs. Such a reason would be old as soon as it was stored, so it is made
// when a job is read.
type waits struct {
	queue   *Queue
	now     time.Time
	catalog *Catalog // nil: only those reasons are known that lie in the job itself
	brakes  Brakes
	running map[string]int
	total   int
	pending []string // types of which jobs wait

	slots *SlotTable      // what RUNNING jobs hold and for whom the rest is kept; nil until it is needed
	heads map[string]head // the jobs that slots are kept for, by id
}

// waits reads the counters and brakes that reasons are made of.
func (q *Queue) waits(ctx context.Context) (*waits, error) {
	w := &waits{queue: q, now: time.Now(), catalog: q.catalog.Load(), running: map[string]int{}}
	var err error
	if w.brakes, err = q.Brakes(ctx); err != nil {
		return nil, err
	}
	err = q.read.each(ctx, "SELECT state, type, n FROM counters WHERE state IN ('PENDING', 'RUNNING') AND n > 0", nil,
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
	if !slices.ContainsFunc(found, func(j *Job) bool { return j.State == Pending }) {
		return nil
	}
	w, err := q.waits(ctx)
	if err != nil {
		return err
	}
	return w.explain(ctx, found)
}

// explain fills in the reasons of the PENDING ones among found. It reads what
// they wait for in one go, so it must not be called while rows are open: with
// as many callers as connections each would wait for another's.
func (w *waits) explain(ctx context.Context, found []*Job) error {
	var waiting []string
	for _, j := range found {
		if j.State != Pending {
			continue
		}
		if j.Unmet > 0 {
			waiting = append(waiting, j.ID)
		}
		if t := w.typeOf(j.Type); t != nil && len(t.Slots) > 0 {
			if err := w.readSlots(ctx); err != nil {
				return err
			}
		}
	}
	unmet, err := w.queue.unmet(ctx, waiting)
	if err != nil {
		return err
	}
	for _, j := range found {
		if j.State == Pending {
			j.Reason = w.reason(j, unmet[j.ID])
		}
	}
	return nil
}

// typeOf gives a configured type, nil if it is not.
func (w *waits) typeOf(name string) *Type {
	if w.catalog == nil {
		return nil
	}
	return w.catalog.Types[name]
}

// selectUnmet reads at most unmetMost of the jobs that each waits for, so that
// one that waits for thousands costs no more than others.
const (
	unmetMost   = 16
	selectUnmet = `SELECT d.job, d.on_job FROM json_each(?) AS w CROSS JOIN dependencies AS d
	WHERE d.job = w.value AND d.on_job IN (SELECT on_job FROM dependencies WHERE job = w.value ORDER BY on_job LIMIT 16)`
)

// unmet gives, of each of the jobs, some of those that it still waits for.
func (q *Queue) unmet(ctx context.Context, waiting []string) (map[string][]string, error) {
	if len(waiting) == 0 {
		return nil, nil
	}
	on := map[string][]string{}
	err := q.read.each(ctx, selectUnmet, []any{packJSON(waiting)}, func(row scanner) error {
		var id, other string
		err := row.Scan(&id, &other)
		on[id] = append(on[id], other)
		return err
	})
	return on, err
}

// head is the first job of a type that may start but for its slots.
type head struct {
	turn
	name string // of the type
	id   string
}

const (
	selectHeld = "SELECT slots FROM jobs INDEXED BY jobs_state WHERE state = 'RUNNING' AND slots <> ''"
	selectHead = "SELECT id, priority, seq FROM jobs INDEXED BY jobs_next WHERE " + mayStart + " AND type = ? ORDER BY priority DESC, seq LIMIT 1"
)

// readSlots finds out what RUNNING jobs hold, and for which jobs free tokens
// are kept: those that could start by everything but their slots.
func (w *waits) readSlots(ctx context.Context) error {
	if w.slots != nil {
		return nil
	}
	table := NewSlotTable(w.catalog.Slots)
	err := w.queue.read.each(ctx, selectHeld, nil, func(row scanner) error {
		var text string
		if err := row.Scan(&text); err != nil {
			return err
		}
		var tokens map[string][]string
		err := unpack([]packed{{text, &tokens}})
		table.Hold(tokens)
		return err
	})
	if err != nil {
		return err
	}
	first, err := w.readHeads(ctx)
	if err != nil {
		return err
	}
	w.heads = map[string]head{}
	for _, h := range first {
		table.Reserve(h.id, w.catalog.Types[h.name].Slots)
		w.heads[h.id] = h
	}
	w.slots = table
	return nil
}

// readHeads gives the heads of the types that take slots, in the order in which
// they are to start. As all jobs of a type need the same, they speak for the rest.
func (w *waits) readHeads(ctx context.Context) ([]head, error) {
	var all []head
	for _, name := range w.pending {
		t := w.catalog.Types[name]
		if t == nil || len(t.Slots) == 0 || w.brakes.words(name) != "" || w.full(t) {
			continue
		}
		h := head{name: name}
		err := w.queue.read.row(ctx, selectHead, []any{name}, &h.id, &h.priority, &h.seq)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b head) int {
		return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.seq, b.seq))
	})
	return all, nil
}

// full reports whether as many jobs of a type run as may.
func (w *waits) full(t *Type) bool {
	return t.MaxConcurrent > 0 && w.running[t.Name] >= t.MaxConcurrent
}
