package jobs_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// firstSchema makes a database as the first schema's program left it, with a
// job in every state, and gives their ids.
func firstSchema(t *testing.T, path string) map[jobs.State]string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustExec(t, db, jobs.Migrations[0])
	mustExec(t, db, "PRAGMA journal_mode = WAL")
	mustExec(t, db, "PRAGMA user_version = 1")
	mustExec(t, db, "INSERT INTO identity VALUES ('kept')")
	ids := map[jobs.State]string{}
	for n, s := range jobs.States {
		id := uuid.NewString()
		ids[s] = id
		log, started, finished, pid := "logs/"+id+".log", 2000, 3000, 0
		if s == jobs.Pending || s == jobs.Rejected {
			log, started = "", 0
		}
		if !s.Ended() {
			finished = 0
		}
		if s == jobs.Running {
			pid = 42
		}
		_, err := db.Exec(`INSERT INTO jobs (id, spelling, type, target, args, name, labels, priority, source, timeout, env, workdir,
			state, reason, attempt, submitted_at, started_at, finished_at, exit_code, signal, command, log,
			instance, pid, proc_start, proc_boot, end_reason, line_at, raw_hash, doubt, node)
			VALUES (?, '', 'train', 'train.py', '["1","a b"]', 'näctly', '{"owner":"ada"}', 5, 'inbox:a.yaml', 60000000000, '{"E":"1"}', 'w',
			?, 'why', 2, 1000, ?, ?, ?, '', '["python3"]', ?, 'sup', ?, '7', 'b', '', ?, -9, 0, 'host')`,
			id, string(s), started, finished, n, log, pid, 7+n)
		if err != nil {
			t.Fatal(err)
		}
	}
	mustExec(t, db, `INSERT INTO events (at, job, kind, state, reason) VALUES (1, 'x', 'accepted', 'PENDING', '')`)
	mustExec(t, db, fmt.Sprintf(`INSERT INTO receipts (id, name, newest, jobs, command, state, reason, warning, taken_at)
		VALUES ('claim', 'a.yaml', 1, '["%s"]', '', '', '', '', 5)`, ids[jobs.Pending]))
	mustExec(t, db, "INSERT INTO mark VALUES (1, 'g', 77)")
	return ids
}

func TestMigratesJobsOfTheFirstSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.db")
	ids := firstSchema(t, path)
	if _, err := jobs.OpenReader(path); err == nil {
		t.Error("a reader took it before it was brought up to date")
	}
	q := reopenQueue(t, path)
	for n, s := range jobs.States {
		got := readJob(t, q, ids[s])
		want := jobs.Job{ID: ids[s], Seq: int64(n + 1), Type: "train", Target: "train.py", Args: []string{"1", "a b"}, Name: "näctly",
			Labels: map[string]string{"owner": "ada"}, Priority: 5, Source: "inbox:a.yaml", Timeout: time.Minute,
			Env: map[string]string{"E": "1"}, Workdir: "w", State: s, Reason: "why", Attempt: 2,
			Signal: "", Node: "host", Command: []string{"python3"}, Instance: "sup", LineAt: int64(7 + n), RawHash: 1<<64 - 9,
			SubmittedAt: got.SubmittedAt, StartedAt: got.StartedAt, FinishedAt: got.FinishedAt, ExitCode: got.ExitCode,
			PID: got.PID, Process: got.Process, Log: got.Log}
		if s == jobs.Pending {
			want.Reason = got.Reason
		}
		same(t, string(s), *got, want)
		same(t, string(s)+": times and code", []any{got.SubmittedAt.UnixMilli(), *got.ExitCode}, []any{1000, n})
	}
	checkCounters(t, q)
	truth(t, q)
	if mark, _, err := q.Mark(bg); err != nil || mark.Offset != 77 {
		t.Errorf("mark %+v, %v", mark, err)
	}
	if r, err := q.Receipt(bg, "a.yaml"); err != nil || r.ID != "claim" {
		t.Errorf("receipt %+v, %v", r, err)
	}
	if id, err := q.LastEvent(bg); err != nil || id != 1 {
		t.Errorf("last event %d, %v", id, err)
	}

	// They live on.
	after := pendingJob()
	take(t, q, asks(after, ids[jobs.Running]))
	next, err := q.Next(bg, map[string]int{"train": 9}, 9)
	if err != nil || len(next) != 1 || next[0].ID != ids[jobs.Pending] {
		t.Errorf("next %v, %v", next, err)
	}
	mustChange(t)(q.End(bg, ids[jobs.Running], 2, jobs.Ending{State: jobs.Completed, Reason: "exit 0"}))
	same(t, "what waits for it", readJob(t, q, after.ID).Unmet, 0)

	// What was known of an attempt is still known after the next.
	failed := ids[jobs.Failed]
	want := []string{"2 FAILED why .log"}
	same(t, "attempts", attempts(t, q, failed), want)
	execute(t, q, jobs.Retry, failed)
	same(t, "attempts, waiting", attempts(t, q, failed), want)
	runOnce(t, q, failed, jobs.Ending{State: jobs.Completed, Reason: "exit 0"})
	same(t, "attempts, ended", attempts(t, q, failed), []string{"2 FAILED why .2.log", "3 COMPLETED exit 0 .log"})
	truth(t, q)
}
