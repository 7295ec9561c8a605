package watcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

const (
	maxPlaced  = 2000    // lines placed in one section
	maxWords   = 500     // state words written in one section
	maxRewrite = 1 << 20 // bytes rewritten in one section, unless much of them goes
	worthwhile = 20      // the share of what is rewritten that must go then: a twentieth
)

// edit is one change of the file: the end of it is written anew, or, where
// what has to go lies far ahead of the end, spaces are written over that.
type edit struct {
	from   int64
	old    []byte        // file[from:q.end] as it must be found
	new    []byte        // what is to stand there
	blanks []blanking    // ahead of from: to be blanked in place
	gone   map[int64]int // texts that leave the file, by where they stand, and their lengths
	placed []*jobs.Job   // jobs whose lines are in new
	left   []string      // jobs whose lines leave the file
	lines  []viewLine    // lines in new that move or are new
	waits  []rawLine     // the last ones of the backlog as they are to stand in new
	shared bool          // it was carried out outside a section: the next look tells how it stands
}

// apply brings the file up to date with the database. more means that there
// was too much for one section. errBusy means that it must be tried again.
func (q *queueFile) apply(ctx context.Context) (more bool, err error) {
	if q.side != "" {
		return false, q.applySide(ctx)
	}
	if q.again || q.whole || q.unread || q.info == nil || !q.absentSince.IsZero() {
		return false, nil // first look, then write
	}
	if q.longBusy() && time.Since(q.applied) < effort*q.lookTook {
		return false, errBusy // a write outside a section calls for a look
	}
	var wanted []*jobs.Job
	if q.unplaced {
		if wanted, err = q.o.Queue.LinesWanted(ctx, maxPlaced); err != nil {
			return false, fmt.Errorf("reading which jobs want a line: %w", err)
		}
	}
	left := q.withPruned(q.outdated())
	if len(wanted)+len(left)+len(q.words)+len(q.drops)+q.standing() == 0 {
		q.unplaced = false
		return false, nil
	}
	e, err := q.plans(wanted, left)
	if err != nil {
		return false, err
	}
	done, err := q.write(e)
	if err != nil {
		return false, err
	}
	q.applied = time.Now()
	if !done { // somebody changed what was to be changed: look first
		q.distrust()
		return true, nil
	}
	if e.shared {
		return q.again, nil
	}
	q.unplaced = len(wanted) == maxPlaced
	err = q.sync(e)
	if err == nil {
		err = q.committed(ctx, e)
	}
	if err != nil {
		q.distrust() // the database believes that everything stands where it stood
	}
	return q.unplaced || len(q.words) > 0, err
}

// plans works out the change of the file that is due.
func (q *queueFile) plans(wanted []*jobs.Job, left []viewLine) (*edit, error) {
	e := &edit{from: q.end, gone: q.leaving(), placed: wanted}
	for _, l := range left {
		e.gone[l.at()] = l.stretch().length
		e.left = append(e.left, l.id.String())
	}
	for _, j := range wanted {
		id, err := uuid.Parse(j.ID)
		if l, there := q.view.line(id); err == nil && there { // of the REJECTED request whose id it took over
			e.gone[l.at()] = l.stretch().length
		}
	}
	starts := slices.Sorted(maps.Keys(e.gone))
	may := q.rewritable()
	var going int64 // bytes that go from here to the end
	for _, start := range slices.Backward(starts) {
		going += int64(e.gone[start])
		if len(left) > 0 || q.end-start <= may(going) {
			e.from = start
		}
	}
	if len(wanted) == maxPlaced { // further lines are placed next
		for start := range q.unplacedYet(wanted) {
			if start < e.from {
				delete(e.gone, start)
			}
		}
	}
	hashes := q.hashes()
	for _, start := range starts {
		if length := e.gone[start]; start < e.from && length > 0 {
			e.blanks = blankToo(e.blanks, start, blankText{length, hashes[start]})
		}
	}
	if e.from == q.end && len(wanted) == 0 && len(e.blanks) == 0 {
		return e, nil // nothing but state words
	}
	if err := q.readOld(e); err != nil {
		return nil, err
	}
	e.rebuild(q)
	return e, nil
}

// rewritable says how much of the end of the file may be written anew for so
// many bytes of it to go. If others have changed it since the last look that is
// what is known from there.
func (q *queueFile) rewritable() func(going int64) int64 {
	info, err := os.Lstat(q.o.Path)
	if err != nil || !unchanged(info, q.info) {
		return func(int64) int64 { return int64(len(q.tail)) }
	}
	return func(going int64) int64 { return max(maxRewrite, worthwhile*going) }
}

// readOld reads what the edit is to replace. It must be what the last look
// saw: the places of lines are known from there. errBusy means that it is not,
// or that this cannot be told.
func (q *queueFile) readOld(e *edit) error {
	f, err := openPlain(q.o.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	may := int64(maxRewrite)
	if !unchanged(info, q.info) {
		may = max(0, e.from-q.end+int64(len(q.tail)))
	}
	e.from -= blanksBefore(f, e.from, may)
	e.old = make([]byte, q.end-e.from)
	n, err := f.ReadAt(e.old, e.from)
	if err != nil && err != io.EOF {
		return fmt.Errorf("reading %s: %w", q.name, err)
	}
	covered := min(len(q.tail), n)
	same := n == len(e.old) && bytes.HasSuffix(e.old, q.tail[len(q.tail)-covered:])
	sure := covered == n
	for i := range e.blanks {
		to := e.from
		if i+1 < len(e.blanks) {
			to = e.blanks[i+1].start
		}
		same = same && e.blanks[i].read(f, to)
		sure = sure && e.blanks[i].holds()
	}
	if !same || !sure && !unchanged(info, q.info) {
		q.distrust()
		return errBusy
	}
	return nil
}

// write carries out the edit and writes state words. It returns false if the
// file is not as it was when the edit was planned.
func (q *queueFile) write(e *edit) (bool, error) {
	if q.longBusy() { // no plan is needed to find out whether it still is
		f, err := q.openExclusive(false)
		if errors.Is(err, errBusy) {
			return q.writeShared(e)
		}
		if err != nil {
			return false, err
		}
		return false, f.Close()
	}
	edits := len(e.placed) > 0 || !bytes.Equal(e.old, e.new)
	pl := plan{Generation: q.generation, From: e.from, Old: e.old, New: e.new, Blanks: e.blanks}
	if edits || len(pl.Blanks) > 0 {
		if err := q.plan.write(pl, true); err != nil {
			return false, errors.Join(fmt.Errorf("writing the plan: %w", err), q.plan.clear()) // the room that it takes may be the last
		}
		jobs.Step("queue file: plan written")
	}
	f, err := q.openExclusive(true)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return q.writeExclusive(f, e, pl, edits)
}

// writeExclusive is the exclusive section of write.
func (q *queueFile) writeExclusive(f *os.File, e *edit, pl plan, edits bool) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if !os.SameFile(info, q.info) || info.Size() < q.end {
		return false, nil
	}
	if !standsAt(f, e.from, e.old) || !q.tailStands(f, e) {
		return false, nil
	}
	for _, b := range e.blanks {
		if !b.stands(f) {
			return false, nil
		}
	}
	if edits {
		behind, err := readFrom(f, e.from+int64(len(e.old)))
		if err != nil {
			return false, err
		}
		if len(behind) > 0 { // appended since the look: it stays behind
			pl.Old = concat(e.old, behind)
			if len(trimSpace(behind)) == 0 {
				behind = nil // the second byte of a line end in UTF-16
			}
			pl.New = concat(e.new, behind)
			if err := q.plan.write(pl, false); err != nil {
				return false, err
			}
			jobs.Step("queue file: plan changed")
		}
	}
	jobs.Step("queue file: about to be written")
	if !lasts(f, q.entered) {
		return false, nil
	}
	q.renumber(e)
	q.unsure = true
	if edits {
		if err := pl.carryOut(f, q.entered); err != nil {
			return false, q.undo(f, pl, err)
		}
		jobs.Step("queue file: plan carried out")
		if err := q.plan.done(); err != nil {
			q.distrust()
			return false, fmt.Errorf("writing the plan: %w", err)
		}
		jobs.Step("queue file: plan marked as done")
		q.moved(e)
	}
	if !unchanged(info, q.info) {
		q.again, q.foreign = true, time.Now()
	}
	for _, b := range e.blanks {
		q.blank(f, e, b)
	}
	q.drops = nil
	q.writeWords(f)
	q.say("")
	err = q.wrote(f)
	if !lasts(f, q.entered) { // others have written meanwhile
		q.distrust()
	}
	return true, err
}

// moved notes where the lines of a carried out edit now stand.
func (q *queueFile) moved(e *edit) {
	before := q.end
	q.end = e.from + int64(len(e.new))
	q.lines += bytes.Count(e.new, []byte{'\n'}) - bytes.Count(e.old, []byte{'\n'})
	if q.end < before || len(q.backlog) > 0 && len(e.old) > 0 {
		q.generation = uuid.New() // an offset may come again
	}
	if waiting := q.waitingFrom(e.from); len(waiting) == len(e.waits) {
		copy(waiting, e.waits)
	} else { // some are not where they were thought to be
		q.backlog = nil
		q.distrust()
	}
	for _, l := range e.lines {
		q.view.put(l)
		if s := q.words[l.id]; s == l.word {
			delete(q.words, l.id)
		}
	}
	for _, id := range e.left {
		if id, err := uuid.Parse(id); err == nil {
			q.view.remove(id)
			delete(q.words, id)
		}
	}
	if q.partial.text != "" {
		q.partial.start += q.end - before
	}
}

// wrote notes the file's new look after a write.
func (q *queueFile) wrote(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	q.info = info
	from := max(0, q.end-tailSize)
	q.tail = make([]byte, q.end-from)
	if n, err := f.ReadAt(q.tail, from); n < len(q.tail) {
		q.distrust()
		if err != nil && err != io.EOF {
			return fmt.Errorf("reading %s: %w", q.name, err)
		}
	}
	return nil
}
