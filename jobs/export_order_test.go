package jobs

import (
	"context"
	"fmt"
	"slices"
)

// OrderPlans gives the query plan of every statement by which the writer keeps
// order and time, by name.
func (q *Queue) OrderPlans(ctx context.Context) (map[string]string, error) {
	plans := map[string]string{}
	for name, query := range map[string]struct {
		text string
		args []any
	}{
		"due": {selectDue, nil}, "clear due": {clearDue, []any{1}}, "tell due": {tellDue, []any{1, 1}},
		"less unmet": {lessUnmet, []any{"a"}}, "tell ready": {tellReady, []any{1, "a"}},
		"bearer": {selectBearer, []any{"a"}}, "attempts": {selectAttempts, []any{"a"}},
		"first sweep": {selectFirstSweep, []any{"a", "b"}}, "last sweep": {selectLastSweep, []any{"a", "b"}},
		"members": {selectMembers, []any{"a"}}, "sweep": {selectSweep, []any{"a"}},
		"begin":      {begin, []any{"a", 1, "a", "a", "a", 1}},
		"waited for": {selectFailing, []any{"a"}},
		"waits for":  {"DELETE FROM dependencies WHERE job = ?", []any{"a"}},
	} {
		rows, err := q.read.db.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query.text, query.args...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		err = eachRow(rows, func(row scanner) error {
			var a, b, c int
			var step string
			err := row.Scan(&a, &b, &c, &step)
			plans[name] += step + "\n"
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// Untrue lists what must hold of every queue and does not: what each job waits
// for, and how often it was tried.
func (q *Queue) Untrue(ctx context.Context) ([]string, error) {
	var found []string
	for what, query := range map[string]string{
		"unmet is not the number of rows": `SELECT id FROM jobs
			WHERE unmet <> (SELECT count(*) FROM dependencies WHERE job = id)`,
		"a job that does not wait has rows": `SELECT job FROM dependencies d
			WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = d.job AND state = 'PENDING')`,
		"a job waits for one that has ended": `SELECT job FROM dependencies d
			WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = d.on_job AND state IN ('PENDING', 'RUNNING'))`,
		"a row is lost": `SELECT j.id FROM jobs j, json_each(iif(j.after_ok = '', '[]', j.after_ok)) a, jobs o
			WHERE j.state = 'PENDING' AND o.id = a.value AND o.state <> 'COMPLETED'
			AND NOT EXISTS (SELECT 1 FROM dependencies WHERE on_job = o.id AND job = j.id)`,
		"it ran before what it waits for": `SELECT j.id FROM jobs j, json_each(iif(j.after_ok = '', '[]', j.after_ok)) a, jobs o
			WHERE j.started_at > 0 AND o.id = a.value AND o.state <> 'COMPLETED'`,
		"retried more often than it may be": `SELECT id FROM jobs WHERE retried > retries`,
		"an attempt is lost": `SELECT id FROM jobs WHERE state = 'PENDING' AND retried > 0
			AND retried > (SELECT count(*) FROM attempts WHERE job = id)`,
		"a pruned job is there": `SELECT id FROM pruned
			WHERE sweep = 0 AND EXISTS (SELECT 1 FROM jobs WHERE jobs.id = pruned.id)`,
		"an attempt is nobody's": `SELECT job FROM attempts
			WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = attempts.job)`,
		"a reading is nobody's": `SELECT job FROM readings
			WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = readings.job AND jobs.attempt >= readings.attempt)`,
		"a held job is not waiting": `SELECT id FROM jobs WHERE hold AND state <> 'PENDING'`,
		"a key is borne twice": `SELECT max(id) FROM jobs WHERE unique_key <> '' AND state IN ('PENDING', 'RUNNING')
			GROUP BY unique_key HAVING count(*) > 1`,
	} {
		rows, err := q.read.db.QueryContext(ctx, query+" LIMIT 3")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		err = eachRow(rows, func(row scanner) error {
			var id string
			err := row.Scan(&id)
			found = append(found, what+": "+id)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// AcceptTogether takes in several Intakes in one transaction and gives the
// error of each. It ends the queue's own writing.
func (q *Queue) AcceptTogether(all ...Intake) []error {
	close(q.w.quit)
	<-q.w.done
	q.w.quit = make(chan struct{})
	defer func() {
		q.w.done = make(chan struct{})
		close(q.w.done)
	}()
	results := make([]error, len(all))
	var batch []*op
	for _, in := range all {
		do := func(t *tx) error {
			_, err := t.accept(in, nil)
			return err
		}
		batch = append(batch, &op{do: do, done: make(chan error, 1)})
	}
	waiting := slices.Clone(batch)
	q.w.commit(batch)
	for n, o := range waiting {
		results[n] = <-o.done
	}
	return results
}
