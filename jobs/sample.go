package jobs

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Sample is what the queue did in one stretch of SamplePeriod. There is none of
// a stretch in which nothing ran, waited or ended, nor of one without a daemon.
type Sample struct {
	At time.Time // when the stretch began

	// As they were at the last look in it, taken about once a minute. Slots is
	// how many jobs may run at once; 0 if nobody looked.
	Pending, Running, Slots int

	// Jobs that ended in it, exactly. TIMEOUT and LOST count as failed, REJECTED
	// does not count.
	Completed, Failed, Cancelled int
}

// SamplePeriod is the stretch of time that a Sample stands for, and SampleAge
// how long it is kept.
const (
	SamplePeriod = 5 * time.Minute
	SampleAge    = 31 * 24 * time.Hour

	uncountedMost = 5000 // events
)

const (
	selectSamples = `SELECT at, pending, running, slots, completed, failed, cancelled FROM samples
		WHERE at > ? AND at <= ? ORDER BY at`
	selectUncounted = "SELECT ifnull(max(id), 0) FROM events WHERE id > (SELECT event FROM counted WHERE one = 1) AND id <= ?"
	selectUnended   = "SELECT ifnull(sum(n), 0) FROM counters WHERE state = ?"

	// Of those events of which Event.Ends is true, but for REJECTED.
	endKinds = `ifnull(sum(state = 'COMPLETED'), 0), ifnull(sum(state IN ('FAILED', 'TIMEOUT', 'LOST')), 0), ifnull(sum(state = 'CANCELLED'), 0)`
	isEnd    = `state IN ('COMPLETED', 'FAILED', 'TIMEOUT', 'LOST', 'CANCELLED')
		AND (kind IN ('` + EventEnded + `', '` + EventLine + `')
			OR kind = '` + EventCancel + `' AND state = 'CANCELLED' AND reason GLOB '* ` + deedCancelled + `')`

	countEnded = `INSERT INTO samples (at, pending, running, slots, completed, failed, cancelled)
		SELECT at - at % ?1, 0, 0, 0, ` + endKinds + `
		FROM events WHERE id > (SELECT event FROM counted WHERE one = 1) AND id <= ?2 AND at >= ?3
		AND ` + isEnd + ` GROUP BY 1 ON CONFLICT (at) DO UPDATE SET completed = completed + excluded.completed,
		failed = failed + excluded.failed, cancelled = cancelled + excluded.cancelled`
	selectNew = `SELECT ` + endKinds + ` FROM (SELECT * FROM events
		WHERE id > (SELECT event FROM counted WHERE one = 1) ORDER BY id LIMIT ?+0) WHERE ` + isEnd
	putLook = `INSERT INTO samples VALUES (?,?,?,?,0,0,0) ON CONFLICT (at) DO UPDATE
		SET pending = excluded.pending, running = excluded.running, slots = excluded.slots
		WHERE pending <> excluded.pending OR running <> excluded.running OR slots <> excluded.slots`
	renewLook = `UPDATE samples SET pending = 0, running = 0, slots = ?2
		WHERE at = ?1 AND (pending > 0 OR running > 0 OR slots <> ?2)`
)

// Samples returns those of the stretches that ended after since, oldest first.
func (q *Queue) Samples(ctx context.Context, since time.Time) ([]Sample, error) {
	return q.SamplesUntil(ctx, since, time.Now().Add(SampleAge))
}

// SamplesUntil returns those of the stretches that ended after since, and not
// after until, oldest first.
func (q *Queue) SamplesUntil(ctx context.Context, since, until time.Time) ([]Sample, error) {
	var found []Sample
	args := []any{toMillis(since.Add(-SamplePeriod)), toMillis(until.Add(-SamplePeriod))}
	err := q.read.each(ctx, selectSamples, args, func(row scanner) error {
		var s Sample
		var at int64
		err := row.Scan(&at, &s.Pending, &s.Running, &s.Slots, &s.Completed, &s.Failed, &s.Cancelled)
		s.At = fromMillis(at)
		found = append(found, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading samples: %w", err)
	}
	return found, nil
}

// Uncounted gives the ends that no Sample holds yet, which are those of the last
// moments while a daemon runs; of very many, the first ones.
func (q *Queue) Uncounted(ctx context.Context) (Sample, error) {
	var s Sample
	err := q.read.row(ctx, selectNew, []any{uncountedMost}, &s.Completed, &s.Failed, &s.Cancelled)
	if err != nil {
		return Sample{}, fmt.Errorf("reading the last ends: %w", err)
	}
	return s, nil
}

// TakeSample notes how many jobs wait and run now, of how many that may run at
// once, and counts those that have ended since the last time, each once,
// however often this process is killed. It writes nothing if there is nothing
// new, and reports whether there will be something to note even if nothing
// changes: jobs wait or run.
func (q *Queue) TakeSample(ctx context.Context, slots int) (busy bool, err error) {
	err = q.write(ctx, func(t *tx) (err error) {
		busy, err = t.sample(slots)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("storing a sample: %w", err)
	}
	return busy, nil
}

func (t *tx) sample(slots int) (busy bool, err error) {
	if err := t.countEnds(math.MaxInt64); err != nil {
		return false, err
	}
	var pending, running int
	if err := t.row(selectUnended, []any{string(Pending)}, &pending); err != nil {
		return false, err
	}
	if err := t.row(selectUnended, []any{string(Running)}, &running); err != nil {
		return false, err
	}
	at := toMillis(t.now)
	at -= at % SamplePeriod.Milliseconds()
	busy = pending+running > 0
	if busy {
		_, err = t.change(putLook, at, pending, running, slots)
	} else {
		_, err = t.change(renewLook, at, slots)
	}
	if err == nil {
		_, err = t.change("DELETE FROM samples WHERE at < ?", toMillis(t.now.Add(-SampleAge)))
	}
	return busy, err
}

// countEnds counts the ends that events tell of which are not counted yet, up to
// the event given, and notes in the same transaction that they are. Events must
// not be removed before that.
func (t *tx) countEnds(until int64) error {
	var last int64
	if err := t.row(selectUncounted, []any{until}, &last); err != nil || last == 0 {
		return err
	}
	_, err := t.change(countEnded, SamplePeriod.Milliseconds(), last, toMillis(t.now.Add(-SampleAge)))
	if err == nil {
		_, err = t.change("UPDATE counted SET event = ? WHERE one = 1", last)
	}
	return err
}
