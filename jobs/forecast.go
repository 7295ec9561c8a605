package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Forecast is what can be said of when a PENDING job starts.
type Forecast struct {
	Ahead   int       // PENDING jobs that may start, or could but for the pause that stops it too, and come before it
	StartAt time.Time // zero if it cannot be said
	Basis   string    // what StartAt rests on, or why there is none, in words
}

// What a forecast looks at.
const (
	forecastAhead = 10_000 // jobs before the one that is asked about
	forecastRuns  = 100    // latest COMPLETED jobs of a type, for how long its jobs run
	forecastNamed = 3      // types whose run times the words name
)

// Forecast says when a PENDING job is likely to start, from the run times of
// earlier jobs of the types that run and wait. ErrNotFound if no such job waits.
func (q *Queue) Forecast(ctx context.Context, id string) (Forecast, error) {
	f, err := q.forecast(ctx, id)
	if err != nil {
		return Forecast{}, fmt.Errorf("forecasting job %s: %w", id, err)
	}
	return f, nil
}

func (q *Queue) forecast(ctx context.Context, id string) (Forecast, error) {
	j, err := q.Job(ctx, id)
	if err != nil {
		return Forecast{}, err
	}
	if j.State != Pending {
		return Forecast{}, ErrNotFound
	}
	w, err := q.waits(ctx)
	if err != nil {
		return Forecast{}, err
	}
	if w.catalog == nil {
		return Forecast{Basis: "the configuration is not known"}, nil
	}
	f := Forecast{}
	if f.Ahead, err = w.ahead(ctx, j); err != nil {
		return Forecast{}, err
	}
	if why := w.stuck(j); why != "" {
		f.Basis = why
		return f, nil
	}
	if f.Ahead > forecastAhead {
		f.Basis = fmt.Sprintf("more than %d jobs come before it", forecastAhead)
		return f, nil
	}
	p, err := w.play(ctx, j)
	if err != nil {
		return Forecast{}, err
	}
	f.StartAt, f.Basis = p.start(j)
	return f, nil
}

// stuck says for what a job waits whose end nobody can foresee; "" if it waits
// only for its turn, or for a time that is known.
func (w *waits) stuck(j *Job) string {
	t := w.typeOf(j.Type)
	if t == nil || j.Doubt || j.Hold || j.Unmet > 0 || w.brakes.words(j.Type) != "" {
		return j.Reason
	}
	return impossible(w.catalog, t)
}

// impossible says which slot has fewer tokens than a job of the type needs; ""
// if none has.
func impossible(c *Catalog, t *Type) string {
	for _, lack := range NewSlotTable(c.Slots).Lacks("", t.Slots) {
		return lack.String()
	}
	return ""
}

// movable are the types of which jobs wait and may start when it is their turn.
func (w *waits) movable() []*Type {
	var all []*Type
	for _, name := range w.pending {
		t := w.catalog.Types[name]
		if t != nil && w.brakes.words(name) == "" && impossible(w.catalog, t) == "" {
			all = append(all, t)
		}
	}
	return all
}

// Both are answered from the index jobs_next alone.
const (
	countAbove = "SELECT count(*) FROM jobs INDEXED BY jobs_next WHERE " + mayStart + " AND type = ? AND priority > ?"
	countLevel = "SELECT count(*) FROM jobs INDEXED BY jobs_next WHERE " + mayStart + " AND type = ? AND priority = ? AND seq < ?"
)

// rivals are the types of which jobs can come before j: those that may start,
// and while j itself is stopped those that are stopped for the same reason.
func (w *waits) rivals(j *Job) []*Type {
	all := w.movable()
	words := w.brakes.words(j.Type)
	if words == "" {
		return all
	}
	for _, name := range w.pending {
		t := w.catalog.Types[name]
		if t != nil && w.brakes.words(name) == words && impossible(w.catalog, t) == "" {
			all = append(all, t)
		}
	}
	return all
}

// ahead counts the jobs that come before j.
func (w *waits) ahead(ctx context.Context, j *Job) (int, error) {
	total := 0
	for _, t := range w.rivals(j) {
		var above, level int
		if err := w.queue.read.row(ctx, countAbove, []any{t.Name, j.Priority}, &above); err != nil {
			return 0, err
		}
		if err := w.queue.read.row(ctx, countLevel, []any{t.Name, j.Priority, j.Seq}, &level); err != nil {
			return 0, err
		}
		total += above + level
	}
	return total, nil
}

const (
	selectQueue = "SELECT priority, seq FROM jobs INDEXED BY jobs_next WHERE " + mayStart + " AND type = ? ORDER BY priority DESC, seq"
	selectRuns  = "SELECT started_at, finished_at FROM jobs INDEXED BY jobs_type WHERE type = ? AND state = 'COMPLETED' ORDER BY seq DESC LIMIT ?+0"
)

// play sets the scene for a forecast: what runs, and what comes before j.
func (w *waits) play(ctx context.Context, j *Job) (*play, error) {
	p := newPlay(w.catalog, w.now)
	for _, t := range w.movable() {
		line, err := w.lineOf(ctx, t, j)
		if err != nil {
			return nil, err
		}
		p.lines = append(p.lines, line)
	}
	return p, w.onStage(ctx, p)
}

// onStage adds to the lines what runs, and reads how long jobs of the types run.
func (w *waits) onStage(ctx context.Context, p *play) error {
	running, err := w.queue.Running(ctx)
	if err != nil {
		return err
	}
	for _, r := range running {
		if err := w.learn(ctx, p, r.Type); err != nil {
			return err
		}
	}
	for _, line := range p.lines {
		if err := w.learn(ctx, p, line.typ.Name); err != nil {
			return err
		}
	}
	for _, r := range running {
		p.run(r)
	}
	return nil
}

// lineOf gives the jobs of a type that come before j, and j itself.
func (w *waits) lineOf(ctx context.Context, t *Type, j *Job) (*line, error) {
	l := &line{typ: t}
	err := w.queue.read.each(ctx, selectQueue, []any{t.Name}, func(row scanner) error {
		var next turn
		if err := row.Scan(&next.priority, &next.seq); err != nil {
			return err
		}
		if !next.before(j.Priority, j.Seq) {
			return errStop
		}
		l.turns = append(l.turns, next)
		return nil
	})
	if t.Name == j.Type { // also if it is not in the index because its time has not come
		l.turns = append(l.turns, turn{j.Priority, j.Seq})
	}
	return l, err
}

// learn reads how long jobs of a type run.
func (w *waits) learn(ctx context.Context, p *play, name string) error {
	if _, known := p.took[name]; known {
		return nil
	}
	took, err := w.queue.took(ctx, name, forecastRuns)
	p.took[name] = took
	return err
}

// Usual gives how long the latest jobs of a type ran that are COMPLETED, at
// most limit of them, the median of that, and how many there are; 0 if none.
func (q *Queue) Usual(ctx context.Context, name string, limit int) (median time.Duration, runs int, err error) {
	took, err := q.took(ctx, name, limit)
	if err != nil {
		return 0, 0, fmt.Errorf("reading how long jobs of type %q run: %w", name, err)
	}
	return percentile(took, 50), len(took), nil
}

// took gives the run times of the latest COMPLETED jobs of a type, the shortest
// first.
func (q *Queue) took(ctx context.Context, name string, limit int) ([]time.Duration, error) {
	took := []time.Duration{}
	err := q.read.each(ctx, selectRuns, []any{name, limit}, func(row scanner) error {
		var started, finished int64
		err := row.Scan(&started, &finished)
		if started > 0 && finished > 0 { // of history it is not known
			took = append(took, max(0, fromMillis(finished).Sub(fromMillis(started))))
		}
		return err
	})
	slices.Sort(took)
	return took, err
}
