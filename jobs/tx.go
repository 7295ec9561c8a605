package jobs

import (
	"context"
	"database/sql"
	"time"
)

// tx is a transaction of the writer, seen by one operation.
type tx struct {
	w     *writer
	now   time.Time
	wrote bool

	added  int             // PENDING jobs that Intakes have added
	sweeps map[string]*Job // what stands for each sweep that was to be taken in; nil for one that is new
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s := t.w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		t.w.stmts[query] = s
	}
	return s, err
}

// exec runs one constant statement.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	s, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	t.wrote = true
	return s.Exec(args...)
}

// change runs one constant statement and reports whether it changed a row.
func (t *tx) change(query string, args ...any) (bool, error) {
	before := t.wrote
	res, err := t.exec(query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	t.wrote = before || n > 0
	return n > 0, err
}

// row scans the one row of a constant query; no row is ErrNotFound.
func (t *tx) row(query string, args []any, into ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	return notFound(s.QueryRow(args...).Scan(into...))
}

// each calls fn on every row of a constant query.
func (t *tx) each(query string, args []any, fn func(scanner) error) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.Query(args...)
	if err != nil {
		return err
	}
	return eachRow(rows, fn)
}

// job reads a job as it stands inside the transaction, or ErrNotFound.
func (t *tx) job(id string) (*Job, error) {
	s, err := t.stmt(selectJobs + "WHERE id = ?")
	if err != nil {
		return nil, err
	}
	j, err := scanJob(s.QueryRow(id))
	return j, notFound(err)
}

// event appends to the audit.
func (t *tx) event(job, kind string, state State, reason string) error {
	_, err := t.exec("INSERT INTO events (at, job, kind, state, reason) VALUES (?,?,?,?,?)",
		toMillis(t.now), job, kind, string(state), reason)
	return err
}
