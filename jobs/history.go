package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// rowsAtOnce is how many receipts or events are looked at in one step.
const rowsAtOnce = 500

const (
	receiptRowColumns = "r.seq, r.id, r.name, r.newest, r.jobs, r.state, r.taken_at"
	selectReceipts    = "SELECT " + receiptRowColumns + " FROM receipts r WHERE r.seq > ? ORDER BY r.seq LIMIT ?+0"
	selectReceiptsFor = "SELECT receipt FROM receipt_jobs WHERE job = ?"
	selectReceiptRow  = "SELECT " + receiptRowColumns + " FROM receipts r WHERE r.seq = ?"
)

// deliveries are the receipts whose files were on their way to the outbox at a
// time. Those that were taken later may be, too.
type deliveries struct {
	ids map[string]bool
	at  time.Time
}

// onTheWay asks which receipts are being delivered; nil means none.
func onTheWay(undelivered func() map[string]bool) deliveries {
	if undelivered == nil {
		return deliveries{at: time.Now().Add(time.Second)}
	}
	at := time.Now().Truncate(time.Millisecond) // as times are stored
	return deliveries{undelivered(), at}
}

// done reports whether a receipt is settled: its command is done, and its file
// is in the outbox.
func (d deliveries) done(r receiptRow) bool {
	return !d.ids[r.id] && r.state != Running && r.takenAt.Before(d.at)
}

// PruneReceipts lets go of receipts of which no job is left, and of those of no
// job that were taken before a time, as far as those that were taken before
// until. seq is how far earlier steps have come, 0 for the first one; it returns
// how far this one has, 0 if it was the last. Those in undelivered stay: their
// files are on their way to the outbox.
func (q *Queue) PruneReceipts(ctx context.Context, seq int64, before, until time.Time, undelivered func() map[string]bool) (next int64, trash []Trash, err error) {
	going, way := map[int64]receiptRow{}, onTheWay(undelivered)
	n := 0
	err = q.read.each(ctx, selectReceipts, []any{seq, rowsAtOnce}, func(row scanner) error {
		r, err := scanReceiptRow(row)
		if err != nil {
			return err
		}
		if !r.takenAt.Before(until) {
			return errStop
		}
		n, next = n+1, r.seq
		if way.done(r) && (r.namesJobs() || r.takenAt.Before(before)) {
			going[r.seq] = r
		}
		return nil
	})
	if err == nil && len(going) > 0 {
		err = q.write(ctx, func(t *tx) (err error) {
			trash, err = t.pruneReceipts(going)
			return err
		})
	}
	if err != nil {
		return 0, nil, fmt.Errorf("pruning receipts: %w", err)
	}
	if n < rowsAtOnce {
		next = 0
	}
	return next, trash, nil
}

// receiptsOf adds the receipts that name a job to those that may go with it. They
// are not read yet: one of a sweep names thousands, and each of them leads to it.
func (t *tx) receiptsOf(job string, list map[int64]bool) error {
	return t.each(selectReceiptsFor, []any{job}, func(row scanner) error {
		var seq int64
		err := row.Scan(&seq)
		list[seq] = true
		return err
	})
}

// settled reads those of the receipts that are done.
func (t *tx) settled(list map[int64]bool, way deliveries) (map[int64]receiptRow, error) {
	found := map[int64]receiptRow{}
	for seq := range list {
		err := t.each(selectReceiptRow, []any{seq}, func(row scanner) error {
			r, err := scanReceiptRow(row)
			if err == nil && way.done(r) {
				found[r.seq] = r
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// receiptRow is what pruning has to know of a receipt.
type receiptRow struct {
	seq      int64
	id, name string
	newest   bool
	jobs     []string
	state    State
	takenAt  time.Time
}

// namesJobs reports whether jobs are named in it: a command to prune names but
// itself.
func (r receiptRow) namesJobs() bool {
	return len(r.jobs) > 1 || len(r.jobs) == 1 && r.jobs[0] != r.id
}

func scanReceiptRow(row scanner) (r receiptRow, err error) {
	var list, state string
	var at int64
	if err = row.Scan(&r.seq, &r.id, &r.name, &r.newest, &list, &state, &at); err == nil && list != "" {
		err = json.Unmarshal([]byte(list), &r.jobs)
	}
	r.state, r.takenAt = State(state), fromMillis(at)
	return r, err
}

// pruneReceipts lets go of those of which no job is left. Of a file name of which
// no receipt is left, the files become Trash.
func (t *tx) pruneReceipts(list map[int64]receiptRow) (trash []Trash, err error) {
	for _, r := range list {
		needed, err := t.anyLeft(r.jobs)
		if err != nil {
			return nil, err
		}
		if needed {
			continue
		}
		// It may no longer be the newest of its name since it was read.
		newest, err := t.change("DELETE FROM receipts WHERE seq = ? AND newest = 1", r.seq)
		if err == nil && newest {
			f := Trash{TrashReply, r.name, toMillis(r.takenAt)}
			trash = append(trash, f)
			err = t.putTrash(f)
		} else if err == nil {
			_, err = t.change("DELETE FROM receipts WHERE seq = ?", r.seq)
		}
		for _, job := range r.jobs {
			if err == nil {
				_, err = t.change("DELETE FROM receipt_jobs WHERE job = ? AND receipt = ?", job, r.seq)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return trash, nil
}

// anyLeft reports whether one of the jobs is still stored. The last ones mostly
// go last.
func (t *tx) anyLeft(ids []string) (bool, error) {
	for _, id := range slices.Backward(ids) {
		err := t.row("SELECT 1 FROM jobs WHERE id = ?", []any{id}, new(int))
		if err != ErrNotFound {
			return err == nil, err
		}
	}
	return false, nil
}

const selectPassed = `SELECT id, at, job = '' OR EXISTS (SELECT 1 FROM jobs WHERE jobs.id = events.job), job = ''
	FROM events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?+0`

// PruneEvents removes the events of jobs that are not stored any more, and those
// of no job that are older than a time; none after floor. id is how far
// earlier steps have come, 0 for the first one; it returns how far this one
// has, 0 if it was the last: the rest is younger than until.
func (q *Queue) PruneEvents(ctx context.Context, id, floor int64, before, until time.Time) (next int64, err error) {
	var gone []int64
	n := 0
	err = q.read.each(ctx, selectPassed, []any{id, floor, rowsAtOnce}, func(row scanner) error {
		var event, at int64
		var kept, nobodys bool
		if err := row.Scan(&event, &at, &kept, &nobodys); err != nil {
			return err
		}
		if at >= toMillis(until) {
			return errStop
		}
		n, next = n+1, event
		if !kept || nobodys && at < toMillis(before) {
			gone = append(gone, event)
		}
		return nil
	})
	if err == nil && len(gone) > 0 {
		err = q.write(ctx, func(t *tx) error {
			if err := t.countEnds(gone[len(gone)-1]); err != nil {
				return err
			}
			for _, event := range gone {
				if _, err := t.change("DELETE FROM events WHERE id = ?", event); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return 0, fmt.Errorf("pruning events: %w", err)
	}
	if n < rowsAtOnce {
		next = 0
	}
	return next, nil
}
