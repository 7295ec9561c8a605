package watcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobrunner/jobs"
)

// digest is what a look makes of the bytes it has read.
type digest struct {
	q         *queueFile
	whole     bool
	present   *view            // jobs' lines found
	taken     map[string]bool  // jobs whose own words still stood in the file at the last look
	raws      []rawLine        // lines that are nobody's yet
	drops     []stretch        // doubled or changed lines of known jobs
	changed   []string         // jobs whose line is there, but not as it was: it must be placed again
	back      []string         // jobs whose line is gone and must be placed again
	adopt     []jobs.Placement // lines found that the database does not know to be there
	returned  []string         // jobs in doubt whose line is there
	end       int64
	lines     int
	rest      []byte // what follows the last line end
	moved     bool
	seenUntil time.Time // a tool that rewrote the file had read it before this time
}

// rawLine is a line as its writer wrote it.
type rawLine struct {
	stretch
	number   int
	raw      []byte
	examined bool // it was found to be no command that can be taken before others
}

func (q *queueFile) newDigest(base int64, lines int) *digest {
	d := &digest{q: q, present: newView(), taken: map[string]bool{}, end: base, lines: lines}
	for _, t := range q.taken {
		if t.GoneAt == 0 && t.Job != "" {
			d.taken[t.Job] = true
		}
	}
	return d
}

// read sorts the lines of data, which stands at d.end.
func (d *digest) read(ctx context.Context, data []byte) error {
	var failed error
	d.rest = eachLine(data, d.end, func(start int64, raw []byte) {
		d.lines++
		if failed == nil {
			failed = d.line(ctx, start, raw)
		}
	})
	d.end += int64(len(data) - len(d.rest))
	return failed
}

func (d *digest) line(ctx context.Context, start int64, raw []byte) error {
	l, ok := parseViewLine(raw)
	if !ok {
		if len(trimSpace(raw)) > 0 {
			d.raws = append(d.raws, rawLine{stretch: stretch{start, len(raw)}, number: d.lines, raw: raw})
		}
		return nil
	}
	l.start = start
	first, doubled := d.present.line(l.id)
	old, known := d.q.view.line(l.id)
	switch {
	case doubled && l.asksAgain(first) || known && l.asksAgain(old):
		d.raws = append(d.raws, rawLine{stretch: stretch{start, len(raw)}, number: d.lines, raw: raw})
	case doubled:
		d.drops = append(d.drops, stretch{start, len(raw)})
	case known:
		d.seen(l, old, raw)
	default:
		return d.unseen(ctx, l, raw)
	}
	return nil
}

// asksAgain reports whether the line is a new request under the id of a
// REJECTED one, which is given up for that.
func (l viewLine) asksAgain(known viewLine) bool {
	return known.word == jobs.Rejected && l.text != known.text && (l.word == "" || l.word == jobs.Pending)
}

// seen deals with a line of a job whose line was in the file before.
func (d *digest) seen(l, old viewLine, raw []byte) {
	if !d.whole || l.text != old.text || l.word == "" {
		d.drops = append(d.drops, stretch{l.start, len(raw)})
		if d.whole {
			d.changed = append(d.changed, l.id.String())
			d.q.o.Log.Info().Str("job", l.id.String()).Str("file", d.q.name).Msg("changed line put right")
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
	l.placed, l.changed = old.placed, old.changed
	d.present.put(l)
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
func (d *digest) unseen(ctx context.Context, l viewLine, raw []byte) error {
	at := stretch{l.start, len(raw)}
	j, err := d.q.o.Queue.Job(ctx, l.id.String())
	var gone *jobs.PrunedError
	if errors.As(err, &gone) && d.isOld(l, gone) {
		d.drops = append(d.drops, at)
		d.q.o.Log.Info().Str("job", gone.ID).Str("state", string(gone.State)).Str("file", d.q.name).
			Msg("line of a pruned job removed")
		return nil
	}
	if errors.Is(err, jobs.ErrNotFound) {
		d.raws = append(d.raws, rawLine{stretch: at, number: d.lines, raw: raw})
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking up the job of %s:%d: %w", d.q.name, d.lines, err)
	}
	ours := l.text == jobText(j) && l.word != "" && l.room >= jobs.StateWidth
	switch {
	case d.q.side != "" || d.taken[j.ID] && !ours:
		d.raws = append(d.raws, rawLine{stretch: at, number: d.lines, raw: raw})
	case j.State == jobs.Rejected && !ours && (l.word == "" || l.word == jobs.Pending):
		d.raws = append(d.raws, rawLine{stretch: at, number: d.lines, raw: raw})
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
		d.drops = append(d.drops, at)
		if j.LineAt > 0 {
			d.changed = append(d.changed, j.ID)
			d.returned = append(d.returned, j.ID)
			delete(d.q.gone, l.id)
		}
	}
	return nil
}
