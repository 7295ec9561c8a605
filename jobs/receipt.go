package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const receiptColumns = "id, name, jobs, command, state, reason, warning, taken_at"

// Receipt returns the newest receipt of a file name, or ErrNotFound.
func (q *Queue) Receipt(ctx context.Context, name string) (*Receipt, error) {
	return q.receipt(ctx, "name = ? AND newest = 1", name)
}

// ReceiptByID returns the receipt of that id, also if its file name has come
// again since, or ErrNotFound.
func (q *Queue) ReceiptByID(ctx context.Context, id string) (*Receipt, error) {
	return q.receipt(ctx, "id = ?", id)
}

func (q *Queue) receipt(ctx context.Context, where, key string) (*Receipt, error) {
	s, err := q.read.stmt(ctx, "SELECT "+receiptColumns+" FROM receipts WHERE "+where)
	if err == nil {
		var r *Receipt
		if r, err = scanReceipt(s.QueryRowContext(ctx, key)); err == nil {
			return r, nil
		}
	}
	return nil, fmt.Errorf("reading receipt %q: %w", key, notFound(err))
}

const selectReceiptsOf = "SELECT " + receiptColumns + ` FROM receipts
	WHERE seq IN (SELECT receipt FROM receipt_jobs WHERE job IN (SELECT value FROM json_each(?)))
	AND newest = 1 ORDER BY seq`

// ReceiptsOf returns the receipts that name any of some jobs, oldest first; of
// each file name only the newest counts. A receipt can name thousands of jobs,
// so it is read once for all that are asked for together.
func (q *Queue) ReceiptsOf(ctx context.Context, jobs ...string) ([]*Receipt, error) {
	var found []*Receipt
	err := q.read.each(ctx, selectReceiptsOf, []any{packJSON(jobs)},
		func(row scanner) error {
			r, err := scanReceipt(row)
			if err == nil {
				found = append(found, r)
			}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading receipts of %d jobs: %w", len(jobs), err)
	}
	return found, nil
}

// receipt reads one inside the transaction, or ErrNotFound.
func (t *tx) receipt(where, key string) (*Receipt, error) {
	s, err := t.stmt("SELECT " + receiptColumns + " FROM receipts WHERE " + where)
	if err != nil {
		return nil, err
	}
	r, err := scanReceipt(s.QueryRow(key))
	return r, notFound(err)
}

// putReceipt stores r as the newest of its file name. Older ones stay, so
// that their ids are known, but name their jobs no more.
func (t *tx) putReceipt(r Receipt) error {
	_, err := t.change(`DELETE FROM receipt_jobs WHERE (job, receipt) IN
		(SELECT j.value, r.seq FROM receipts r, json_each(iif(r.jobs = '', '[]', r.jobs)) j
		WHERE r.name = ? AND r.newest = 1)`, r.Name)
	if err != nil {
		return err
	}
	if _, err := t.change("UPDATE receipts SET newest = 0 WHERE name = ? AND newest = 1", r.Name); err != nil {
		return err
	}
	var command string
	if r.Command != nil {
		text, err := json.Marshal(r.Command)
		if err != nil {
			return err
		}
		command = string(text)
	}
	res, err := t.exec("INSERT INTO receipts (newest, "+receiptColumns+") VALUES (1,?,?,?,?,?,?,?,?)",
		r.ID, r.Name, packList(r.Jobs), command, string(r.State), r.Reason, r.Warning, toMillis(r.TakenAt))
	if err != nil {
		return err
	}
	seq, err := res.LastInsertId()
	if err != nil {
		return err
	}
	for _, job := range r.Jobs {
		if _, err := t.exec("INSERT OR IGNORE INTO receipt_jobs VALUES (?,?)", job, seq); err != nil {
			return err
		}
	}
	return nil
}

func scanReceipt(row scanner) (*Receipt, error) {
	var r Receipt
	var list, command, state string
	var takenAt int64
	err := row.Scan(&r.ID, &r.Name, &list, &command, &state, &r.Reason, &r.Warning, &takenAt)
	if err != nil {
		return nil, err
	}
	r.State, r.TakenAt = State(state), fromMillis(takenAt)
	if list != "" {
		if err := json.Unmarshal([]byte(list), &r.Jobs); err != nil {
			return nil, err
		}
	}
	if command != "" {
		r.Command = new(Command)
		if err := json.Unmarshal([]byte(command), r.Command); err != nil {
			return nil, err
		}
	}
	return &r, nil
}

// fillReceipt notes what became of the entries.
func fillReceipt(r Receipt, entries []Entry, out []Outcome, now time.Time) Receipt {
	if r.TakenAt.IsZero() {
		r.TakenAt = now
	}
	r.TakenAt = fromMillis(toMillis(r.TakenAt))
	r.Jobs, r.State, r.Reason, r.Warning = nil, "", "", ""
	var reasons, warnings []string
	for i, o := range out {
		if entries[i].Command == nil {
			r.Jobs = append(r.Jobs, o.Job.ID)
			if n := len(warnings); o.Warning != "" && (n == 0 || warnings[n-1] != o.Warning) { // the jobs of a sweep bring the same
				warnings = append(warnings, o.Warning)
			}
			continue
		}
		r.Jobs = append(r.Jobs, o.Jobs...)
		reasons = append(reasons, o.Reason)
		if r.State != Rejected {
			r.State = o.State
		}
		if len(entries) == 1 {
			r.Command = entries[i].Command
		}
	}
	r.Reason, r.Warning = strings.Join(reasons, "; "), strings.Join(warnings, "; ")
	return r
}
