package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Span is an attempt on the clock: when it ran, and where.
type Span struct {
	ID          string
	Type        string
	Target      string
	Args        []string
	State       State // RUNNING, or how the attempt ended
	Reason      string
	Attempt     int
	SubmittedAt time.Time
	StartedAt   time.Time
	FinishedAt  time.Time           // zero while it runs
	Slots       map[string][]string // tokens that it had, by the slot's name
}

const selectSpans = `SELECT id, type, target, args, state, reason, attempt, submitted_at, started_at, finished_at, slots
	FROM jobs INDEXED BY jobs_ended WHERE ` + endedOnly + ` AND max(finished_at, submitted_at) >= ? AND max(finished_at, submitted_at) < ?
	ORDER BY max(finished_at, submitted_at) DESC LIMIT ?+0`

// Spans returns the latest attempts that ended from one time until before
// another, the last end first, limit at most.
func (q *Queue) Spans(ctx context.Context, from, until time.Time, limit int) ([]Span, error) {
	var found []Span
	err := q.read.each(ctx, selectSpans, []any{toMillis(from), toMillis(until), limit}, func(row scanner) error {
		s, err := scanSpan(row)
		if err == nil && !s.StartedAt.IsZero() && !s.FinishedAt.IsZero() {
			found = append(found, s)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading what ran: %w", err)
	}
	return slices.Clip(found), nil
}

func scanSpan(row scanner) (Span, error) {
	var s Span
	var args, state, slots string
	var submitted, started, finished int64
	err := row.Scan(&s.ID, &s.Type, &s.Target, &args, &state, &s.Reason, &s.Attempt, &submitted, &started, &finished, &slots)
	if err != nil {
		return s, err
	}
	s.State = State(state)
	s.SubmittedAt, s.StartedAt, s.FinishedAt = fromMillis(submitted), fromMillis(started), fromMillis(finished)
	return s, unpack([]packed{{args, &s.Args}, {slots, &s.Slots}})
}
