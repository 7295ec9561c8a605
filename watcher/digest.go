package watcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"jobrunner/jobs"
)

// digest is what a look makes of the bytes it has read.
type digest struct {
	q         *queueFile
	whole     bool
	present   *sighted         // jobs' lines found
	taken     map[string]bool  // jobs whose own words still stood in the file at the last look
	raws      []rawLine        // lines that are nobody's yet; before resolve also those that may be
	drops     []stretch        // doubled or changed lines of known jobs: their texts
	changed   []string         // jobs whose line is there, but not as it was: it must be placed again
	back      []string         // jobs whose line is gone and must be placed again
	adopt     []jobs.Placement // lines found that the database does not know to be there
	returned  []string         // jobs in doubt whose line is there
	end       int64
	lines     int
	rest      []byte // what follows the last line end
	cut       bool   // more follows that was not read
	moved     bool
	seenUntil time.Time // a tool that rewrote the file had read it before this time
}

func (q *queueFile) newDigest(base int64, lines int) *digest {
	d := &digest{q: q, present: newSighted(q.view), taken: map[string]bool{}, end: base, lines: lines}
	for _, t := range q.taken {
		if t.GoneAt == 0 && t.Job != "" {
			d.taken[t.Job] = true
		}
	}
	return d
}

// mostLooked is how much of what was appended one look reads, so that the file
// is not kept from others for long.
const mostLooked = 8 << 20

// read sorts the lines of f, which is of that size, from d.end on. It is called
// while others are kept out of the file, so it asks nobody but the memory:
// resolve does the rest.
func (d *digest) read(f *os.File, size int64) (window, error) {
	to := size
	if most := d.end + mostLooked; !d.whole && most < size {
		to = most
	}
	from := d.end
	sort := func(start int64, raw []byte) {
		d.lines++
		if len(d.raws) == cap(d.raws) {
			d.raws = slices.Grow(d.raws, expected(len(d.raws), start-from, to-start))
		}
		d.line(start, raw)
	}
	s, err := scanLines(f, d.end, to, sort)
	if err == nil && to < size {
		if d.cut = s.end > d.end; !d.cut { // it is all one line
			to = size
			s, err = scanLines(f, d.end, to, sort)
		}
	}
	if d.end = s.end; !d.cut {
		d.rest = bytes.Clone(s.rest)
	}
	return s.last, err
}

// expected is for how many more lines there should be room, after n of them in the
// bytes that were read: what the bytes that are left hold if they are like those, but
// no more than three times n. It wastes less than doubling does, and a million lines
// are moved a few times only.
func expected(n int, read, left int64) int {
	return min(3*n, int(int64(n)*max(left, 0)/max(read, 1))) + 16
}

func (d *digest) line(start int64, raw []byte) {
	l, ok := parseViewLine(raw)
	if !ok {
		if len(trimSpace(raw)) > 0 {
			d.raws = append(d.raws, newRawLine(start, raw, d.lines))
		}
		return
	}
	l.start = start
	slot := d.q.view.find(l.id)
	if slot < 0 {
		r := newRawLine(start, raw, d.lines)
		r.traits |= named
		d.raws = append(d.raws, r)
		return
	}
	old := d.q.view.at(slot)
	first, doubled := d.present.line(l.id)
	switch {
	case l.asksAgain(old) || doubled && l.asksAgain(first):
		d.raws = append(d.raws, newRawLine(start, raw, d.lines))
	case doubled:
		d.drops = append(d.drops, l.stretch())
	default:
		d.seen(slot, l, old)
	}
}

// resolve finds out what lines are that bear an id of which the view knows
// nothing, and leaves those in raws that are nobody's.
func (d *digest) resolve(ctx context.Context) error {
	found, changed := d.raws, d.changed
	d.raws = found[:0]
	for _, r := range found {
		if !r.is(named) {
			d.raws = append(d.raws, r)
			continue
		}
		raw, err := d.q.text(r)
		if err != nil {
			return err
		}
		l, _ := parseViewLine(raw)
		l.start = r.start()
		first, doubled := d.present.added.line(l.id)
		switch {
		case doubled && l.asksAgain(first):
			d.raws = append(d.raws, r)
		case doubled:
			d.drops = append(d.drops, l.stretch())
		default:
			if err := d.unseen(ctx, l, r); err != nil {
				return err
			}
		}
	}
	for _, id := range changed {
		d.q.o.Log.Info().Str("job", id).Str("file", d.q.name).Msg("changed line put right")
	}
	return nil
}

// asksAgain reports whether the line is a new request under the id of a
// REJECTED one, which is given up for that.
func (l viewLine) asksAgain(known viewLine) bool {
	return known.word == jobs.Rejected && l.text != known.text && (l.word == "" || l.word == jobs.Pending)
}

// seen deals with a line of a job whose line was in the file before.
func (d *digest) seen(slot int, l, old viewLine) {
	if !d.whole || l.text != old.text || l.word == "" {
		d.drops = append(d.drops, l.stretch())
		if d.whole {
			d.changed = append(d.changed, l.id.String())
		}
		return
	}
	d.moved = d.moved || d.q.info != nil && old.at() != l.at()
	want, pending := d.q.words[l.id]
	if !pending {
		want = old.word
	}
	if l.word != old.word && d.q.info != nil && !old.changed.IsZero() && old.changed.Before(d.seenUntil) {
		d.seenUntil = old.changed // it wrote back a word from before that time
	}
	d.present.saw(slot, l)
	d.q.setWord(l, want)
}

// unended looks for a job's line whose line end alone is gone, at the end of
// the file: some tools write none behind the last line.
func (d *digest) unended() {
	l, ok := parseViewLine(d.rest)
	if !ok || d.present.has(l.id) {
		return
	}
	if old, known := d.q.view.line(l.id); known && l.word != "" && l.text == old.text {
		d.changed = append(d.changed, l.id.String())
	}
}

// isOld reports whether a line whose job was pruned is no more than that job's
// line, which somebody has written back. Where the file is only read it stays,
// and is taken to be known.
func (d *digest) isOld(l viewLine, gone *jobs.PrunedError) bool {
	asks := l.word == "" || l.word == jobs.Pending
	return d.q.side == "" && (gone.State != jobs.Rejected || !asks)
}

// unseen deals with a line that bears an id and was not in the file before.
func (d *digest) unseen(ctx context.Context, l viewLine, r rawLine) error {
	j, err := d.q.o.Queue.Job(ctx, l.id.String())
	var gone *jobs.PrunedError
	if errors.As(err, &gone) && d.isOld(l, gone) {
		d.drops = append(d.drops, l.stretch())
		d.q.o.Log.Info().Str("job", gone.ID).Str("state", string(gone.State)).Str("file", d.q.name).
			Msg("line of a pruned job removed")
		return nil
	}
	if errors.Is(err, jobs.ErrNotFound) {
		d.raws = append(d.raws, r)
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking up the job of %s:%d: %w", d.q.name, r.number, err)
	}
	ours := l.text == jobText(j) && l.word != "" && l.room >= jobs.StateWidth
	switch {
	case d.q.side != "" || d.taken[j.ID] && !ours:
		d.raws = append(d.raws, r)
	case j.State == jobs.Rejected && !ours && (l.word == "" || l.word == jobs.Pending):
		d.raws = append(d.raws, r)
	case ours && j.LineAt != jobs.LineLeft:
		l.placed = time.Now()
		if j.LineAt > 0 {
			l.placed = fromMillis(j.LineAt)
		} else {
			d.adopt = append(d.adopt, jobs.Placement{ID: j.ID, At: millis(l.placed)})
		}
		if j.Doubt || d.q.gone[l.id] {
			d.returned = append(d.returned, j.ID)
		}
		d.present.put(l)
		d.q.setWord(l, j.State)
	default:
		d.drops = append(d.drops, l.stretch())
		if j.LineAt > 0 {
			d.changed = append(d.changed, j.ID)
			d.returned = append(d.returned, j.ID)
			delete(d.q.gone, l.id)
		}
	}
	return nil
}
