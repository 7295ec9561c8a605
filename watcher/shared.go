package watcher

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// writeShared brings the file up to date while another program has it open
// for reading only, as tail -f does, so that there is no exclusive section to
// be had: state words are overwritten in place, new lines are appended, and
// only then taken lines are blanked, so that none is ever missing. Each step
// verifies what it overwrites. The next look learns where everything stands.
func (q *queueFile) writeShared(e *edit) (bool, error) {
	f, err := openQuiet(q.o.Path)
	if errors.Is(err, errBusy) {
		q.sayBusy()
	}
	if err != nil {
		return false, err
	}
	info, err := f.Stat()
	f.Close() // our own writing would wait for it
	if err != nil {
		return false, err
	}
	if !unchanged(info, q.info) {
		return false, nil
	}
	e.shared = true
	if q.partial.text != "" {
		e.placed = nil // they would be glued to a line that has no end yet
	}
	blanks := q.blankable(e, info.Size())
	if len(q.words)+len(e.placed)+len(blanks) == 0 {
		q.say("")
		return true, nil
	}
	w, err := os.OpenFile(q.o.Path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, err
	}
	defer w.Close()
	if err := sameFile(w, q.o.Path); err != nil {
		return false, err
	}
	q.distrust()
	q.unsure = true
	q.writeWords(w)
	if err := q.appendLines(w, e.placed, info.Size()); err != nil {
		return false, err
	}
	for _, s := range blanks {
		if err := q.blankPlanned(w, s.start, s.length); err != nil {
			return false, err
		}
	}
	if err := w.Sync(); err != nil { // before the next look forgets what has left
		return false, fmt.Errorf("writing %s to disk: %w", q.name, err)
	}
	if err := q.plan.clear(); err != nil {
		return false, err
	}
	q.say("")
	return true, q.wrote(w)
}

// appendLines appends the jobs' lines in one write to w, a file of that size.
func (q *queueFile) appendLines(w *os.File, placed []*jobs.Job, size int64) error {
	if len(placed) == 0 {
		return nil
	}
	var b []byte
	if n := len(q.tail); n > 0 && q.tail[n-1] != '\n' {
		b = append(b, '\n')
	}
	for _, j := range placed {
		b = append(b, formatViewLine([]byte(jobs.FormatLine(j)), size+int64(len(b)))...)
	}
	f, err := os.OpenFile(q.o.Path, os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if n, err := f.Write(b); err != nil {
		unappend(f, w, b, n)
		return fmt.Errorf("appending to %s: %w", q.name, err)
	}
	jobs.Step("queue file: appended beside a reader")
	return nil
}

// blankable gives the lines that may be blanked in a file of that size: those
// that are to leave, once the job's own line is in the file. A line that is the
// last one stays until another follows: the file never gets a blank line.
func (q *queueFile) blankable(e *edit, size int64) []stretch {
	waits := q.unplacedYet(e.placed)
	var found []stretch
	for start, length := range e.gone {
		last := start+int64(length) >= size && len(e.placed) == 0
		if !waits[start] && !last {
			found = append(found, stretch{start, length})
		}
	}
	return found
}

// unplacedYet gives the taken lines, by their start, whose jobs have no line
// in the file and are not among those that get one now. Blanked before that, a
// line of the same words could be taken for it after a crash.
func (q *queueFile) unplacedYet(placed []*jobs.Job) map[int64]bool {
	inFile := map[string]bool{"": true} // a command has no line
	for _, j := range placed {
		inFile[j.ID] = true
	}
	waits := map[int64]bool{}
	for _, t := range q.taken {
		if id, err := uuid.Parse(t.Job); err == nil && !inFile[t.Job] && !q.view.has(id) {
			waits[t.Offset] = true
		}
	}
	return waits
}

// blankPlanned blanks one line, under a plan.
func (q *queueFile) blankPlanned(w *os.File, start int64, length int) error {
	old := make([]byte, length+1)
	n, _ := w.ReadAt(old, start)
	if n < length {
		return nil
	}
	old = old[:n]
	switch i := bytes.IndexByte(old, '\n'); {
	case i == length: // a line taken without its end has got one since
	case i != length-1:
		return nil
	case n > length && old[length] != 0: // NUL: the second byte of a line end in UTF-16
		old = old[:length]
	}
	pl := plan{From: start, Old: old, New: bytes.Repeat([]byte{' '}, len(old))}
	if err := q.plan.write(pl, true); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	jobs.Step("queue file: blanking planned beside a reader")
	if err := pl.carryOut(w, time.Time{}); err != nil {
		return fmt.Errorf("blanking a taken line of %s: %w", q.name, err)
	}
	jobs.Step("queue file: blanked beside a reader")
	return nil
}
