package jobs

import (
	"context"
	"fmt"
	"math"
	"time"
)

const (
	pruneAtOnce = 100    // jobs that are looked at in one step
	mostUntold  = 20_000 // events that nobody may have followed yet; with more, nothing is pruned
)

// PruneOptions say what a Pruner takes away.
type PruneOptions struct {
	Wish    Wish
	Now     time.Time
	Command string          // Pruning.ID of the command that asks for it; "" if none does
	Floor   func() int64    // events up to this one have been followed by everybody who has to; nil means all
	Copies  map[string]bool // hashes of the scripts of which there are copies

	Undelivered func() map[string]bool // ids of receipts whose files are on their way to the outbox; nil means none
}

// Pruner lets go of ended jobs step by step, oldest first, each step in a small
// transaction of its own, so that others can write in between.
type Pruner struct {
	q      *Queue
	o      PruneOptions
	Before time.Time // jobs that ended at this time or later stay
	last   rank      // everything up to it was looked at
	bound  rank      // the first job that stays
	sweeps map[string]bool
}

// rank is where a job stands among the ended ones.
type rank struct{ at, seq int64 }

func (r rank) before(other rank) bool {
	return r.at < other.at || r.at == other.at && r.seq < other.seq
}

// PruneStep is what became of one step.
type PruneStep struct {
	Jobs   int      // that are gone, or would be
	Trash  []Trash  // files that have to go with them, or would
	Lines  []string // ids of jobs that stay because the queue file has their line
	Untold bool     // nothing was done: too much has not been followed yet
	Done   bool     // it was the last step
}

const (
	endedOnly = "state NOT IN ('PENDING', 'RUNNING')"

	selectOldest = `SELECT seq, max(finished_at, submitted_at), state, sweep FROM jobs INDEXED BY jobs_ended
		WHERE ` + endedOnly + ` AND max(finished_at, submitted_at) >= ?1
		AND (max(finished_at, submitted_at), seq) > (?1, ?2) ORDER BY max(finished_at, submitted_at), seq LIMIT ?3+0`
	selectNewest = `SELECT max(finished_at, submitted_at), seq FROM jobs INDEXED BY jobs_ended
		WHERE ` + endedOnly + ` AND (?1 = '' OR state = ?1) ORDER BY max(finished_at, submitted_at) DESC, seq DESC LIMIT 1 OFFSET ?2+0`
	selectYoungest = `SELECT max(finished_at, submitted_at), seq, state FROM jobs INDEXED BY jobs_sweep WHERE sweep = ? AND sweep <> ''`
	selectOpenIn   = `SELECT 1 FROM jobs INDEXED BY jobs_sweep
		WHERE sweep = ? AND sweep <> '' AND state IN ('PENDING', 'RUNNING') LIMIT 1`
	selectUntold = "SELECT job FROM events WHERE id > ? ORDER BY id LIMIT ?+0"
	selectGoing  = `SELECT id, state, sweep, max(finished_at, submitted_at), attempt, log, script_hash, line_at FROM jobs
		WHERE seq = ? AND ` + endedOnly
)

// Pruner begins to prune. Its Wish counts as it is.
func (q *Queue) Pruner(ctx context.Context, o PruneOptions) (*Pruner, error) {
	if o.Floor == nil {
		o.Floor = func() int64 { return math.MaxInt64 }
	}
	p := &Pruner{q: q, o: o, sweeps: map[string]bool{}, last: rank{at: math.MinInt64}}
	p.bound = rank{at: toMillis(o.Now.Add(-o.Wish.OlderThan))}
	if o.Wish.Keep > 0 {
		var newest rank
		err := q.read.row(ctx, selectNewest, []any{string(o.Wish.State), o.Wish.Keep - 1}, &newest.at, &newest.seq)
		switch {
		case err == ErrNotFound:
			newest = rank{at: math.MinInt64} // there are no more than are to stay
		case err != nil:
			return nil, fmt.Errorf("finding what to prune: %w", err)
		}
		if newest.before(p.bound) {
			p.bound = newest
		}
	}
	p.Before = time.UnixMilli(max(p.bound.at, 0))
	return p, nil
}

// Next looks at the next jobs and lets go of those that may go.
func (p *Pruner) Next(ctx context.Context) (PruneStep, error) {
	list, done, err := p.candidates(ctx)
	if err != nil {
		return PruneStep{}, fmt.Errorf("finding what to prune: %w", err)
	}
	var s PruneStep
	if len(list) > 0 {
		floor, way := p.o.Floor(), onTheWay(p.o.Undelivered)
		err = p.q.write(ctx, func(t *tx) (err error) {
			s, err = t.prune(list, floor, way, p.o)
			return err
		})
	}
	if err != nil {
		return PruneStep{}, fmt.Errorf("pruning: %w", err)
	}
	s.Done = done
	if s.Jobs > 0 && !p.o.Wish.DryRun {
		Step("prune: rows gone")
	}
	return s, nil
}

// ended is a job that may go, as it was found.
type ended struct {
	rank
	state, sweep string
}

// candidates gives the next jobs that the rule lets go.
func (p *Pruner) candidates(ctx context.Context) (list []ended, done bool, err error) {
	var found []ended
	err = p.q.read.each(ctx, selectOldest, []any{p.last.at, p.last.seq, pruneAtOnce}, func(row scanner) error {
		var e ended
		err := row.Scan(&e.seq, &e.at, &e.state, &e.sweep)
		found = append(found, e)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	for _, e := range found {
		if !e.before(p.bound) {
			return list, true, nil
		}
		p.last = e.rank
		if p.o.Wish.State != "" && e.state != string(p.o.Wish.State) {
			continue
		}
		goes, err := p.whole(ctx, e.sweep)
		if err != nil {
			return nil, false, err
		}
		if goes {
			list = append(list, e)
		}
	}
	return list, len(found) < pruneAtOnce, nil
}

// whole reports whether all jobs of a sweep may go: it goes as one, unless only
// jobs of one state are asked for.
func (p *Pruner) whole(ctx context.Context, sweep string) (bool, error) {
	if sweep == "" {
		return true, nil
	}
	if goes, known := p.sweeps[sweep]; known {
		return goes, nil
	}
	goes := true
	err := p.q.read.each(ctx, selectYoungest, []any{sweep}, func(row scanner) error {
		var at rank
		var state string
		err := row.Scan(&at.at, &at.seq, &state)
		young := !at.before(p.bound) && p.o.Wish.State == ""
		if err == nil && (young || !State(state).Ended()) {
			goes, err = false, errStop
		}
		return err
	})
	p.sweeps[sweep] = goes
	return goes, err
}

// prune lets go of those among jobs that nothing keeps.
func (t *tx) prune(list []ended, floor int64, way deliveries, o PruneOptions) (PruneStep, error) {
	var s PruneStep
	untold, err := t.untold(floor)
	if err != nil {
		return s, err
	}
	if s.Untold = untold == nil; s.Untold {
		return s, nil
	}
	open, receipts := map[string]bool{}, map[int64]bool{}
	for _, e := range list {
		g := going{seq: e.seq}
		err := t.row(selectGoing, []any{e.seq}, &g.id, &g.state, &g.sweep, &g.at, &g.attempt, &g.log, &g.hash, &g.line)
		if err == ErrNotFound || err == nil && (g.at != e.at || g.state != e.state || untold[g.id]) {
			continue // it was retried, and may have ended again, or nobody has been told of its end yet
		}
		if err != nil {
			return s, err
		}
		if stays, err := t.sweepIsOpen(g.sweep, open); err != nil || stays {
			if err != nil {
				return s, err
			}
			continue
		}
		if g.line != LineLeft {
			s.Lines = append(s.Lines, g.id)
			if !o.Wish.DryRun {
				continue
			}
		}
		trash := g.trash(o.Copies)
		if !o.Wish.DryRun {
			if err := t.receiptsOf(g.id, receipts); err != nil {
				return s, err
			}
			if err := t.letGo(g, trash); err != nil {
				return s, err
			}
		}
		s.Jobs++
		s.Trash = append(s.Trash, trash...)
	}
	if s.Jobs == 0 || o.Wish.DryRun {
		return s, nil
	}
	done, err := t.settled(receipts, way)
	if err != nil {
		return s, err
	}
	replies, err := t.pruneReceipts(done)
	s.Trash = append(s.Trash, replies...)
	if err == nil && o.Command != "" {
		_, err = t.change("UPDATE prunings SET jobs = jobs + ? WHERE id = ?", s.Jobs, o.Command)
	}
	return s, err
}

// untold gives the jobs of which the events after floor tell; nil if those are
// too many to look through.
func (t *tx) untold(floor int64) (map[string]bool, error) {
	found, n := map[string]bool{}, 0
	err := t.each(selectUntold, []any{floor, mostUntold + 1}, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		found[id] = true
		n++
		return err
	})
	if n > mostUntold {
		return nil, err
	}
	return found, err
}

func (t *tx) sweepIsOpen(sweep string, known map[string]bool) (bool, error) {
	if sweep == "" {
		return false, nil
	}
	if open, seen := known[sweep]; seen {
		return open, nil
	}
	err := t.row(selectOpenIn, []any{sweep}, new(int))
	known[sweep] = err == nil
	if err == ErrNotFound {
		err = nil
	}
	return known[sweep], err
}

// going is a job that goes.
type going struct {
	seq, at          int64
	id, state, sweep string
	attempt          int
	log, hash        string
	line             int64
}

// trash are the files that go with it.
func (g going) trash(copies map[string]bool) []Trash {
	var list []Trash
	if g.log != "" || g.attempt > 1 || State(g.state) != Rejected {
		list = append(list, Trash{TrashLog, g.id, int64(g.attempt)})
	}
	if copies[g.hash] {
		list = append(list, Trash{Kind: TrashScript, Name: g.hash})
	}
	return list
}

// letGo removes all that is stored of a job but its id, state and end.
func (t *tx) letGo(g going, trash []Trash) error {
	_, err := t.change("INSERT OR REPLACE INTO pruned ("+prunedColumns+") VALUES (?,?,?,0)", g.id, g.state, g.at)
	if err == nil && g.sweep != "" {
		_, err = t.change("INSERT INTO pruned ("+prunedColumns+`) VALUES (?,?,?,1) ON CONFLICT (id) DO UPDATE SET
			state = iif(state = 'COMPLETED', excluded.state, state), finished_at = max(finished_at, excluded.finished_at)`,
			g.sweep, g.state, g.at)
	}
	for _, f := range trash {
		if err == nil {
			err = t.putTrash(f)
		}
	}
	if err == nil {
		_, err = t.change("DELETE FROM attempts WHERE job = ?", g.id)
	}
	if err == nil {
		_, err = t.change("DELETE FROM readings WHERE job = ?", g.id)
	}
	if err == nil {
		_, err = t.change("DELETE FROM jobs WHERE seq = ?", g.seq)
	}
	return err
}
