package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// migrations lead from one schema version to the next: the step at index n
// from version n to n+1. A step that was released is never edited.
var migrations = []string{schema1, schema2, schema3, schema4, schema5}

// schema1 is the first schema. Times are Unix ms, 0 where not known; lists
// and maps are JSON, "" where empty; 64-bit hashes are stored as signed.
//
// The partial indexes hold only what waits, so that history costs the
// scheduler nothing. counters is kept by triggers alone.
const schema1 = `
CREATE TABLE identity (state_id TEXT NOT NULL) STRICT;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
	seq          INTEGER PRIMARY KEY AUTOINCREMENT,
	id           TEXT NOT NULL,
	spelling     TEXT NOT NULL,
	type         TEXT NOT NULL,
	target       TEXT NOT NULL,
	args         TEXT NOT NULL,
	name         TEXT NOT NULL,
	labels       TEXT NOT NULL,
	priority     INTEGER NOT NULL,
	source       TEXT NOT NULL,
	timeout      INTEGER NOT NULL,
	env          TEXT NOT NULL,
	workdir      TEXT NOT NULL,
	state        TEXT NOT NULL,
	reason       TEXT NOT NULL,
	attempt      INTEGER NOT NULL,
	submitted_at INTEGER NOT NULL,
	started_at   INTEGER NOT NULL,
	finished_at  INTEGER NOT NULL,
	exit_code    INTEGER,
	signal       TEXT NOT NULL,
	command      TEXT NOT NULL,
	log          TEXT NOT NULL,
	instance     TEXT NOT NULL,
	pid          INTEGER NOT NULL,
	proc_start   TEXT NOT NULL,
	proc_boot    TEXT NOT NULL,
	end_reason   TEXT NOT NULL,
	line_at      INTEGER NOT NULL,
	raw_hash     INTEGER NOT NULL,
	doubt        INTEGER NOT NULL,
	node         TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_id ON jobs (id);
CREATE INDEX jobs_state ON jobs (state, seq);
CREATE INDEX jobs_type ON jobs (type, state, seq);
CREATE INDEX jobs_next ON jobs (type, priority DESC, seq) WHERE state = 'PENDING' AND doubt = 0;
CREATE INDEX jobs_order ON jobs (priority DESC, seq) WHERE state = 'PENDING';
CREATE INDEX jobs_wanted ON jobs (seq) WHERE line_at = 0;
CREATE INDEX jobs_placed ON jobs (seq) WHERE line_at > 0;

CREATE TABLE counters (
	state TEXT NOT NULL,
	type  TEXT NOT NULL,
	n     INTEGER NOT NULL,
	PRIMARY KEY (state, type)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER jobs_counted AFTER INSERT ON jobs BEGIN
	INSERT INTO counters VALUES (new.state, new.type, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER jobs_uncounted AFTER DELETE ON jobs BEGIN
	UPDATE counters SET n = n - 1 WHERE state = old.state AND type = old.type;
END;
CREATE TRIGGER jobs_recounted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
	UPDATE counters SET n = n - 1 WHERE state = old.state AND type = old.type;
	INSERT INTO counters VALUES (new.state, new.type, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;

CREATE TABLE events (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	at     INTEGER NOT NULL,
	job    TEXT NOT NULL,
	kind   TEXT NOT NULL,
	state  TEXT NOT NULL,
	reason TEXT NOT NULL
) STRICT;

CREATE TABLE receipts (
	seq      INTEGER PRIMARY KEY AUTOINCREMENT,
	id       TEXT NOT NULL UNIQUE,
	name     TEXT NOT NULL,
	newest   INTEGER NOT NULL,
	jobs     TEXT NOT NULL,
	command  TEXT NOT NULL,
	state    TEXT NOT NULL,
	reason   TEXT NOT NULL,
	warning  TEXT NOT NULL,
	taken_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX receipts_name ON receipts (name) WHERE newest = 1;
CREATE TABLE receipt_jobs (
	job     TEXT NOT NULL,
	receipt INTEGER NOT NULL,
	PRIMARY KEY (job, receipt)
) STRICT, WITHOUT ROWID;

CREATE TABLE mark (
	one        INTEGER PRIMARY KEY CHECK (one = 1),
	generation TEXT NOT NULL,
	offset     INTEGER NOT NULL
) STRICT;
CREATE TABLE taken (
	generation TEXT NOT NULL,
	offset     INTEGER NOT NULL,
	length     INTEGER NOT NULL,
	hash       INTEGER NOT NULL,
	job        TEXT NOT NULL,
	gone_at    INTEGER NOT NULL,
	PRIMARY KEY (generation, offset)
) STRICT, WITHOUT ROWID;
`

// schema2 adds what a job can ask for beyond its command: order, time, retries,
// slots, sweeps, keys; and schedules. due is 0 once its time has come, so that
// jobs_next holds only what may start as far as the job itself is concerned.
const schema2 = `
ALTER TABLE jobs ADD COLUMN sweep        TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN params       TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN after_ok     TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN after_any    TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN not_before   INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN hold         INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN retries      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN unique_key   TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN script_hash  TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN script_noted TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN slots        TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN limits       TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN retried      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN due          INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN unmet        INTEGER NOT NULL DEFAULT 0;
DROP INDEX jobs_next;
CREATE INDEX jobs_next ON jobs (type, priority DESC, seq)
	WHERE state = 'PENDING' AND doubt = 0 AND hold = 0 AND unmet = 0 AND due = 0;
CREATE INDEX jobs_submitted ON jobs (submitted_at);
CREATE INDEX jobs_due ON jobs (due) WHERE state = 'PENDING' AND due > 0;
CREATE INDEX jobs_sweep ON jobs (sweep, seq) WHERE sweep <> '';
CREATE INDEX jobs_unique ON jobs (unique_key) WHERE unique_key <> '' AND state IN ('PENDING', 'RUNNING');

CREATE TABLE attempts (
	job         TEXT NOT NULL,
	attempt     INTEGER NOT NULL,
	state       TEXT NOT NULL,
	reason      TEXT NOT NULL,
	started_at  INTEGER NOT NULL,
	finished_at INTEGER NOT NULL,
	exit_code   INTEGER,
	signal      TEXT NOT NULL,
	slots       TEXT NOT NULL,
	log         TEXT NOT NULL,
	PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

-- What jobs still wait for; a row goes when on_job has ended.
CREATE TABLE dependencies (
	on_job TEXT NOT NULL,
	job    TEXT NOT NULL,
	any    INTEGER NOT NULL,
	PRIMARY KEY (on_job, job)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_job ON dependencies (job, on_job);

-- type '' stands for all types.
CREATE TABLE pauses (type TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
	name    TEXT PRIMARY KEY,
	spec    TEXT NOT NULL,
	next_at INTEGER NOT NULL,
	last_at INTEGER NOT NULL,
	jobs    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`

// schema3 adds what it takes to let go of history: an order of the ended jobs,
// what stays known of those that are gone, and what is still to be done.
const schema3 = `
-- By when it ended, or if that is not known, when it came in. (A column for that
-- would be dear: each one that is added to a STRICT table has all rows checked.)
CREATE INDEX jobs_ended ON jobs (max(finished_at, submitted_at)) WHERE state NOT IN ('PENDING', 'RUNNING');

-- Ids of jobs, and of the sweeps that they were of, which never run again.
CREATE TABLE pruned (
	id          TEXT PRIMARY KEY,
	state       TEXT NOT NULL,
	finished_at INTEGER NOT NULL,
	sweep       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Files that are to be removed because what they belonged to was pruned.
CREATE TABLE trash (
	kind   TEXT NOT NULL,
	name   TEXT NOT NULL,
	detail INTEGER NOT NULL,
	PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- Commands to prune that are not done yet.
CREATE TABLE prunings (
	seq   INTEGER PRIMARY KEY AUTOINCREMENT,
	id    TEXT NOT NULL UNIQUE,
	rule  TEXT NOT NULL,
	jobs  INTEGER NOT NULL,
	bytes INTEGER NOT NULL
) STRICT;
`

// schema4 adds as whom an attempt was started.
const schema4 = `ALTER TABLE jobs ADD COLUMN run_as TEXT NOT NULL DEFAULT '';`

// schema5 adds what is measured, and two ways to find what was. Ends are counted from the latest events on, so
// that an old database has something to show: not from all of its events, since
// that would take as long as there are many.
const schema5 = `
-- What was measured of an attempt. percent is NULL and source '' if nothing is
-- known of its progress, eta -1; measured is 0 if its usage is not known. Times
-- and durations are in ms, cpu in hundredths of a processor.
CREATE TABLE readings (
	job         TEXT NOT NULL,
	attempt     INTEGER NOT NULL,
	read_at     INTEGER NOT NULL,
	output_at   INTEGER NOT NULL,
	percent     REAL,
	text        TEXT NOT NULL,
	source      TEXT NOT NULL,
	progress_at INTEGER NOT NULL,
	eta         INTEGER NOT NULL,
	eta_source  TEXT NOT NULL,
	measured    INTEGER NOT NULL,
	cpu         INTEGER NOT NULL,
	cpu_time    INTEGER NOT NULL,
	memory      INTEGER NOT NULL,
	memory_peak INTEGER NOT NULL,
	processes   INTEGER NOT NULL,
	series      BLOB NOT NULL,
	PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE samples (
	at        INTEGER PRIMARY KEY,
	pending   INTEGER NOT NULL,
	running   INTEGER NOT NULL,
	slots     INTEGER NOT NULL,
	completed INTEGER NOT NULL,
	failed    INTEGER NOT NULL,
	cancelled INTEGER NOT NULL
) STRICT;

-- The newest event that is counted in samples.
CREATE TABLE counted (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	event INTEGER NOT NULL
) STRICT;
INSERT INTO counted SELECT 1, max(0, ifnull(max(id), 0) - 200000) FROM events;

-- For the search by exit status; that of a success finds too much to be of use.
CREATE INDEX jobs_exit ON jobs (exit_code, seq) WHERE exit_code <> 0;

-- For what ran when.
CREATE INDEX attempts_finished ON attempts (finished_at, started_at, state);
`

// migrate brings the database behind c to the newest schema, in one
// transaction, and returns the id of its state folder. It tells before it begins.
func migrate(ctx context.Context, c *sql.Conn, path string, tell func(rows int64)) (stateID string, err error) {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_, _ = c.ExecContext(ctx, "ROLLBACK")
		}
	}()
	version, err := schemaVersion(ctx, c, path)
	if err != nil {
		return "", err
	}
	if version > 0 && version < len(migrations) {
		var rows int64
		if err := c.QueryRowContext(ctx, "SELECT ifnull(max(seq), 0) FROM jobs").Scan(&rows); err != nil {
			return "", err
		}
		tell(rows)
	}
	if version < len(migrations) {
		if err := migrateFrom(ctx, c, version, path); err != nil {
			return "", err
		}
	}
	if err := c.QueryRowContext(ctx, "SELECT state_id FROM identity").Scan(&stateID); err != nil {
		return "", fmt.Errorf("reading its id: %w", err)
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return stateID, err
}

func migrateFrom(ctx context.Context, c *sql.Conn, version int, path string) error {
	if version == 0 {
		var tables int
		if err := c.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
			return err
		}
		if tables > 0 {
			return fmt.Errorf("%s is a database of another program", filepath.Base(path))
		}
	}
	for n, step := range migrations[version:] {
		if _, err := c.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("bringing it to schema %d: %w", version+n+1, err)
		}
	}
	_, err := c.ExecContext(ctx, `INSERT INTO identity SELECT ? WHERE NOT EXISTS (SELECT 1 FROM identity)`,
		uuid.NewString())
	if err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(migrations)))
	return err
}

// schemaVersion returns the database's schema version, 0 for an empty one,
// and refuses one that is newer than this program.
func schemaVersion(ctx context.Context, c *sql.Conn, path string) (int, error) {
	var version int
	if err := c.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if version > len(migrations) {
		return 0, fmt.Errorf("%s was written by a newer jobrunner (schema %d, this one knows %d): use that one",
			filepath.Base(path), version, len(migrations))
	}
	return version, nil
}

// toMillis and fromMillis are how times are stored; 0 stands for the zero time.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
