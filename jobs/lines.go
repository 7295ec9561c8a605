package jobs

import (
	"context"
	"errors"
	"fmt"
)

const placeLine = `UPDATE jobs SET line_at = iif(? = -1 AND state IN ('PENDING', 'RUNNING'), 0, ?) WHERE id = ?`

// PlaceLines notes when the lines of jobs were placed in the queue file, or
// that they have left it. A line cannot leave for good while its job is not
// ended: a retry came between, and the line is wanted again.
func (q *Queue) PlaceLines(ctx context.Context, places []Placement) error {
	err := q.write(ctx, func(t *tx) error {
		for _, p := range places {
			query, args := placeLine, []any{p.At, p.At, p.ID}
			if p.Seq > 0 {
				query, args = placeLine+" AND seq = ?", append(args, p.Seq)
			}
			if _, err := t.change(query, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting the places of %d lines: %w", len(places), err)
	}
	return nil
}

// SetDoubt notes of PENDING jobs that their lines are missing, or that this
// is settled. A job in doubt does not begin.
func (q *Queue) SetDoubt(ctx context.Context, ids []string, on bool) error {
	words := "its line is there again"
	if on {
		words = doubtReason
	}
	err := q.write(ctx, func(t *tx) error {
		for _, id := range ids {
			ok, err := t.change("UPDATE jobs SET doubt = ? WHERE id = ? AND state = 'PENDING' AND doubt <> ?", on, id, on)
			if err == nil && ok {
				err = t.event(id, EventDoubt, Pending, words)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("noting doubt of %d jobs: %w", len(ids), err)
	}
	return nil
}

// RemoveByLine cancels the PENDING ones among jobs whose lines were removed
// from the queue file, whose base name is file, and returns their ids. The
// lines stay away.
func (q *Queue) RemoveByLine(ctx context.Context, ids []string, file string) ([]string, error) {
	reason := "line removed from " + file
	var removed []string
	err := q.write(ctx, func(t *tx) error {
		removed = nil
		var ended []over
		for _, id := range ids {
			ok, err := t.drop(id, Cancelled, reason)
			if err == nil && ok {
				_, err = t.change("UPDATE jobs SET line_at = -1 WHERE id = ?", id)
			}
			if err == nil && ok {
				err = t.event(id, EventLine, Cancelled, reason)
			}
			if err != nil {
				return err
			}
			if ok {
				removed = append(removed, id)
				ended = append(ended, over{id, Cancelled})
			}
		}
		return t.settle(ended...) // not before, or those among ids that wait for others would be FAILED
	})
	if err != nil {
		return nil, fmt.Errorf("removing %d jobs: %w", len(ids), err)
	}
	return removed, nil
}

// SetMark replaces the mark and the whole set of taken lines.
func (q *Queue) SetMark(ctx context.Context, m Mark, taken []Taken) error {
	err := q.write(ctx, func(t *tx) error {
		type place struct {
			generation string
			offset     int64
		}
		gone := map[place]Taken{}
		err := t.each("SELECT "+takenColumns+" FROM taken", nil, func(row scanner) error {
			old, err := scanTaken(row)
			gone[place{old.Generation, old.Offset}] = old
			return err
		})
		if err != nil {
			return err
		}
		for _, line := range taken {
			at := place{line.Generation, line.Offset}
			if old, ok := gone[at]; !ok || old != line {
				if err := t.putTaken(line); err != nil {
					return err
				}
			}
			delete(gone, at)
		}
		for at := range gone {
			if _, err := t.change("DELETE FROM taken WHERE generation = ? AND offset = ?", at.generation, at.offset); err != nil {
				return err
			}
		}
		return t.putMark(m)
	})
	if err != nil {
		return fmt.Errorf("noting how far the queue file was read: %w", err)
	}
	return nil
}

// Mark returns how far the queue file was read, and the lines that were taken
// from it, by generation and offset; a zero Mark if it was never read.
func (q *Queue) Mark(ctx context.Context) (Mark, []Taken, error) {
	var m Mark
	err := q.read.row(ctx, "SELECT generation, offset FROM mark", nil, &m.Generation, &m.Offset)
	var taken []Taken
	if err == nil || errors.Is(err, ErrNotFound) {
		err = q.read.each(ctx, "SELECT "+takenColumns+" FROM taken ORDER BY generation, offset", nil,
			func(row scanner) error {
				line, err := scanTaken(row)
				taken = append(taken, line)
				return err
			})
	}
	if err != nil {
		return Mark{}, nil, fmt.Errorf("reading how far the queue file was read: %w", err)
	}
	return m, taken, nil
}

func (t *tx) putMark(m Mark) error {
	_, err := t.change(`INSERT INTO mark VALUES (1, ?, ?)
		ON CONFLICT DO UPDATE SET generation = excluded.generation, offset = excluded.offset`, m.Generation, m.Offset)
	return err
}

const takenColumns = "generation, offset, length, hash, job, gone_at"

func (t *tx) putTaken(line Taken) error {
	_, err := t.change("INSERT OR REPLACE INTO taken ("+takenColumns+") VALUES (?,?,?,?,?,?)",
		line.Generation, line.Offset, line.Length, int64(line.Hash), line.Job, line.GoneAt)
	return err
}

func scanTaken(row scanner) (Taken, error) {
	var line Taken
	var hash int64
	err := row.Scan(&line.Generation, &line.Offset, &line.Length, &hash, &line.Job, &line.GoneAt)
	line.Hash = uint64(hash)
	return line, err
}

// lineColumns are what a line is made of, of the many columns that a job has.
const lineColumns = "SELECT seq, id, spelling, target, args, state, finished_at, line_at, doubt FROM jobs "

const (
	selectWanted = lineColumns + "INDEXED BY jobs_wanted WHERE line_at = 0 ORDER BY seq LIMIT ?+0"
	selectPlaced = lineColumns + "INDEXED BY jobs_placed WHERE line_at > 0 AND seq > ? ORDER BY seq LIMIT ?+0"
)

// lines runs a constant query for lineColumns.
func (q *Queue) lines(ctx context.Context, query string, args ...any) ([]*Job, error) {
	var found []*Job
	err := q.read.each(ctx, query, args, func(row scanner) error {
		j := &Job{}
		var words, state string
		var finished int64
		err := row.Scan(&j.Seq, &j.ID, &j.Spelling, &j.Target, &words, &state, &finished, &j.LineAt, &j.Doubt)
		if err != nil {
			return err
		}
		j.State, j.FinishedAt = State(state), fromMillis(finished)
		found = append(found, j)
		return unpack([]packed{{words, &j.Args}})
	})
	if err != nil {
		return nil, fmt.Errorf("reading what lines are made of: %w", err)
	}
	return found, nil
}

// LinesWanted returns up to limit jobs that are to get a line and have none,
// in order of acceptance. Of each only that is read which its line is made of.
func (q *Queue) LinesWanted(ctx context.Context, limit int) ([]*Job, error) {
	return q.lines(ctx, selectWanted, limit)
}

// EachLine calls fn on every job whose line was placed in the queue file, in
// order of acceptance, of which only that is read which its line is made of, and
// when it ended. It reads piece by piece, so that a long walk neither holds much
// in memory nor keeps the database from tidying up.
func (q *Queue) EachLine(ctx context.Context, fn func(*Job) error) error {
	const piece = 1000
	var last int64
	for {
		found, err := q.lines(ctx, selectPlaced, last, piece)
		if err != nil {
			return err
		}
		for _, j := range found {
			if err := fn(j); err != nil {
				return err
			}
			last = j.Seq
		}
		if len(found) < piece {
			return nil
		}
	}
}
