package watcher

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// Lines are committed together until one of these is reached: a few lines may
// ask for sweeps that come to more than should be held at once.
const (
	batchSize  = 1000     // lines, or what they ask for
	batchBytes = 16 << 20 // of text in what they ask for
)

// mostHints is how many bad lines of a batch are told what they may have meant.
const mostHints = 50

// commandMemory is how long a command's line is remembered after it left the
// file, to know it again if a tool writes it back.
const commandMemory = time.Hour

// take commits what the first ones of the lines ask for, and gives how many
// these are. A line that the queue refuses becomes a REJECTED job, and the
// others are taken all the same.
func (q *queueFile) take(ctx context.Context, d *digest, raws []rawLine) (n int, err error) {
	several, err := q.several(ctx)
	if err != nil {
		return 0, err
	}
	asked, err := q.batch(raws[:min(len(raws), several)])
	for err == nil {
		last := raws[len(asked)-1]
		in := jobs.Intake{
			Mark:       &jobs.Mark{Generation: q.generation.String(), Offset: last.end()},
			MaxPending: q.gate.most(fromQueueFile),
		}
		var from []int // the line of each entry
		for i, entries := range asked {
			in.Entries = append(in.Entries, entries...)
			from = append(from, slices.Repeat([]int{i}, len(entries))...)
		}
		if len(in.Entries) == 0 {
			return len(asked), nil
		}
		var outcomes []jobs.Outcome
		outcomes, err = q.o.Queue.Accept(ctx, in)
		var refused *jobs.RefusedError
		var full *jobs.FullError
		switch {
		case errors.As(err, &full):
			asked, err = q.fitting(ctx, asked, full)
		case errors.As(err, &refused):
			asked, err = q.without(refused, raws, asked, from)
		case err == nil:
			jobs.Step("queue file: lines committed")
			q.took(d, in.Entries, outcomes)
			return len(asked), nil
		}
	}
	return 0, err
}

// batch gives what each of the first lines asks for, as many as are committed
// together.
func (q *queueFile) batch(raws []rawLine) (asked [][]jobs.Entry, err error) {
	count, size, rejected := 0, 0, 0
	catalog := q.o.Catalog()
	for _, r := range raws[:min(len(raws), batchSize)] {
		entries, err := q.entries(r, nil, catalog)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 && entries[0].Job != nil && entries[0].Job.State == jobs.Rejected {
			if rejected++; rejected == mostHints {
				catalog = catalog.Terse()
			}
		}
		asked = append(asked, entries)
		count += len(entries)
		for _, e := range entries {
			size += sizeOf(e)
		}
		if count >= batchSize || size >= batchBytes {
			break
		}
	}
	return asked, nil
}

// sizeOf is about how much text an entry holds.
func sizeOf(e jobs.Entry) (n int) {
	if e.Job == nil {
		return 0
	}
	for _, arg := range e.Job.Args {
		n += len(arg)
	}
	for _, table := range []map[string]string{e.Job.Env, e.Job.Params, e.Job.Labels} {
		for name, text := range table {
			n += len(name) + len(text)
		}
	}
	return n
}

// without is what is asked but for what the queue refuses. If only the whole is
// too much for it, that is the lines that come before.
func (q *queueFile) without(refused *jobs.RefusedError, raws []rawLine, asked [][]jobs.Entry, from []int) ([][]jobs.Entry, error) {
	last := refused.Refusals[len(refused.Refusals)-1]
	if before := from[last.Entry]; refused.TooMuch && before > 0 {
		return asked[:before], nil
	}
	faults := map[int]*jobs.Fault{}
	for _, r := range refused.Refusals {
		faults[from[r.Entry]] = r.Fault
	}
	for i, fault := range faults {
		var err error
		if asked[i], err = q.entries(raws[i], fault, q.o.Catalog()); err != nil {
			return nil, err
		}
	}
	return asked, nil
}

// entries makes of a raw line what is to be committed; nothing of a comment.
// refused is why the queue has refused it; nil if it has not. Of the jobs of a
// sweep only the first one is tied to the line.
func (q *queueFile) entries(r rawLine, refused *jobs.Fault, catalog *jobs.Catalog) ([]jobs.Entry, error) {
	raw, err := q.text(r)
	if err != nil {
		return nil, err
	}
	id := q.lineID(r, raw)
	it := q.parse(r, raw)
	if it.Request == nil && it.Command == nil && it.Fault == nil {
		return nil, nil
	}
	entries, err := q.asked(it, r, id, refused, catalog)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	entries[0].Taken = &jobs.Taken{
		Generation: q.generation.String(), Offset: int64(r.at), Length: int64(r.length), Hash: r.hash,
	}
	for i, e := range entries {
		if e.Job == nil {
			continue
		}
		e.Job.Source, e.Job.SubmittedAt = "queue:"+q.name, now
		if i == 0 {
			e.Job.RawHash = r.hash
		}
	}
	return entries, nil
}

// parse reads a line whose bytes are raw.
func (q *queueFile) parse(r rawLine, raw []byte) jobs.Item {
	raw = bytes.TrimSuffix(raw, []byte{'\n'})
	if len(raw) > jobs.MaxRequestSize {
		raw = raw[r.lead:] // lines that were blanked may stand before it
	}
	return jobs.ParseLine(raw, jobs.Position{File: q.name, Line: int(r.number)})
}

// asked gives what a line asks for, or the REJECTED job that stands for it; at
// least one entry. id is for what bears none. A line that bears an ended state is
// history of another program.
func (q *queueFile) asked(it jobs.Item, r rawLine, id string, refused *jobs.Fault, catalog *jobs.Catalog) ([]jobs.Entry, error) {
	if refused != nil {
		it.Request, it.Command, it.Fault = nil, nil, refused
	}
	if it.Fault == nil {
		entries, bad := catalog.Entries([]jobs.Item{it}, func(int) string { return id })
		if len(bad) == 0 {
			for _, e := range entries {
				if j := e.Job; j != nil && j.State.Ended() && j.State != jobs.Rejected && j.Reason == "" {
					j.Reason = "imported from " + q.name
				}
			}
			return entries, catalog.Freeze(q.o.StateDir, entries)
		}
		it = bad[0]
	}
	j := jobs.RejectedJob(it)
	j.Args = []string{fmt.Sprintf("line:%d", r.number)}
	if j.ID == "" {
		j.ID = id
	}
	return []jobs.Entry{{Job: j}}, nil
}

// lineID is the same for the same line at the same place of the same
// generation of the file, so that a line committed twice is one job.
func (q *queueFile) lineID(r rawLine, raw []byte) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.at))
	return uuid.NewSHA1(q.generation, append(b, raw[r.lead:]...)).String()
}

// took remembers the lines that were committed and logs what they became. A
// line that names a job in some other form than its own line does is that
// line, changed, if the job has no other.
func (q *queueFile) took(d *digest, entries []jobs.Entry, outcomes []jobs.Outcome) {
	q.unplaced = true
	for i, e := range entries {
		logOutcome(q.o.Log, q.name, e, outcomes[i])
		if e.Taken == nil {
			continue
		}
		t, o := *e.Taken, outcomes[i]
		if o.Job != nil {
			t.Job = o.Job.ID
			d.names(t.Job)
		}
		q.taken = append(q.taken, t)
	}
}
