package watcher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// What is pruned from the queue leaves the outbox and the queue file too. These
// methods may be called from any goroutine while Run runs.

// Followed gives the event up to which all that there was to write is in the
// outbox.
func (w *Watcher) Followed() int64 {
	w.inbox.mu.Lock()
	defer w.inbox.mu.Unlock()
	return w.inbox.followed
}

// Undelivered gives the ids of receipts, all but the very latest ones, whose
// files are not in the outbox yet.
func (w *Watcher) Undelivered() map[string]bool {
	w.inbox.mu.Lock()
	defer w.inbox.mu.Unlock()
	return w.inbox.delivering
}

// noteFollowed publishes how far the outbox is current.
func (b *inbox) noteFollowed() {
	committed := false
	delivering := map[string]bool{}
	for _, c := range b.claims {
		delivering[c.id] = true
		committed = committed || c.receipt != nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delivering = delivering
	if !committed && len(b.replies.behind) == 0 {
		b.followed = b.replies.cursor
	}
}

// Discard removes the request file of that name, which was taken at a time, and
// its reply from the outbox, if the queue knows nothing of them any more. It
// gives their size. What somebody else has put there stays. The reply, by which
// the pair is known to be ours, goes last.
func (w *Watcher) Discard(ctx context.Context, name string, taken time.Time) (size int64, err error) {
	b := w.inbox
	b.outbox.Lock()
	defer b.outbox.Unlock()
	_, err = b.Queue.Receipt(ctx, name)
	if err == nil { // the name has come again
		return 0, nil
	}
	if !errors.Is(err, jobs.ErrNotFound) {
		return 0, err
	}
	path := filepath.Join(b.Outbox, name)
	ours, replySize, job, err := isReply(path+replySuffix, name)
	if err == nil && job != "" {
		ours, err = b.knew(ctx, job)
	}
	if err != nil || !ours {
		return 0, err
	}
	l, err := lookAt(path)
	if err == nil && l.mode.IsRegular() && !l.changedSince(taken) {
		if err = os.Remove(path); err == nil {
			size += l.size
		}
	}
	jobs.Step("prune: request removed")
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.Remove(path + replySuffix)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return size, err
	}
	jobs.Step("prune: reply removed")
	return size + replySize, syncDir(b.Outbox)
}

// changedSince reports whether the file was written or put in its place after a
// time: a rename sets the ctime alone, and a copy may set both a moment late.
func (l look) changedSince(t time.Time) bool {
	late := t.Add(time.Minute).UnixNano()
	return l.mtime > late && (l.ctime == 0 || l.ctime > late)
}

// knew reports whether a job was ever ours. If not, another daemon that shares the
// folders has taken a file of that name since, and answered it.
func (b *inbox) knew(ctx context.Context, job string) (bool, error) {
	_, err := b.Queue.Job(ctx, job)
	var gone *jobs.PrunedError
	switch {
	case err == nil, errors.As(err, &gone):
		return true, nil
	case errors.Is(err, jobs.ErrNotFound):
		return false, nil
	}
	return false, err
}

// isReply reports whether the file at path begins as the reply to a file of that
// name does, and which job it names first; false if it is not there.
func isReply(path, name string) (is bool, size int64, job string, err error) {
	quoted, err := quotedName(name)
	if err != nil {
		return false, 0, "", err
	}
	f, l, err := openRequest(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, 0, "", nil
	}
	if err != nil {
		return false, 0, "", err
	}
	defer f.Close()
	if l.unsuited() != "" {
		return false, 0, "", nil
	}
	begin := append([]byte("{\n  \"file\": "), quoted...)
	found := make([]byte, len(begin))
	if _, err := io.ReadFull(f, found); err != nil {
		return false, 0, "", nil // it is shorter
	}
	if !bytes.Equal(found, begin) {
		return false, 0, "", nil
	}
	return true, l.size, firstJob(io.MultiReader(bytes.NewReader(begin), f)), nil
}

// firstJob gives the id of the first job of a reply, "" if it names none. It reads
// no further than that: there may be thousands.
func firstJob(r io.Reader) string {
	dec := json.NewDecoder(r)
	if _, err := dec.Token(); err != nil {
		return ""
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return ""
		}
		if key != "jobs" {
			if dec.Decode(new(json.RawMessage)) != nil {
				return ""
			}
			continue
		}
		var first struct {
			ID string `json:"id"`
		}
		if _, err := dec.Token(); err == nil && dec.More() {
			_ = dec.Decode(&first) // what is torn names none
		}
		return first.ID
	}
	return ""
}

// quotedName is a name as it stands in a reply, with what follows it.
func quotedName(name string) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(name); err != nil {
		return nil, err
	}
	return append(bytes.TrimSuffix(text.Bytes(), []byte("\n")), ",\n  \"state\": \""...), nil
}

// LetLeave has the lines of ended jobs leave the queue file, so that nothing of
// them is left there when they are pruned. It does not wait for that, and a
// restart forgets it.
func (w *Watcher) LetLeave(ids []string) {
	q := w.queue
	q.mu.Lock()
	for _, word := range ids {
		if id, err := uuid.Parse(word); err == nil {
			q.pruned[id] = true
		}
	}
	q.mu.Unlock()
	select {
	case q.nudged <- struct{}{}:
	default:
	}
}

// withPruned adds the lines that are to leave because their jobs are pruned.
// They are remembered until they are gone: the file may be in use.
func (q *queueFile) withPruned(left []viewLine) []viewLine {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.pruned) == 0 {
		return left
	}
	leaving := map[uuid.UUID]bool{}
	for _, l := range left {
		leaving[l.id] = true
	}
	for id := range q.pruned {
		l, there := q.view.line(id)
		switch {
		case !there || !l.word.Ended(): // it has left, or is not to any more
			delete(q.pruned, id)
		case !leaving[id] && q.words[id] == "":
			left = append(left, l)
		}
	}
	return left
}

// isLeaving reports whether a line is to leave the file of states, and forgets
// that.
func (q *queueFile) isLeaving(id uuid.UUID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	leaves := q.pruned[id]
	delete(q.pruned, id)
	return leaves
}
