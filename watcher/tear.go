package watcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// A write can break off in the middle without a crash, when the disk is full or
// reports an error. Nothing may be read from the file then before that is undone,
// or halves of lines would be taken for requests.

// undo puts the file back as it was after a plan failed with err, and gives the
// error for people. f is in an exclusive section.
func (q *queueFile) undo(f *os.File, pl plan, err error) error {
	q.distrust()
	q.torn = errors.Is(err, errBroken) || pl.undo(f) != nil
	return fmt.Errorf("writing %s: %w", q.name, err)
}

// mend repairs the file if it was left torn.
func (q *queueFile) mend(ctx context.Context) error {
	if !q.torn {
		return nil
	}
	if err := q.repair(ctx); err != nil {
		return err
	}
	q.torn, q.info = false, nil
	q.distrust()
	return nil
}

// sync puts on disk what an edit has written: only then may the database forget
// which lines it took out, and the next plan take the place of this one. It is
// outside of the exclusive section, since it takes time.
func (q *queueFile) sync(e *edit) error {
	if len(e.new)+len(e.old)+len(e.blanks) == 0 {
		return nil
	}
	err := syncFile(q.o.Path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errBusy) {
		return nil // another program has replaced it: the next look sees to that
	}
	if err != nil {
		return fmt.Errorf("writing %s to disk: %w", q.name, err)
	}
	return nil
}

// unappend blanks what is not a whole line of b, of which only n bytes could be
// appended with f; w is the same file. They become leading spaces of the next
// line.
func unappend(f, w *os.File, b []byte, n int) {
	whole := bytes.LastIndexByte(b[:n], '\n') + 1
	end, err := f.Seek(0, io.SeekCurrent)
	start := end - int64(n-whole)
	found := make([]byte, n-whole)
	if m, _ := w.ReadAt(found, start); err == nil && m == len(found) && bytes.Equal(found, b[whole:n]) {
		_, _ = w.WriteAt(bytes.Repeat([]byte{' '}, len(found)), start) // if not, it is known by its id
	}
}
