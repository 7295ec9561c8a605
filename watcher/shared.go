package watcher

import (
	"bytes"
	"errors"
	"fmt"
	"os"

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
		return false, errBusy
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
	w, err := os.OpenFile(q.o.Path, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer w.Close()
	if err := sameFile(w, q.o.Path); err != nil {
		return false, err
	}
	q.writeWords(w)
	appended, err := q.appendLines(e.placed, info.Size())
	if err != nil {
		return false, err
	}
	if !appended {
		e.placed = nil
	}
	if err := q.blankTaken(w, info.Size(), e.placed); err != nil {
		return false, err
	}
	e.shared = true
	q.again, q.whole = true, true
	q.say("")
	return true, q.wrote(w)
}

// appendLines appends the jobs' lines in one write. It waits while the file
// ends in a line without an end that is not taken yet.
func (q *queueFile) appendLines(placed []*jobs.Job, size int64) (bool, error) {
	if len(placed) == 0 || q.partial.text != "" {
		return false, nil
	}
	var b []byte
	if n := len(q.tail); n > 0 && q.tail[n-1] != '\n' {
		b = append(b, '\n')
	}
	for _, j := range placed {
		b = append(b, formatViewLine([]byte(jobs.FormatLine(j)), size+int64(len(b)))...)
	}
	f, err := os.OpenFile(q.o.Path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return false, fmt.Errorf("appending to %s: %w", q.name, err)
	}
	return true, nil
}

// blankTaken blanks the lines that are to leave, where the job's own line is
// in the file. A line that is the last one stays until another follows: the
// file never gets a blank line.
func (q *queueFile) blankTaken(w *os.File, size int64, placed []*jobs.Job) error {
	inFile := map[string]bool{"": true} // a command has no line
	for _, j := range placed {
		inFile[j.ID] = true
	}
	going := map[int64]int{}
	for _, t := range q.taken {
		id, _ := uuid.Parse(t.Job)
		if t.GoneAt == 0 && (inFile[t.Job] || q.view.line(id) != nil) {
			going[t.Offset] = int(t.Length)
		}
	}
	for _, d := range q.drops {
		going[d.start] = d.length
	}
	for start, length := range going {
		if start+int64(length) >= size && len(placed) == 0 {
			continue
		}
		if err := q.blankPlanned(w, start, length); err != nil {
			return err
		}
	}
	return q.plan.clear()
}

// blankPlanned blanks one line, under a plan.
func (q *queueFile) blankPlanned(w *os.File, start int64, length int) error {
	old := make([]byte, length+1)
	n, _ := w.ReadAt(old, start)
	if n < length {
		return nil
	}
	i := bytes.IndexByte(old[:n], '\n')
	if i != length-1 && i != length { // a line taken without its end has got one since
		return nil
	}
	old = old[:i+1]
	pl := plan{From: start, Old: old, New: bytes.Repeat([]byte{' '}, len(old))}
	if err := q.plan.write(pl, true); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if err := pl.carryOut(w); err != nil {
		return fmt.Errorf("blanking a taken line of %s: %w", q.name, err)
	}
	return nil
}
