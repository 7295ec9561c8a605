package jobs

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"time"
)

// scanner is one row of a result: *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

// jobColumns are the columns that scanJob reads, in its order; all but the
// first are written by insertJob.
const jobColumns = `seq, id, spelling, type, target, args, name, labels, priority, source, timeout, env, workdir,
	state, reason, attempt, submitted_at, started_at, finished_at, exit_code, signal, command, log,
	instance, pid, proc_start, proc_boot, end_reason, line_at, raw_hash, doubt, node,
	sweep, params, after_ok, after_any, not_before, hold, retries, unique_key, script_hash, script_noted,
	slots, limits, run_as, retried, due, unmet`

const selectJobs = "SELECT " + jobColumns + " FROM jobs "

const insertJob = `INSERT INTO jobs (id, spelling, type, target, args, name, labels, priority, source, timeout, env, workdir,
	state, reason, attempt, submitted_at, started_at, finished_at, exit_code, signal, command, log,
	instance, pid, proc_start, proc_boot, end_reason, line_at, raw_hash, doubt, node,
	sweep, params, after_ok, after_any, not_before, hold, retries, unique_key, script_hash, script_noted,
	slots, limits, run_as, retried, due, unmet)
	VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING`

// jobValues are the arguments of insertJob.
func jobValues(j *Job) []any {
	var exit any
	if j.ExitCode != nil {
		exit = int64(*j.ExitCode)
	}
	return []any{j.ID, j.Spelling, j.Type, j.Target, packList(j.Args), j.Name, packMap(j.Labels), j.Priority,
		j.Source, int64(j.Timeout), packMap(j.Env), j.Workdir,
		string(j.State), j.Reason, j.Attempt, toMillis(j.SubmittedAt), toMillis(j.StartedAt), toMillis(j.FinishedAt),
		exit, j.Signal, packList(j.Command), j.Log,
		j.Instance, j.Process.PID, j.Process.Start, j.Process.Boot, string(j.EndReason),
		j.LineAt, int64(j.RawHash), j.Doubt, j.Node,
		j.Group, packMap(j.Params), packList(j.After), packList(j.AfterAny), toMillis(j.NotBefore), j.Hold, j.Retries,
		j.UniqueKey, j.ScriptHash, j.ScriptNoted, packSlots(j.Slots), j.Limits, j.RunAs, j.Retried, toMillis(j.Due), j.Unmet}
}

// scanJob reads a row of jobColumns.
func scanJob(row scanner) (*Job, error) {
	var (
		j                                        Job
		args, labels, env, state, command, ended string
		params, afterOK, afterAny, slots         string
		timeout, submitted, started, finished    int64
		notBefore, due                           int64
		rawHash                                  int64
		exit                                     sql.NullInt64
	)
	err := row.Scan(&j.Seq, &j.ID, &j.Spelling, &j.Type, &j.Target, &args, &j.Name, &labels, &j.Priority,
		&j.Source, &timeout, &env, &j.Workdir,
		&state, &j.Reason, &j.Attempt, &submitted, &started, &finished, &exit, &j.Signal, &command, &j.Log,
		&j.Instance, &j.Process.PID, &j.Process.Start, &j.Process.Boot, &ended, &j.LineAt, &rawHash, &j.Doubt, &j.Node,
		&j.Group, &params, &afterOK, &afterAny, &notBefore, &j.Hold, &j.Retries,
		&j.UniqueKey, &j.ScriptHash, &j.ScriptNoted, &slots, &j.Limits, &j.RunAs, &j.Retried, &due, &j.Unmet)
	if err != nil {
		return nil, err
	}
	j.Timeout = time.Duration(timeout)
	j.State, j.EndReason = State(state), EndReason(ended)
	j.SubmittedAt, j.StartedAt, j.FinishedAt = fromMillis(submitted), fromMillis(started), fromMillis(finished)
	j.NotBefore, j.Due = fromMillis(notBefore), fromMillis(due)
	j.PID = j.Process.PID
	j.RawHash = uint64(rawHash)
	if exit.Valid {
		code := int(exit.Int64)
		j.ExitCode = &code
	}
	return &j, unpack([]packed{
		{args, &j.Args}, {labels, &j.Labels}, {env, &j.Env}, {command, &j.Command},
		{params, &j.Params}, {afterOK, &j.After}, {afterAny, &j.AfterAny}, {slots, &j.Slots},
	})
}

// addTo gives a func that adds each row of jobColumns that it is called with.
func addTo(found *[]*Job) func(scanner) error {
	return func(row scanner) error {
		j, err := scanJob(row)
		if err == nil {
			*found = append(*found, j)
		}
		return err
	}
}

// packed is a list or map as it is stored, and where it goes.
type packed struct {
	text string
	into any
}

func unpack(all []packed) error {
	for _, f := range all {
		if f.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(f.text), f.into); err != nil {
			return err
		}
	}
	return nil
}

func packList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return packJSON(list)
}

func packMap(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	return packJSON(m)
}

func packSlots(m map[string][]string) string {
	if len(m) == 0 {
		return ""
	}
	return packJSON(m)
}

// packJSON writes strings as they are as far as JSON allows, so that a search
// in the stored text finds them.
func packJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, and lists and maps of them, can be encoded
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
