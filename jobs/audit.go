package jobs

import (
	"context"
	"fmt"
)

// Audited is an event with what its job is asked to do.
type Audited struct {
	Event
	Target string // "" if it concerns no job, or the job is not stored any more
	Args   []string
}

// A job's start is told of twice: that it is about to be, and that it has been.
const selectAudit = `SELECT e.id, e.at, e.job, e.kind, e.state, e.reason, ifnull(j.target, ''), ifnull(j.args, '')
	FROM events AS e LEFT JOIN jobs AS j INDEXED BY jobs_id ON j.id = e.job AND e.job <> ''
	WHERE e.id > ? AND e.kind <> '` + EventStarting + `' ORDER BY e.id DESC LIMIT ?+0`

// Audit returns up to limit of the latest events, the newest first, each job's
// start once.
func (q *Queue) Audit(ctx context.Context, limit int) ([]Audited, error) {
	last, err := q.LastEvent(ctx)
	if err != nil {
		return nil, err
	}
	var found []Audited
	err = q.read.each(ctx, selectAudit, []any{last - 10*int64(limit), limit}, func(row scanner) error {
		var e Audited
		var at int64
		var state, args string
		if err := row.Scan(&e.ID, &at, &e.Job, &e.Kind, &state, &e.Reason, &e.Target, &args); err != nil {
			return err
		}
		e.At, e.State = fromMillis(at), State(state)
		found = append(found, e)
		return unpack([]packed{{args, &found[len(found)-1].Args}})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the latest events: %w", err)
	}
	return found, nil
}
