package ui_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
	"jobrunner/metrics"
	"jobrunner/ui"
)

// crowd is how much there is in a database that was made and not lived.
type crowd struct{ ended, pending, running int }

// Types of a crowd, the most used first.
var crowdTypes = []string{"train", "evaluate", "preprocess", "render", "encode", "index", "backup", "report", "scrape", "label", "export", "cleanup"}

// crowdSQL makes jobs, and what goes with them, out of their numbers alone. ?1 is
// how many have ended, ?2 how many wait, ?3 how many run, ?4 now in ms. Times
// stand for 90 days up to now, and what is rare is rare.
var crowdSQL = []string{
	`CREATE TEMP TABLE crowd AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 + ?2 + ?3),
	r (i, a, b, c) AS (SELECT i, i * 2654435761 & 0xffffffff, (i * 1103515245 + 12345 >> 8) % 1000, (i * 69069 + 1 >> 10) % 100 FROM n)
	SELECT i, printf('%08x-%04x-4000-8000-%012x', a, b, i) AS id, c, b,
		CASE WHEN i > ?1 + ?2 THEN 'RUNNING' WHEN i > ?1 THEN 'PENDING' WHEN b < 880 THEN 'COMPLETED' WHEN b < 940 THEN 'FAILED'
			WHEN b < 970 THEN 'CANCELLED' WHEN b < 980 THEN 'TIMEOUT' WHEN b < 990 THEN 'LOST' ELSE 'REJECTED' END AS state,
		min(11, c / 8) AS kind,
		?4 - 7776000000 + i * 7776000000 / (?1 + ?2 + ?3) AS at,
		1000 + a % 3600000 AS took, 200 + a % 90000 AS waited
	FROM r`,
	`INSERT INTO jobs (seq, id, spelling, type, target, args, name, labels, priority, source, timeout, env, workdir, state, reason,
		attempt, submitted_at, started_at, finished_at, exit_code, signal, command, log, instance, pid, proc_start, proc_boot, end_reason,
		line_at, raw_hash, doubt, node, sweep, hold, retries, slots)
	SELECT i, id, '', iif(state = 'REJECTED', '', value), iif(state = 'REJECTED', '', value || '.py'),
		'["--lr","0.' || b || '","--seed","' || i || '","--out","runs/' || (i % 977) || '"]', iif(c < 10, 'nightly ' || (i % 31), ''),
		iif(c < 30, '{"owner":"' || iif(i % 2, 'ada', 'bob') || '","team":"t' || (i % 7) || '"}', ''), c % 3,
		iif(i % 3, 'queue:job_queue.txt', 'inbox:request-' || i || '.yaml'), 0, '', '', state,
		CASE state WHEN 'COMPLETED' THEN 'exit 0' WHEN 'FAILED' THEN 'exit ' || (1 + b % 3) WHEN 'CANCELLED' THEN 'cancelled by request'
			WHEN 'TIMEOUT' THEN 'timeout 2h0m0s' WHEN 'LOST' THEN 'machine restarted at 02:12 while it ran'
			WHEN 'REJECTED' THEN 'job_queue.txt:' || i || ': unknown type "cuntdown"; did you mean "countdown"?' ELSE '' END,
		1, at, CASE state WHEN 'PENDING' THEN 0 WHEN 'REJECTED' THEN 0 ELSE at + waited END,
		CASE state WHEN 'PENDING' THEN 0 WHEN 'RUNNING' THEN 0 WHEN 'REJECTED' THEN at ELSE at + waited + took END,
		CASE state WHEN 'COMPLETED' THEN 0 WHEN 'FAILED' THEN 1 + b % 3 END, CASE state WHEN 'TIMEOUT' THEN 'SIGTERM' ELSE '' END,
		iif(state IN ('PENDING', 'REJECTED'), '', '["/usr/bin/python3","-u","' || value || '.py"]'),
		iif(state IN ('PENDING', 'REJECTED'), '', 'logs/' || id || '.log'), '', iif(state = 'RUNNING', 4000 + i % 1000, 0), '', '', '',
		-1, 0, 0, iif(state IN ('PENDING', 'REJECTED'), '', 'lab'),
		iif(c >= 90, printf('3f2a91c0-0000-4000-8000-%012x', i / 200), ''), state = 'PENDING' AND c < 20, 0,
		iif(state = 'RUNNING', '{"gpu":["0"]}', '')
	FROM crowd JOIN (SELECT key, value FROM json_each(?5)) ON key = kind`,
	`INSERT INTO attempts (job, attempt, state, reason, started_at, finished_at, exit_code, signal, slots, log)
	SELECT id, 1, state, reason, started_at, finished_at, exit_code, signal, '', log FROM jobs
	WHERE finished_at > 0 AND started_at > 0 ORDER BY id`,
	`INSERT INTO events (at, job, kind, state, reason)
	SELECT at, id, kind, state, '' FROM (
		SELECT at + 0 AS at, id, 'accepted' AS kind, iif(state = 'REJECTED', state, 'PENDING') AS state FROM crowd
		UNION ALL SELECT at + waited - 5, id, 'starting', 'RUNNING' FROM crowd WHERE state NOT IN ('PENDING', 'REJECTED')
		UNION ALL SELECT at + waited, id, 'started', 'RUNNING' FROM crowd WHERE state NOT IN ('PENDING', 'REJECTED')
		UNION ALL SELECT at + waited + took, id, 'ended', state FROM crowd WHERE state NOT IN ('PENDING', 'RUNNING', 'REJECTED')
	) ORDER BY at`,
	`INSERT INTO readings (job, attempt, read_at, output_at, percent, text, source, progress_at, eta, eta_source, measured, cpu, cpu_time,
		memory, memory_peak, processes, series)
	SELECT id, 1, at, at, 100, 'epoch 10/10', 'tqdm', at, -1, '', 1, 150, took, 0, 1048576 * b, 0, x'' FROM crowd
	WHERE c < 50 AND state NOT IN ('PENDING', 'REJECTED') ORDER BY id`,
	`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8928)
	INSERT INTO samples SELECT (?4 / 300000 - 8928 + i) * 300000, 5 + i % 11, i % 4, 3, 30 + i % 13, i % 3, i % 2 FROM n`,
	`UPDATE counted SET event = (SELECT max(id) FROM events)`,
	`INSERT INTO counters SELECT state, type, count(*) FROM jobs GROUP BY state, type`,
}

// make fills a database that is not there yet. What keeps it in order is put
// away meanwhile: an index is made faster than it is kept.
func (c crowd) make(tb testing.TB, path string) {
	tb.Helper()
	q, err := jobs.Open(path)
	if err == nil {
		err = q.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	exec := func(query string, args ...any) {
		tb.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			tb.Fatalf("%v in %.200s", err, query)
		}
	}
	var kept []string
	rows, err := db.Query("SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL")
	if err != nil {
		tb.Fatal(err)
	}
	var drops []string
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			tb.Fatal(err)
		}
		kept, drops = append(kept, text), append(drops, "DROP "+kind+" "+name)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	for _, query := range drops {
		exec(query)
	}
	types := `["` + strings.Join(crowdTypes, `","`) + `"]`
	args := []any{c.ended, c.pending, c.running, time.Now().UnixMilli(), types}
	for _, query := range crowdSQL {
		most := 0
		for n := range args {
			if strings.Contains(query, fmt.Sprint("?", n+1)) {
				most = n + 1
			}
		}
		exec(query, args[:most]...)
	}
	for _, query := range kept {
		exec(query)
	}
	exec("ANALYZE")
	exec("DELETE FROM sqlite_stat1") // a database that has lived has none
	exec("PRAGMA journal_mode = WAL")
}

// site is a page over a crowd, with the logs of those that ended last and of
// those that run. The folder is made anew, or kept where JOBRUNNER_BENCH_DIR says.
func (c crowd) site(tb testing.TB) *site {
	tb.Helper()
	dir := os.Getenv("JOBRUNNER_BENCH_DIR")
	if dir == "" {
		dir = tb.TempDir()
	}
	dir = filepath.Join(dir, fmt.Sprint(c.ended, "-", c.pending, "-", c.running))
	path := filepath.Join(dir, "jobs.db")
	if _, err := os.Stat(path); err != nil {
		if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o700); err != nil {
			tb.Fatal(err)
		}
		began := time.Now()
		c.make(tb, path)
		tb.Logf("made %d jobs in %v", c.ended+c.pending+c.running, time.Since(began).Round(time.Second))
	}
	q, err := jobs.OpenReader(path) // as the page of a daemon has it
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = q.Close() })
	catalog := &jobs.Catalog{Dir: dir, MaxConcurrent: 3, Types: map[string]*jobs.Type{}, Slots: map[string]jobs.SlotPool{"gpu": {Tokens: []string{"0", "1"}}}}
	for _, name := range crowdTypes {
		catalog.Types[name] = &jobs.Type{Name: name, Command: []string{"python3", name + ".py"}, Slots: map[string]int{"gpu": 1}}
	}
	q.SetCatalog(catalog)
	s := &site{t: tb, queue: q, opts: ui.Options{
		Queue: q, StateDir: dir, Listen: "127.0.0.1:8080", Log: zerolog.Nop(), Catalog: func() *jobs.Catalog { return catalog },
		Status: func() ui.Status { return ui.Status{Version: "1.2.3", Node: "lab", MaxConcurrent: 3} },
	}}
	m, err := metrics.New(metrics.Options{Queue: q, Catalog: s.opts.Catalog, Log: zerolog.Nop()})
	if err != nil {
		tb.Fatal(err)
	}
	s.opts.Metrics = m.Handler()
	s.readings()
	return s
}

// readings gives the jobs that run something to show, and output to them and to
// those that failed last.
func (s *site) readings() {
	s.t.Helper()
	list, err := s.queue.Running(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	percent, left, all := 42.0, time.Hour, map[string]*jobs.Reading{}
	for _, j := range list {
		all[j.ID] = &jobs.Reading{Attempt: 1, Progress: &jobs.Progress{Percent: &percent, Text: "epoch 4/10", ETA: &left, Source: "tqdm", ETASource: "tqdm"},
			Usage: &jobs.Usage{CPU: 1.5, Memory: 1 << 30}, OutputAt: time.Now()}
	}
	s.opts.Readings = func() map[string]*jobs.Reading { return all }
	failed, err := s.queue.List(s.t.Context(), jobs.Filter{States: []jobs.State{jobs.Failed}, Limit: 50})
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.Repeat("epoch 4/10: loss 0.123 \x1b[32mok\x1b[0m, 42 %\r\n", 20000) + "RuntimeError: CUDA out of memory\n"
	for _, j := range append(list, failed...) {
		if _, err := os.Stat(filepath.Join(s.opts.StateDir, j.Log)); err != nil {
			s.write(j.Log, text)
		}
	}
}
