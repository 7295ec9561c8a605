package watcher

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"jobrunner/jobs"
)

// writeWords overwrites state words in place, each after a look that it is
// what it was.
func (q *queueFile) writeWords(f *os.File) {
	n := 0
	for id, word := range q.words {
		if n++; n > maxWords {
			return
		}
		l, there := q.view.line(id)
		delete(q.words, id)
		if !there {
			continue
		}
		raw := make([]byte, l.length)
		if m, _ := f.ReadAt(raw, l.start); m < len(raw) {
			q.distrust()
			continue
		}
		found, ok := parseViewLine(raw)
		if !ok || found.id != id || found.word == "" {
			q.distrust()
			continue
		}
		room := found.room
		if room < len(word) { // a line of the writer's own: it gets one of ours
			q.drops = append(q.drops, l.stretch())
			q.rewant = append(q.rewant, id.String())
			q.view.remove(id)
			continue
		}
		if _, err := f.WriteAt(padded(word, room), l.start+int64(found.wordAt)); err != nil {
			q.distrust()
			continue
		}
		jobs.Step("queue file: state word written")
		l.word, l.changed = word, time.Now()
		q.view.put(l)
	}
}

// padded is a state word as it fills its room in a line.
func padded(word jobs.State, room int) []byte {
	b := bytes.Repeat([]byte{' '}, room)
	copy(b, word)
	return b
}

// committed notes in the database what the file now holds.
func (q *queueFile) committed(ctx context.Context, e *edit) error {
	now := time.Now()
	var p []jobs.Placement
	for _, j := range e.placed {
		p = append(p, jobs.Placement{ID: j.ID, Seq: j.Seq, At: millis(now)})
	}
	for _, id := range e.left {
		p = append(p, jobs.Placement{ID: id, At: jobs.LineLeft})
	}
	for _, id := range q.rewant {
		p = append(p, jobs.Placement{ID: id, At: jobs.LineWanted})
	}
	unplaced := q.unplaced || len(q.rewant) > 0
	q.rewant = nil
	if err := q.place(ctx, p); err != nil {
		return err
	}
	q.unplaced = unplaced
	if err := q.left(ctx, e, now); err != nil {
		return err
	}
	q.unsure = false
	jobs.Step("queue file: writing committed")
	return q.plan.clear() // not before: until then it alone says what has left the file
}

// left notes which taken lines do not stand in the file any more.
func (q *queueFile) left(ctx context.Context, e *edit, now time.Time) error {
	if q.standing() == 0 {
		return nil
	}
	kept := q.taken[:0]
	for _, t := range q.taken {
		switch {
		case t.GoneAt != 0:
		case e.gone[t.Offset] > 0:
			t.GoneAt = millis(now)
		default:
			t.Generation = q.generation.String()
		}
		if t.GoneAt == 0 || t.Job == "" && now.Sub(fromMillis(t.GoneAt)) < commandMemory {
			kept = append(kept, t)
		}
	}
	q.taken = kept
	return q.mark(ctx, q.end)
}

func (q *queueFile) mark(ctx context.Context, end int64) error {
	m := jobs.Mark{Generation: q.generation.String(), Offset: end}
	if err := q.o.Queue.SetMark(ctx, m, q.taken); err != nil {
		return fmt.Errorf("noting how far %s was taken in: %w", q.name, err)
	}
	return nil
}
