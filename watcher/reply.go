package watcher

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// reply is what stands beside a taken file in the outbox.
type reply struct {
	File     string      `json:"file"`
	State    jobs.State  `json:"state"`
	Reason   string      `json:"reason"`
	Jobs     []*jobs.Job `json:"jobs"`
	Warnings []string    `json:"warnings,omitempty"`
}

const replySuffix = ".json"

// replyTo makes the reply to a receipt from the jobs as they are now.
func replyTo(ctx context.Context, q *jobs.Queue, r *jobs.Receipt) (*reply, error) {
	a := &reply{File: r.Name, Jobs: []*jobs.Job{}}
	seen := map[string]bool{}
	for _, id := range r.Jobs {
		if seen[id] {
			continue
		}
		seen[id] = true
		j, err := q.Job(ctx, id)
		var gone *jobs.PrunedError
		if errors.As(err, &gone) {
			j, err = gone.Job(), nil
		}
		if errors.Is(err, jobs.ErrNotFound) { // what a command named that is no job
			continue
		}
		if err != nil {
			return nil, err
		}
		a.Jobs = append(a.Jobs, j)
	}
	if r.Warning != "" {
		a.Warnings = []string{r.Warning}
	}
	if r.Command != nil {
		a.State, a.Reason = r.State, r.Reason
		return a, nil
	}
	a.State, a.Reason = sum(a.Jobs)
	if r.Reason != "" { // commands stood beside the requests
		a.Reason = strings.TrimPrefix(a.Reason+"; "+r.Reason, "; ")
	}
	return a, nil
}

// sum gives one state and reason for the jobs of a file: the only job's, or
// one for all of them with how many are in which state.
func sum(all []*jobs.Job) (jobs.State, string) {
	if len(all) == 1 {
		return all[0].State, all[0].Reason
	}
	return jobs.Summarise(all)
}

// deliver moves a committed file to the outbox and writes its reply. An older
// reply of that name goes first: when a reply is there, so is its file.
func (b *inbox) deliver(ctx context.Context, c *claim) (done bool) {
	err := b.tryDeliver(ctx, c)
	if err != nil {
		c.tries.failed(retryFirst, retryMost)
		b.outboxFails(err)
	}
	return err == nil
}

func (b *inbox) tryDeliver(ctx context.Context, c *claim) error {
	b.outbox.Lock()
	defer b.outbox.Unlock()
	if err := b.makeOutbox(); err != nil {
		return err
	}
	to := filepath.Join(b.Outbox, c.name)
	if !c.moved {
		if err := os.Remove(to + replySuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		jobs.Step("inbox: older reply removed")
		err := moveFile(c.path, to)
		if _, gone := lookAt(c.path); err != nil && !errors.Is(gone, fs.ErrNotExist) {
			return err
		}
		c.moved = true // or somebody took it away; the reply is still owed
		jobs.Step("inbox: moved to the outbox")
	}
	return b.writeReply(ctx, c.receipt)
}

// makeOutbox creates the outbox if somebody cleared it away as a whole.
func (b *inbox) makeOutbox() error {
	_, err := lookAt(b.Outbox)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Mkdir(b.Outbox, 0o777)
	}
	return err
}

// writeReply brings the reply to r up to date. One that is current already is
// left alone.
func (b *inbox) writeReply(ctx context.Context, r *jobs.Receipt) error {
	a, err := replyTo(ctx, b.Queue, r)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(a); err != nil {
		return fmt.Errorf("encoding a reply: %w", err)
	}
	path := filepath.Join(b.Outbox, r.Name+replySuffix)
	if holds(path, text.Bytes()) {
		return nil
	}
	err = writeFileAtomic(path, text.Bytes(), 0o644)
	jobs.Step("reply: written")
	return err
}

// holds reports whether the file at path holds exactly data.
func holds(path string, data []byte) bool {
	f, l, err := openRequest(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if l.unsuited() != "" || l.size != int64(len(data)) {
		return false
	}
	old, err := readUnchanged(f, l)
	return err == nil && bytes.Equal(old, data)
}

// replies follows the jobs' changes and knows which replies are behind.
type replies struct {
	cursor  int64                    // events up to it are in behind or in the outbox
	saved   int64                    // the cursor as the queue stores it
	savedAt time.Time                //
	behind  map[string]*jobs.Receipt // by id
	tries   backoff
	pace    pace
}

const (
	cursorKey    = "inbox.replied" // the queue's meta value that holds the cursor
	cursorPeriod = 10 * time.Second
	eventsAtOnce = 500
)

func newReplies() replies { return replies{behind: map[string]*jobs.Receipt{}} }

// findReplies finds out after a start which replies are behind: those of jobs
// that changed since, and those that a crash left unwritten.
func (b *inbox) findReplies(ctx context.Context) error {
	text, err := b.Queue.Meta(ctx, cursorKey)
	if err != nil {
		return err
	}
	b.replies.cursor, _ = strconv.ParseInt(text, 10, 64) // from the beginning if it is damaged
	b.replies.saved = b.replies.cursor
	if err := b.findUnanswered(ctx); err != nil {
		return err
	}
	return b.follow(ctx)
}

// findUnanswered finds files in the outbox that have no reply: the daemon was
// ended between the two.
func (b *inbox) findUnanswered(ctx context.Context) error {
	d, err := os.Open(b.Outbox)
	if err != nil {
		return nil // follow meets and tells the same
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil
	}
	slices.Sort(names)
	for _, name := range names {
		if leftAlone(name) || whyNotNamed(name) != "" {
			continue
		}
		if _, answered := slices.BinarySearch(names, name+replySuffix); answered {
			continue
		}
		r, err := b.Queue.Receipt(ctx, name)
		if err != nil && !errors.Is(err, jobs.ErrNotFound) {
			return err
		}
		if err == nil {
			b.replies.behind[r.ID] = r
		}
	}
	return nil
}

// follow rewrites the replies of jobs that have changed.
func (b *inbox) follow(ctx context.Context) error {
	for {
		events, err := b.Queue.Events(ctx, b.replies.cursor, eventsAtOnce)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		if err := b.noteChanged(ctx, events); err != nil {
			return err
		}
		b.replies.cursor = events[len(events)-1].ID
	}
	if len(b.replies.behind) > 0 && b.replies.tries.ready() {
		b.catchUp(ctx)
	}
	b.noteFollowed()
	return b.saveCursor(ctx, cursorPeriod)
}

func (b *inbox) noteChanged(ctx context.Context, events []jobs.Event) error {
	changed := make([]string, 0, len(events))
	for _, e := range events {
		if e.Job != "" {
			changed = append(changed, e.Job)
		}
	}
	receipts, err := b.Queue.ReceiptsOf(ctx, changed...)
	if err != nil {
		return err
	}
	for _, r := range receipts {
		b.replies.behind[r.ID] = r
	}
	return nil
}

// catchUp writes the replies that are behind. One whose file is not in the
// outbox is left out: it is still to be delivered, with its reply, or somebody
// has cleared both away.
func (b *inbox) catchUp(ctx context.Context) {
	delivering := map[string]bool{}
	for _, c := range b.claims {
		delivering[c.id] = true
	}
	for id, r := range b.replies.behind {
		if ctx.Err() != nil {
			return
		}
		begun := time.Now()
		if b.replies.pace.waits(id, begun) {
			continue
		}
		var err error
		if !delivering[id] {
			err = b.refresh(ctx, r)
			b.replies.pace.wrote(id, time.Since(begun), time.Now())
		}
		if err != nil {
			b.outboxFails(err)
			b.replies.tries.failed(retryFirst, retryMost)
			return
		}
		delete(b.replies.behind, id)
	}
	b.replies.tries = backoff{}
	b.outboxWorks()
}

func (b *inbox) refresh(ctx context.Context, r *jobs.Receipt) error {
	b.outbox.Lock()
	defer b.outbox.Unlock()
	newest, err := b.Queue.Receipt(ctx, r.Name)
	if errors.Is(err, jobs.ErrNotFound) { // pruned
		return nil
	}
	if err != nil {
		return err
	}
	if newest.ID != r.ID { // the name has come again meanwhile
		return nil
	}
	_, err = lookAt(filepath.Join(b.Outbox, r.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.writeReply(ctx, r)
}

// saveCursor stores how far the replies are current, at most once in period:
// what is done again after a crash does no harm.
func (b *inbox) saveCursor(ctx context.Context, period time.Duration) error {
	p := &b.replies
	if len(p.behind) > 0 || p.cursor == p.saved || time.Since(p.savedAt) < period {
		return nil
	}
	if err := b.Queue.PutMeta(ctx, cursorKey, strconv.FormatInt(p.cursor, 10)); err != nil {
		return err
	}
	jobs.Step("reply: noted how far they are current")
	p.saved, p.savedAt = p.cursor, time.Now()
	return nil
}

const toOutbox = "writing to the outbox"

// outboxFails notes that; the names in it are left out, so that it is logged once.
func (b *inbox) outboxFails(err error) {
	if errors.Is(err, context.Canceled) { // we are being ended
		return
	}
	b.fault(toOutbox, errors.New(reasonOf(err)+hintFor(err)))
}

// outboxWorks notes that everything that was to be in the outbox is there.
func (b *inbox) outboxWorks() {
	committed := func(c *claim) bool { return c.receipt != nil }
	if len(b.replies.behind) == 0 && !slices.ContainsFunc(b.claims, committed) {
		b.fault(toOutbox, nil)
	}
}
