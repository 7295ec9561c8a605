package jobs

import (
	"context"
	"encoding/json"
	"fmt"
)

// fire takes a schedule on to its next time and reports false if it does not
// stand where f says: somebody else dealt with that time.
func (t *tx) fire(f Firing) (bool, error) {
	return t.change("UPDATE schedules SET next_at = ? WHERE name = ? AND next_at = ?",
		toMillis(f.Next), f.Name, toMillis(f.Due))
}

// fired notes what a schedule made, or why it made nothing.
func (t *tx) fired(f Firing, out []Outcome) error {
	if f.Skip != "" {
		return t.event("", EventSchedule, "", f.Name+": "+f.Skip)
	}
	var ids []string
	for _, o := range out {
		ids = append(ids, o.Job.ID)
	}
	_, err := t.change("UPDATE schedules SET last_at = ?, jobs = ? WHERE name = ?", toMillis(f.Due), packList(ids), f.Name)
	return err
}

// Schedules returns how far each schedule has come, by name.
func (q *Queue) Schedules(ctx context.Context) ([]ScheduleState, error) {
	var found []ScheduleState
	err := q.read.each(ctx, "SELECT name, spec, next_at, last_at, jobs FROM schedules ORDER BY name", nil,
		func(row scanner) error {
			var s ScheduleState
			var next, last int64
			var list string
			if err := row.Scan(&s.Name, &s.Spec, &next, &last, &list); err != nil {
				return err
			}
			s.NextAt, s.LastAt = fromMillis(next), fromMillis(last)
			found = append(found, s)
			if list == "" {
				return nil
			}
			return json.Unmarshal([]byte(list), &found[len(found)-1].Jobs)
		})
	if err != nil {
		return nil, fmt.Errorf("reading schedules: %w", err)
	}
	return found, nil
}

// PutSchedule stores where a schedule stands: a new one, or one that begins anew.
func (q *Queue) PutSchedule(ctx context.Context, s ScheduleState) error {
	err := q.write(ctx, func(t *tx) error {
		_, err := t.change("INSERT OR REPLACE INTO schedules (name, spec, next_at, last_at, jobs) VALUES (?,?,?,?,?)",
			s.Name, s.Spec, toMillis(s.NextAt), toMillis(s.LastAt), packList(s.Jobs))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing schedule %q: %w", s.Name, err)
	}
	return nil
}

// DropSchedule forgets a schedule. Nothing happens if it is not known.
func (q *Queue) DropSchedule(ctx context.Context, name string) error {
	err := q.write(ctx, func(t *tx) error {
		_, err := t.change("DELETE FROM schedules WHERE name = ?", name)
		return err
	})
	if err != nil {
		return fmt.Errorf("forgetting schedule %q: %w", name, err)
	}
	return nil
}
