package jobs

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// keepAttempt stores how the attempt of a RUNNING job ended, beside the job,
// and reports false if it is not RUNNING at that attempt.
func (t *tx) keepAttempt(f Finish, finished int64) (bool, error) {
	var started, log any // nil: as they are in the job
	if f.Start != nil {
		started, log = f.Start.at(), f.Start.Log
	}
	return t.change(`INSERT OR REPLACE INTO attempts
		(job, attempt, state, reason, started_at, finished_at, exit_code, signal, slots, log)
		SELECT id, attempt, ?, ?, ifnull(?, started_at), ?, ?, ?, slots, ifnull(?, log) FROM jobs
		WHERE id = ? AND state = 'RUNNING' AND attempt = ?`,
		string(f.State), f.Reason, started, finished, exitValue(f.ExitCode), f.Signal, log, f.ID, f.Attempt)
}

// keepLatest stores the latest attempt of an ended job that ran before
// attempts were stored.
func (t *tx) keepLatest(id string) error {
	_, err := t.change(`INSERT OR IGNORE INTO attempts
		(job, attempt, state, reason, started_at, finished_at, exit_code, signal, slots, log)
		SELECT id, attempt, state, reason, started_at, finished_at, exit_code, signal, slots, log FROM jobs
		WHERE id = ? AND log <> ''`, id)
	return err
}

func exitValue(code *int) any {
	if code == nil {
		return nil
	}
	return int64(*code)
}

const selectAttempts = `SELECT attempt, state, reason, started_at, finished_at, exit_code, signal, slots, log
	FROM attempts WHERE job = ? ORDER BY attempt`

// Detail returns the job of exactly that id with its past attempts and, if it
// has ended, what was measured of its latest one; or ErrNotFound.
func (q *Queue) Detail(ctx context.Context, id string) (*Job, error) {
	j, err := q.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	err = q.read.each(ctx, selectAttempts, []any{id}, func(row scanner) error {
		a, err := scanAttempt(row)
		if err == nil && (a.Attempt < j.Attempt || j.State.Ended()) { // it may have ended since the job was read
			j.Past = append(j.Past, a)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the attempts of job %s: %w", id, err)
	}
	n := len(j.Past)
	if j.State.Ended() && j.Log != "" && (n == 0 || j.Past[n-1].Attempt != j.Attempt) {
		j.Past = append(j.Past, Attempt{j.Attempt, j.State, j.Reason, j.StartedAt, j.FinishedAt, j.ExitCode, j.Signal, j.Slots, j.Log})
	}
	j.nameLogs()
	if err := q.measured(ctx, j); err != nil {
		return nil, err
	}
	return j, nil
}

// nameLogs makes of the name under which each attempt's output was written the
// one that it bears now: it is put aside when the next attempt starts, under
// the number before that one's.
func (j *Job) nameLogs() {
	var next int // the attempt that started after the one that is looked at; 0 if none has
	if j.Log != "" {
		next = j.Attempt
	}
	for n := len(j.Past) - 1; n >= 0; n-- {
		a := &j.Past[n]
		if a.Log == "" {
			continue
		}
		if next > a.Attempt {
			a.Log = fmt.Sprintf("%s.%d.log", strings.TrimSuffix(a.Log, ".log"), next-1)
		}
		next = a.Attempt
	}
}

// LogNames gives the files, relative to the state folder, in the first of which
// that is there the output of an attempt stands; none if the attempt never ran.
// Of earlier attempts only a job from Detail knows all.
func (j *Job) LogNames(attempt int) []string {
	if attempt == j.Attempt {
		if j.Log == "" {
			return nil
		}
		return []string{j.Log}
	}
	own := fmt.Sprintf("logs/%s.%d.log", j.ID, attempt)
	for _, a := range j.Past {
		if a.Attempt == attempt && a.Log != "" {
			return []string{own, a.Log}
		}
	}
	switch {
	case len(j.Past) > 0 && j.Past[0].Attempt <= attempt:
		return nil // it never ran
	case len(j.Past) == 0 && j.Log == "": // the latest has not started, so the one before has its name still
		return []string{own, "logs/" + j.ID + ".log"}
	}
	return []string{own} // it ended before attempts were stored
}

func scanAttempt(row scanner) (Attempt, error) {
	var a Attempt
	var state, slots string
	var started, finished int64
	var exit sql.NullInt64
	err := row.Scan(&a.Attempt, &state, &a.Reason, &started, &finished, &exit, &a.Signal, &slots, &a.Log)
	if err != nil {
		return a, err
	}
	a.State, a.StartedAt, a.FinishedAt = State(state), fromMillis(started), fromMillis(finished)
	if exit.Valid {
		code := int(exit.Int64)
		a.ExitCode = &code
	}
	return a, unpack([]packed{{slots, &a.Slots}})
}
