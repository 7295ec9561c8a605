package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// maxBatch bounds how many operations share one commit.
const maxBatch = 256

// probePause is how long after a failed write another one is tried, if nobody
// has anything to write: that the disk works again is to be found out.
const probePause = 2 * time.Second

// errTakenBack is returned by an operation that found, having written, that it
// cannot be done. The transaction is run again without it. (A SAVEPOINT for each
// such operation would do, but makes many writes cost the square of their time.)
var errTakenBack = errors.New("taken back")

// op is one operation that waits for a place in a transaction.
type op struct {
	do    func(*tx) error // may run several times, so it starts from nothing each time
	done  chan error      // gets the operation's result once it is on disk
	taken bool            // it was taken back
}

// writer owns the one connection that writes. Its goroutine makes one
// transaction of whatever waits while the one before is being committed, so
// that one fsync serves all of them.
type writer struct {
	path   string
	ops    chan *op // unbuffered: who gets in is sure to be answered
	quit   chan struct{}
	done   chan struct{}         // closed when the goroutine has ended
	failed atomic.Pointer[error] // why writes fail at present
	wrote  func()                // called after each commit that changed something
	offer  atomic.Pointer[Offer] // to jobs that come in; nil: none

	// Touched only by the goroutine, once it runs.
	db     *sql.DB
	conn   *sql.Conn // nil after a fault that the connection may not survive
	stmts  map[string]*sql.Stmt
	tidied bool // see tidy
}

// connect opens the connection that writes.
func (w *writer) connect(ctx context.Context) error {
	db, err := openDatabase(w.path, 1, writePragmas)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	w.db, w.conn, w.stmts, w.tidied = db, conn, map[string]*sql.Stmt{}, false
	return nil
}

// tidy comes before the first write of a connection. What a writer that met a
// failing fsync and was then killed has left in the -wal file may be in the
// kernel's cache alone, and count as written there. Nothing may be appended to
// that, so it is moved into the database, by writes and an fsync of their own.
func (w *writer) tidy(ctx context.Context) error {
	if w.tidied {
		return nil
	}
	_, err := w.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	w.tidied = err == nil
	return err
}

// disconnect gives the connection up, whatever state it is in.
func (w *writer) disconnect() error {
	if w.conn == nil {
		return nil
	}
	for _, s := range w.stmts {
		_ = s.Close()
	}
	err := errors.Join(w.conn.Close(), w.db.Close())
	w.db, w.conn, w.stmts = nil, nil, nil
	return err
}

// run commits what comes until quit is closed and nobody waits any more.
func (w *writer) run() {
	defer close(w.done)
	for {
		var idle <-chan time.Time
		if w.failed.Load() != nil {
			idle = time.After(probePause)
		}
		select {
		case o := <-w.ops:
			w.commit(w.gather(o))
		case <-idle:
			w.commit([]*op{{do: probe, done: make(chan error, 1)}})
		case <-w.quit:
			return
		}
	}
}

// probe is an operation that only writes.
func probe(t *tx) error {
	_, err := t.exec("INSERT OR REPLACE INTO meta VALUES ('probed',?)", t.now.UTC().Format(TimeFormat))
	return err
}

func (w *writer) gather(first *op) []*op {
	batch := []*op{first}
	for len(batch) < maxBatch {
		select {
		case o := <-w.ops:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// commit makes batch durable and answers each of its operations. If it fails
// as a whole, each is tried alone, so that none suffers from another's fault;
// not so after a fault of the disk, which would only be met again as often,
// unless there is too little room for all of them.
func (w *writer) commit(batch []*op) {
	err := w.together(batch)
	for errors.Is(err, errTakenBack) {
		n := slices.IndexFunc(batch, func(o *op) bool { return o.taken })
		batch[n].done <- err
		if batch = slices.Delete(batch, n, n+1); len(batch) == 0 {
			return
		}
		err = w.together(batch)
	}
	alone := faultOfDisk(err) == "" || primaryCode(err) == sqlite3.SQLITE_FULL
	if err != nil && len(batch) > 1 && alone {
		for _, o := range batch {
			o.done <- w.together([]*op{o})
		}
		return
	}
	for _, o := range batch {
		o.done <- err
	}
}

// together runs batch as one transaction, and keeps account of the health.
func (w *writer) together(batch []*op) error {
	wrote, err := w.transact(batch)
	if err != nil {
		if unsound(err) {
			_ = w.disconnect() // the next transaction begins with a new connection
		}
		return w.note(err)
	}
	if wrote {
		w.failed.Store(nil)
		w.wrote()
	}
	return nil
}

// note keeps err as the reason why writes fail, if it is a fault of the disk,
// and gives it in words.
func (w *writer) note(err error) error {
	if words := faultOfDisk(err); words != "" {
		err = fmt.Errorf("writing %q: %s: %w", w.path, words, err)
		w.failed.Store(&err)
	}
	return err
}

func (w *writer) transact(batch []*op) (wrote bool, err error) {
	if w.conn == nil {
		if err := w.connect(context.Background()); err != nil {
			return false, err
		}
	}
	if err := w.tidy(context.Background()); err != nil {
		return false, err
	}
	t := &tx{w: w, now: time.Now()}
	if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
		if primaryCode(err) != sqlite3.SQLITE_BUSY {
			_ = w.disconnect()
		}
		return false, err
	}
	t.wrote = false
	for _, o := range batch {
		if err = o.do(t); err != nil {
			o.taken = errors.Is(err, errTakenBack)
			break
		}
	}
	if err == nil {
		var settle func(error)
		settle, err = w.offer.Load().take(t)
		defer func() { settle(err) }()
	}
	if err == nil {
		wrote = t.wrote
		Step("database: about to commit")
		_, err = t.exec("COMMIT")
	}
	if err == nil {
		Step("database: committed")
		return wrote, nil
	}
	// A COMMIT that failed has rolled back already: then this is an ordinary
	// error, "no transaction is active".
	if _, rollback := t.exec("ROLLBACK"); rollback != nil && primaryCode(rollback) != sqlite3.SQLITE_ERROR {
		_ = w.disconnect()
	}
	return false, err
}

// write has do run in the next transaction and returns once that is on disk.
// ctx bounds only the wait for a place in it.
func (w *writer) write(ctx context.Context, do func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &op{do: do, done: make(chan error, 1)}
	select {
	case <-w.quit:
		return ErrClosed
	default:
	}
	select {
	case w.ops <- o:
		return <-o.done
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return ErrClosed
	}
}
