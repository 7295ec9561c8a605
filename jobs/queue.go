package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrNotFound is returned where no such job or receipt is known.
	ErrNotFound = errors.New("not found")
	// ErrNoQueue is returned by OpenReader where there is no database yet.
	ErrNoQueue = errors.New("no queue has been made there yet")
	// ErrReadOnly is returned by the writing methods of a Queue that was
	// opened for reading.
	ErrReadOnly = errors.New("the queue is open for reading only")
	// ErrClosed is returned by the writing methods once Close was called.
	ErrClosed = errors.New("the queue is closed")
)

// AmbiguousError says that the beginning of an id fits several jobs.
type AmbiguousError struct {
	Prefix string
	IDs    []string // some of those it fits
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q fits several jobs: %s", e.Prefix, strings.Join(e.IDs, ", "))
}

// Queue is every job and all that is known of it, in one SQLite database. Its
// methods may be called from any goroutine. One Queue writes; any number, also
// in other processes, may read at the same time.
//
// The writing methods block until their change is on disk, together with the
// changes of everybody who wrote at that moment; their ctx bounds only the
// wait for a place in that commit. An error means that nothing was changed;
// after a fault of the disk it can turn out later that it was, so what is
// repeated must bear the same ids.
type Queue struct {
	read    *reader
	w       *writer // nil if opened for reading
	stateID string
	catalog atomic.Pointer[Catalog]
	runs    runsCache
	close   sync.Once

	telling   atomic.Bool // tokens are on their way
	mu        sync.Mutex  // guards listeners
	listeners map[chan struct{}]struct{}
}

// Open opens the database at path for reading and writing. It makes it where
// there is none and brings an older schema up to date; a newer one is refused.
func Open(path string) (*Queue, error) {
	return OpenTelling(path, func(int64) {})
}

// OpenTelling is Open that calls migrates before it brings an older schema up
// to date, which takes a while if there are many jobs; rows is about how many.
func OpenTelling(path string, migrates func(rows int64)) (*Queue, error) {
	q, err := open(path, migrates)
	if err != nil {
		return nil, fmt.Errorf("opening queue %q: %w", path, err)
	}
	return q, nil
}

func open(path string, migrates func(rows int64)) (*Queue, error) {
	if err := createFile(path); err != nil {
		return nil, err
	}
	q := &Queue{listeners: map[chan struct{}]struct{}{}}
	q.w = &writer{path: path, ops: make(chan *op), quit: make(chan struct{}), done: make(chan struct{}), wrote: q.tell}
	ctx := context.Background()
	if err := q.w.connect(ctx); err != nil {
		return nil, err
	}
	err := q.w.tidy(ctx)
	if err != nil {
		_ = q.w.note(err) // a full disk keeps from writing, not from reading; each write tries again
	}
	if q.stateID, err = migrate(ctx, q.w.conn, path, migrates); err != nil {
		return nil, errors.Join(err, q.w.disconnect())
	}
	if q.read, err = openReader(path); err != nil {
		return nil, errors.Join(err, q.w.disconnect())
	}
	go q.w.run()
	return q, nil
}

// OpenReader opens the database at path for reading, beside whoever writes to
// it and also when nobody does. Its error is ErrNoQueue if there is none.
func OpenReader(path string) (*Queue, error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNoQueue
		}
		return nil, fmt.Errorf("opening queue %q: %w", path, err)
	}
	r, err := openReader(path)
	if err != nil {
		return nil, fmt.Errorf("opening queue %q: %w", path, err)
	}
	q := &Queue{read: r, listeners: map[chan struct{}]struct{}{}}
	ctx := context.Background()
	err = r.checkReadable(ctx, path)
	if err == nil {
		err = r.row(ctx, "SELECT state_id FROM identity", nil, &q.stateID)
	}
	if err != nil {
		_ = r.close()
		return nil, fmt.Errorf("opening queue %q: %w", path, err)
	}
	return q, nil
}

// Close waits until what is being written is on disk and closes the database.
// Later calls do nothing.
func (q *Queue) Close() error {
	var err error
	q.close.Do(func() {
		// Readers first: the last connection to close tidies up, and only the
		// one that writes may do that.
		if q.w != nil {
			close(q.w.quit)
			<-q.w.done
		}
		err = q.read.close()
		if q.w != nil {
			err = errors.Join(err, q.w.disconnect())
		}
	})
	if err != nil {
		return fmt.Errorf("closing queue: %w", err)
	}
	return nil
}

// StateID returns the UUID of this state folder, made with the database.
func (q *Queue) StateID() string { return q.stateID }

// SetCatalog sets the types and limits in force. They are used only to explain
// why PENDING jobs wait and to say when they start; without a catalog only those
// reasons are given that need none.
func (q *Queue) SetCatalog(c *Catalog) { q.catalog.Store(c) }

// Healthy returns why writes fail at present, nil if they do not. Only a
// successful write clears it; one is tried every few seconds.
func (q *Queue) Healthy() error {
	if q.w == nil {
		return nil
	}
	if err := q.w.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Changed returns a channel that gets a token soon after each commit of this Queue
// that changed something; tokens that are not fetched become one. The func
// ends that. A Queue opened for reading gives no tokens.
func (q *Queue) Changed() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.listeners[c] = struct{}{}
	return c, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.listeners, c)
	}
}

// Shrink gives back the memory that reading and writing have filled; what is
// needed is read again. It is for times in which nothing is to be done.
func (q *Queue) Shrink(ctx context.Context) error {
	var err error
	if q.w != nil {
		err = q.write(ctx, func(t *tx) error { return t.each(shrinkMemory, nil, func(scanner) error { return nil }) })
	}
	if err == nil {
		err = q.read.shrink(ctx)
	}
	if err != nil {
		return fmt.Errorf("giving memory back: %w", err)
	}
	return nil
}

// tellDelay is how long listeners wait for their tokens: they all read then, and
// with few processors a job that a commit has begun would start behind them. What
// is committed meanwhile is told with it.
const tellDelay = 2 * time.Millisecond

// tell gives each listener its token, after tellDelay.
func (q *Queue) tell() {
	if q.telling.CompareAndSwap(false, true) {
		time.AfterFunc(tellDelay, q.tellNow)
	}
}

func (q *Queue) tellNow() {
	q.telling.Store(false) // first: what is committed from here on is told once more
	q.mu.Lock()
	defer q.mu.Unlock()
	for c := range q.listeners {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// write runs do in the next transaction; see Queue for what it promises.
func (q *Queue) write(ctx context.Context, do func(*tx) error) error {
	if q.w == nil {
		return ErrReadOnly
	}
	return q.w.write(ctx, do)
}
