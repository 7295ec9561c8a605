package watcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// Lines that were read and are not taken yet stand as they are in the file, and
// in a backlog: a turn takes no more than some of them, so that the file is
// brought up to date between, and none while too many jobs wait. The backlog is
// made anew by each look through the whole file, so nothing of it need be kept.

const (
	turnBatches  = 4  // commits of a turn
	firstBatches = 10 // of the first one, before which no job starts
	fewLines     = 64 // looked at together while there is hardly any room
)

// ingest commits raw lines as jobs and commands, each together with how far
// the file has then been read. What is too much for a turn, or has no room, is
// the backlog; only commands are taken from that.
func (q *queueFile) ingest(ctx context.Context, d *digest, raws []rawLine) error {
	begun, all := time.Now(), len(raws)
	defer func() { q.ingestTook += time.Since(begun) }()
	batches := turnBatches
	if q.info == nil {
		batches = firstBatches
	}
	q.backlog, q.full = nil, false
	for n := 0; n < batches && len(raws) > 0; n++ {
		took, err := q.take(ctx, d, raws)
		var full *jobs.FullError
		if errors.As(err, &full) {
			q.full = true
			break
		}
		if err != nil {
			return err
		}
		raws = raws[took:]
	}
	if !q.full {
		q.gate.served(fromQueueFile)
	}
	if len(raws) == 0 {
		return nil
	}
	if bits.Len(uint(len(raws))) < bits.Len(uint(all)) || cap(raws) > 2*len(raws) {
		raws = slices.Clone(raws) // lets go of what is before and behind them, now that they are but half
	}
	return q.keep(ctx, d, raws)
}

// keep adds lines to the backlog, but for the commands among them.
func (q *queueFile) keep(ctx context.Context, d *digest, raws []rawLine) error {
	if len(q.backlog) == 0 && !slices.ContainsFunc(raws, func(r rawLine) bool { return !r.is(examined) }) {
		q.backlog = raws
		return nil
	}
	if len(q.backlog) == 0 {
		q.backlog = raws[:0] // what stays is written behind what is read
	}
	q.backlog = slices.Grow(q.backlog, len(raws))
	for _, r := range raws {
		took := false
		if r.is(order) && !r.is(examined) {
			var err error
			if took, err = q.takeAhead(ctx, d, r); err != nil {
				return err
			}
		}
		if r.traits |= examined; !took {
			q.backlog = append(q.backlog, r)
		}
	}
	return nil
}

// advance takes the next ones of the backlog, if there is room.
func (q *queueFile) advance(ctx context.Context) error {
	if len(q.backlog) == 0 || q.whole || q.again {
		return nil // or first look
	}
	if q.full {
		if may, err := q.gate.mayTry(ctx, fromQueueFile, q.need); err != nil || !may {
			return err
		}
	}
	q.whole = true // after an error what was committed is found again by its place
	if err := q.ingest(ctx, q.newDigest(q.end, q.lines), q.backlog); err != nil {
		return fmt.Errorf("taking in lines: %w", err)
	}
	q.whole = false
	return nil
}

// mayCommand reports whether a line's text may be a command. It is asked of many
// lines and costs little.
func mayCommand(text []byte) bool {
	if bytes.IndexByte(text, 0) >= 0 { // it may be UTF-16
		return true
	}
	if bytes.HasPrefix(text, []byte{'{'}) {
		return bytes.Contains(text, []byte("action"))
	}
	word, _, _ := strings.Cut(string(text[:min(len(text), 16)]), " ")
	return slices.Contains(jobs.Actions, jobs.Action(word))
}

// takeAhead takes a line that is a command before the lines that stand before
// it, if it need not wait for those.
func (q *queueFile) takeAhead(ctx context.Context, d *digest, r rawLine) (bool, error) {
	raw, err := q.text(r)
	if err != nil {
		return false, err
	}
	it := q.parse(r, raw)
	if it.Command == nil || !ahead(ctx, q.o.Queue, []jobs.Item{it}) {
		return false, nil
	}
	n, err := q.take(ctx, d, []rawLine{r})
	return n > 0, err
}

// fitting gives the first ones of the lines for whose jobs there is room: the
// FullError if that is none.
func (q *queueFile) fitting(ctx context.Context, asked [][]jobs.Entry, full *jobs.FullError) ([][]jobs.Entry, error) {
	room, err := q.gate.room(ctx, fromQueueFile)
	if err != nil {
		return nil, err
	}
	fit := slices.IndexFunc(asked, func(entries []jobs.Entry) bool {
		room -= jobsOf(entries)
		return room < 0
	})
	if fit > 0 && fit < len(asked) {
		return asked[:fit], nil
	}
	if len(asked) > 1 { // there was room when it was counted: one fits, or none does
		return asked[:1], nil
	}
	q.need = max(1, jobsOf(asked[0]))
	q.gate.full(fromQueueFile, q.need)
	return nil, full
}

// jobsOf counts the jobs of entries that are to wait.
func jobsOf(entries []jobs.Entry) (n int) {
	for _, e := range entries {
		if e.Job != nil && e.Job.State == jobs.Pending {
			n++
		}
	}
	return n
}

// several is how many lines are looked at together: while there is hardly any
// room, most of them would have to be looked at again.
func (q *queueFile) several(ctx context.Context) (int, error) {
	room, err := q.gate.room(ctx, fromQueueFile)
	return min(batchSize, max(fewLines, room)), err
}

// renamed notes the jobs whose changed line is in the backlog, and which are not
// missing therefore. Only an object names its job otherwise than by its first
// word.
func (q *queueFile) renamed(d *digest) error {
	for _, r := range q.backlog {
		if !r.is(object) {
			continue
		}
		raw, err := q.text(r)
		if err != nil {
			return err
		}
		if it := q.parse(r, raw); it.Request != nil && it.ID != "" {
			d.names(it.ID)
		}
	}
	return nil
}

// names notes that the line of a job is there, but not as it was.
func (d *digest) names(job string) {
	id, err := uuid.Parse(job)
	if err == nil && d.whole && d.q.view.has(id) && !d.present.has(id) {
		d.changed = append(d.changed, job)
	}
}
