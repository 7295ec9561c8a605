package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Outlook is what is likely to become of the jobs that wait.
type Outlook struct {
	Starts map[string]Forecast // of the jobs that were asked about, by id; what is ahead of them is not counted

	// Done is when the last of all that run and may start has ended; zero if that
	// cannot be said, or if so many wait that it is not looked at.
	Done time.Time
}

// outlookMost is how many waiting jobs an Outlook looks at, over all types.
const outlookMost = 500

const selectFront = selectQueue + " LIMIT ?+0"

// Outlook says when these PENDING jobs, which are the next ones by priority and
// acceptance, are likely to start; one look at what is to come serves them all.
// left is how long jobs that run will go on, by id, where that is known better
// than by the run times of their type.
func (q *Queue) Outlook(ctx context.Context, waiting []*Job, left map[string]time.Duration) (Outlook, error) {
	o, err := q.outlook(ctx, waiting, left)
	if err != nil {
		return Outlook{}, fmt.Errorf("forecasting what is to come: %w", err)
	}
	return o, nil
}

func (q *Queue) outlook(ctx context.Context, waiting []*Job, left map[string]time.Duration) (Outlook, error) {
	o := Outlook{Starts: map[string]Forecast{}}
	w, err := q.waits(ctx)
	if err != nil || w.catalog == nil {
		return o, err
	}
	asked := map[int64]*Job{}
	for _, j := range waiting {
		switch why := w.stuck(j); {
		case why != "":
			o.Starts[j.ID] = Forecast{Basis: why}
		case j.Due.After(w.now):
			o.Starts[j.ID] = Forecast{StartAt: j.Due, Basis: dueWords(j, w.now)}
		default:
			asked[j.Seq] = j
		}
	}
	p, all, err := w.front(ctx, left, len(waiting))
	if err != nil {
		return o, err
	}
	done := p.playOut(func(next turn, at time.Time) {
		if j := asked[next.seq]; j != nil {
			o.Starts[j.ID] = Forecast{StartAt: at, Basis: p.basis()}
			delete(asked, next.seq)
		}
	})
	for _, j := range asked {
		o.Starts[j.ID] = Forecast{Basis: p.missing()}
	}
	if all {
		o.Done = done
	}
	return o, nil
}

// front sets the scene with what runs and the first of the jobs that wait; all
// reports whether these are all of them that may start.
func (w *waits) front(ctx context.Context, left map[string]time.Duration, least int) (p *play, all bool, err error) {
	p = newPlay(w.catalog, w.now)
	p.left = left
	types := w.movable()
	most := max(least, outlookMost/max(1, len(types)))
	all = true
	for _, t := range types {
		l := &line{typ: t}
		err := w.queue.read.each(ctx, selectFront, []any{t.Name, most}, func(row scanner) error {
			var next turn
			err := row.Scan(&next.priority, &next.seq)
			l.turns = append(l.turns, next)
			return err
		})
		if err != nil {
			return nil, false, err
		}
		all = all && len(l.turns) < most
		p.lines = append(p.lines, l)
	}
	return p, all, w.onStage(ctx, p)
}

// playOut runs through all that is to come, tells of each start, and gives when
// the last job ends; zero if that cannot be said.
func (p *play) playOut(starts func(next turn, at time.Time)) time.Time {
	for clock := p.now; ; clock = p.next() {
		p.fill(clock, func(next turn) bool {
			starts(next, clock)
			return false
		})
		switch {
		case len(p.ends) > 0:
		case p.total == 0 && !slices.ContainsFunc(p.lines, func(l *line) bool { return len(l.turns) > 0 }):
			return clock
		default:
			return time.Time{}
		}
	}
}
