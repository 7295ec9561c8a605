package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the database, in pure Go
)

// How connections are set up. FULL makes every commit survive a power cut;
// the page caches are small because every query is an index look-up.
var (
	writePragmas = []string{"page_size(4096)", "journal_mode(WAL)", "synchronous(FULL)",
		"wal_autocheckpoint(1000)", "journal_size_limit(16777216)", "cache_size(-4000)",
		"temp_store(MEMORY)"} // or each statement with a trigger writes a file of its own
	readPragmas = []string{"query_only(1)", "cache_size(-1000)"}
)

// readers is how many reads may go on at once.
const readers = 4

// openDatabase returns a pool of at most n connections to the existing file
// at path. It does not open one yet.
//
// Also a reader opens the file for writing (query_only keeps it from using
// that): a database in WAL mode cannot be read without the -shm file, which
// is not there after a clean end and which a mode=ro connection cannot make.
func openDatabase(path string, n int, pragmas []string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	p := filepath.ToSlash(abs)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // C:/… becomes file:///C:/…
	}
	query := url.Values{"mode": {"rw"}, "_busy_timeout": {"10000"}, "_pragma": pragmas, "_dqs": {"0"}}
	u := url.URL{Scheme: "file", Path: p, RawQuery: query.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// createFile makes an empty database file that only its owner can read; its
// companions (-wal, -shm) take over its mode. It must not open a file that is
// there: closing it again would drop the locks of every connection that this
// process has to it, see fcntl(2).
func createFile(path string) error {
	if info, err := os.Stat(path); err == nil {
		if info.Mode().Perm() == 0o600 {
			return nil
		}
		return os.Chmod(path, 0o600)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// reader is the pool of connections for reading, with its statements.
type reader struct {
	db *sql.DB

	mu    sync.Mutex // guards stmts
	stmts map[string]*sql.Stmt
}

func openReader(path string) (*reader, error) {
	db, err := openDatabase(path, readers, readPragmas)
	if err != nil {
		return nil, err
	}
	return &reader{db: db, stmts: map[string]*sql.Stmt{}}, nil
}

const shrinkMemory = "PRAGMA shrink_memory" // sqlite3_db_release_memory

// shrinkTime is how long shrink waits for connections that were idle a moment ago.
const shrinkTime = 50 * time.Millisecond

// shrink empties the caches of the pool's connections that are idle. They stay open:
// to open one costs milliseconds, and one with an empty cache takes little.
func (r *reader) shrink(ctx context.Context) error {
	// Who reads by two connections may hold one of them and wait for the other.
	soon, cancel := context.WithTimeout(ctx, shrinkTime)
	defer cancel()
	for r.db.Stats().Idle > 0 {
		c, err := r.db.Conn(soon)
		if err != nil && soon.Err() != nil {
			return nil // they are in use
		}
		if err != nil {
			return err
		}
		defer c.Close() // not before: the next one is to be another
		if _, err := c.ExecContext(ctx, shrinkMemory); err != nil {
			return err
		}
	}
	return nil
}

// close ends every connection of the pool, and with them its statements.
func (r *reader) close() error { return r.db.Close() }

// stmt returns query as a prepared statement. Only for constant texts: each
// is kept for good.
func (r *reader) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stmts[query]; s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.stmts[query] = s
	return s, nil
}

// row runs a constant query that gives at most one row, and scans that. No
// row is ErrNotFound.
func (r *reader) row(ctx context.Context, query string, args []any, into ...any) error {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return err
	}
	return notFound(s.QueryRowContext(ctx, args...).Scan(into...))
}

// notFound gives ErrNotFound for a result without rows.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// each runs a constant query and calls fn on every row.
func (r *reader) each(ctx context.Context, query string, args []any, fn func(scanner) error) error {
	s, err := r.stmt(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, fn)
}

// jobs runs a constant query for whole jobs.
func (r *reader) jobs(ctx context.Context, query string, args ...any) ([]*Job, error) {
	var found []*Job
	err := r.each(ctx, query, args, addTo(&found))
	return found, err
}

// errStop ends eachRow early without being an error.
var errStop = errors.New("stop")

func eachRow(rows *sql.Rows, fn func(scanner) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

// checkReadable refuses a database whose schema this program cannot read.
func (r *reader) checkReadable(ctx context.Context, path string) error {
	c, err := r.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	version, err := schemaVersion(ctx, c, path)
	switch {
	case err != nil:
		return err
	case version == 0:
		return ErrNoQueue // somebody is about to make it
	case version < len(migrations):
		return fmt.Errorf("%s was written by an older jobrunner (schema %d, this one needs %d): start this one's serve once",
			filepath.Base(path), version, len(migrations))
	}
	return nil
}
