package watcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// A line that is gone is a wish, unless it is damage. A tool that rewrites the
// file without a job's line removes that job, as the page that this file
// format comes from does it; but an emptied file, the save of an editor that
// was opened long ago, or a tool that never saw the line is not a wish, and
// its lines are put back.

// miss decides what the missing lines mean. Lines of PENDING jobs that count
// as removed wait in q.gone, and their jobs are not started, until decide.
func (q *queueFile) miss(ctx context.Context, d *digest, missing []int32) error {
	there := map[string]bool{}
	for _, id := range slices.Concat(d.changed, d.back) {
		there[id] = true
	}
	missing = slices.DeleteFunc(missing, func(slot int32) bool {
		l := q.view.at(int(slot))
		if there[l.id.String()] {
			delete(q.words, l.id)
		}
		return there[l.id.String()]
	})
	back := slices.DeleteFunc(slices.Concat(d.changed, d.back), func(id string) bool {
		u, err := uuid.Parse(id)
		return err == nil && d.present.has(u)
	})
	var left, doubt []string
	damage := len(missing) > 0 && q.damage(d, missing)
	for l := range q.view.lines(missing) {
		delete(q.words, l.id)
		id := l.id.String()
		switch {
		case damage:
			back = append(back, id)
		case l.word.Ended():
			left = append(left, id)
		case l.word == jobs.Running || !l.placed.Before(d.seenUntil):
			back = append(back, id)
		default:
			doubt = append(doubt, id)
			q.gone[l.id] = true
		}
	}
	if damage {
		q.o.Log.Warn().Str("file", q.name).Int("lines", len(missing)).Msg("queue file was damaged, putting its lines back")
	} else if len(back) > 0 {
		q.o.Log.Info().Str("file", q.name).Int("lines", len(back)).Msg("lines put back that another program cannot have meant to remove")
	}
	if len(doubt) > 0 {
		if err := q.o.Queue.SetDoubt(ctx, doubt, true); err != nil {
			return fmt.Errorf("holding jobs whose lines are gone: %w", err)
		}
		jobs.Step("queue file: doubts committed")
	}
	if err := q.reappeared(ctx, d, back); err != nil {
		return err
	}
	placements := d.adopt
	for _, id := range back {
		placements = append(placements, jobs.Placement{ID: id, At: jobs.LineWanted})
	}
	for _, id := range left {
		placements = append(placements, jobs.Placement{ID: id, At: jobs.LineLeft})
	}
	return q.place(ctx, placements)
}

func (q *queueFile) place(ctx context.Context, p []jobs.Placement) error {
	if len(p) == 0 {
		return nil
	}
	if err := q.o.Queue.PlaceLines(ctx, p); err != nil {
		return fmt.Errorf("noting which lines are in %s: %w", q.name, err)
	}
	jobs.Step("queue file: places committed")
	q.unplaced = true
	return nil
}

// damage reports whether so much is missing that nobody can have meant it:
// nothing of what the file held is left, no line and no comment; the file ends
// in the middle of a line; or more than max(3, 20 %) of the unfinished lines
// that the tool can have seen are gone.
func (q *queueFile) damage(d *digest, missing []int32) bool {
	if d.present.len()+len(d.changed) == 0 && !slices.ContainsFunc(d.raws, func(r rawLine) bool { return r.is(remark) }) {
		return true
	}
	rest := bytes.TrimLeft(d.rest, " \t\x00")
	gone := 0
	for l := range q.view.lines(missing) {
		id := l.id.String()
		if n := min(len(rest), len(id)); n >= 8 && bytes.EqualFold(rest[:n], []byte(id[:n])) {
			return true
		}
		if q.removable(d, l) {
			gone++
		}
	}
	unfinished := 0
	for l := range q.view.all() {
		if q.removable(d, l) {
			unfinished++
		}
	}
	return gone > max(3, unfinished/5)
}

// removable reports whether a tool that rewrote the file can have meant to
// remove the line.
func (q *queueFile) removable(d *digest, l viewLine) bool {
	return !l.word.Ended() && l.placed.Before(d.seenUntil)
}

// reappeared lets jobs go on whose lines are back, or are put back.
func (q *queueFile) reappeared(ctx context.Context, d *digest, back []string) error {
	returned := d.returned
	isBack := map[string]bool{}
	for _, id := range back {
		isBack[id] = true
	}
	for id := range q.gone {
		if d.present.has(id) || isBack[id.String()] {
			returned = append(returned, id.String())
			delete(q.gone, id)
		}
	}
	return q.settleDoubt(ctx, returned)
}

// settleDoubt lets jobs go on.
func (q *queueFile) settleDoubt(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := q.o.Queue.SetDoubt(ctx, ids, false); err != nil {
		return fmt.Errorf("letting jobs go on whose lines are back: %w", err)
	}
	return nil
}

// decide cancels the jobs whose lines have been gone for long enough.
func (q *queueFile) decide(ctx context.Context) error {
	if len(q.gone) == 0 || time.Since(q.foreign) < removalQuiet || q.mustLook() || q.guard == bare {
		return nil
	}
	var ids []string
	for id := range q.gone {
		ids = append(ids, id.String())
	}
	removed, err := q.o.Queue.RemoveByLine(ctx, ids, q.name)
	if err != nil {
		return fmt.Errorf("cancelling jobs whose lines were removed: %w", err)
	}
	jobs.Step("queue file: removals committed")
	for _, id := range removed {
		q.o.Log.Info().Str("job", id).Str("state", string(jobs.Cancelled)).Str("file", q.name).Msg("job cancelled, its line was removed")
	}
	var placements []jobs.Placement
	for _, id := range ids {
		if slices.Contains(removed, id) {
			continue
		}
		j, err := q.o.Queue.Job(ctx, id)
		if errors.Is(err, jobs.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("looking up a job whose line was removed: %w", err)
		}
		p := jobs.Placement{ID: id, At: jobs.LineWanted}
		if j.State.Ended() {
			p.At = jobs.LineLeft
		}
		placements = append(placements, p)
	}
	if err := q.place(ctx, placements); err != nil {
		return err
	}
	q.gone = map[uuid.UUID]bool{}
	return nil
}
