package metrics_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
	"jobrunner/metrics"
)

var bg = context.Background()

// world is a queue and what is counted of it.
type world struct {
	*testing.T
	queue   *jobs.Queue
	catalog *jobs.Catalog
	facts   metrics.Facts
	metrics *metrics.Metrics
}

func newWorld(t *testing.T) *world {
	t.Helper()
	q, err := jobs.Open(filepath.Join(t.TempDir(), "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{T: t, queue: q, catalog: &jobs.Catalog{
		MaxConcurrent: 3,
		Types: map[string]*jobs.Type{
			"train": {Name: "train", Command: []string{"x"}, Slots: map[string]int{"gpu": 1}},
			"quick": {Name: "quick", Command: []string{"x"}},
		},
		Slots: map[string]jobs.SlotPool{"gpu": {Tokens: []string{"0", "1"}, PerSlot: 2}},
	}}
}

// count counts from now on until the test ends, as one daemon does.
func (w *world) count() {
	w.Helper()
	m, err := metrics.New(metrics.Options{
		Queue: w.queue, Catalog: func() *jobs.Catalog { return w.catalog },
		Facts: func() metrics.Facts { return w.facts }, Version: "1.2.3", Log: zerolog.Nop(),
	})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
	w.metrics = m
}

func (w *world) scrape() string {
	w.Helper()
	rec := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		w.Fatalf("%d %s\n%s", rec.Code, rec.Header(), rec.Body)
	}
	return rec.Body.String()
}

// shows waits until a scrape has all those lines.
func (w *world) shows(lines ...string) {
	w.Helper()
	end := time.Now().Add(30 * time.Second)
	for {
		text := w.scrape()
		missing := ""
		for _, line := range lines {
			if !strings.Contains(text, "\n"+line+"\n") {
				missing = line
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("no line %q in\n%s", missing, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (w *world) add(change func(*jobs.Job)) *jobs.Job {
	w.Helper()
	j := &jobs.Job{ID: uuid.NewString(), Type: "train", Target: "train", Source: "inbox:a.yaml", State: jobs.Pending,
		Attempt: 1, SubmittedAt: time.Now().Add(-2 * time.Minute)}
	if change != nil {
		change(j)
	}
	if _, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
		w.Fatal(err)
	}
	return j
}

func (w *world) start(j *jobs.Job, slots map[string][]string) {
	w.Helper()
	begun, err := w.queue.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: j.Attempt, Instance: "x", Slots: slots}})
	if err != nil || len(begun) != 1 {
		w.Fatalf("%d begun, %v", len(begun), err)
	}
	info := jobs.StartInfo{Process: jobs.ProcessID{PID: 7}, Log: "logs/a.log"}
	if ok, err := w.queue.Started(bg, j.ID, j.Attempt, info); err != nil || !ok {
		w.Fatal(ok, err)
	}
}

func (w *world) end(j *jobs.Job, e jobs.Ending) {
	w.Helper()
	if ok, err := w.queue.End(bg, j.ID, j.Attempt, e); err != nil || !ok {
		w.Fatal(ok, err)
	}
}

func TestWhatIsCounted(t *testing.T) {
	w := newWorld(t)
	w.add(nil) // before
	w.count()
	w.shows(`jobrunner_jobs_ended_total{state="FAILED",type="train"} 0`, `jobrunner_job_run_seconds_count{type="quick"} 0`,
		`jobrunner_jobs_accepted_total{type="train"} 0`, `jobrunner_requests_rejected_total 0`)

	j := w.add(func(j *jobs.Job) { j.Retries = 1 })
	w.start(j, nil)
	w.end(j, jobs.Ending{State: jobs.Failed, Reason: "exit 1", RetryAt: time.Now()})
	j.Attempt = 2
	w.start(j, nil)
	w.end(j, jobs.Ending{State: jobs.Completed, Reason: "exit 0", FinishedAt: time.Now().Add(10 * time.Second)})
	w.add(func(j *jobs.Job) { j.State, j.Type, j.Reason = jobs.Rejected, "no-such-type", "bad" })
	w.add(func(j *jobs.Job) { j.State, j.Type, j.FinishedAt = jobs.Failed, "gone", time.Now() }) // history
	removed := w.add(func(j *jobs.Job) { j.Type = "gone" })
	if _, err := w.queue.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: []string{removed.ID}}); err != nil {
		t.Fatal(err)
	}
	w.shows(
		`jobrunner_jobs_accepted_total{type="train"} 1`,
		`jobrunner_jobs_accepted_total{type="(other)"} 1`,
		`jobrunner_attempts_retried_total{type="train"} 1`,
		`jobrunner_jobs_ended_total{state="COMPLETED",type="train"} 1`,
		`jobrunner_jobs_ended_total{state="FAILED",type="train"} 0`,
		`jobrunner_jobs_ended_total{state="CANCELLED",type="(other)"} 1`,
		`jobrunner_requests_rejected_total 1`,
		`jobrunner_job_wait_seconds_count{type="train"} 1`,
		`jobrunner_job_wait_seconds_bucket{type="train",le="60"} 0`,
		`jobrunner_job_wait_seconds_bucket{type="train",le="300"} 1`,
		`jobrunner_job_run_seconds_count{type="train"} 1`,
		`jobrunner_job_run_seconds_bucket{type="train",le="5"} 0`,
		`jobrunner_job_run_seconds_bucket{type="train",le="15"} 1`,
	)
	w.count() // the next daemon
	w.shows(`jobrunner_jobs_accepted_total{type="train"} 0`, `jobrunner_jobs{state="COMPLETED",type="train"} 1`)
}

// All is counted, however many come between two scrapes.
func TestCountedThoughNobodyAsks(t *testing.T) {
	const many = 3000
	w := newWorld(t)
	w.count()
	var in jobs.Intake
	for range many {
		in.Entries = append(in.Entries, jobs.Entry{Job: &jobs.Job{ID: uuid.NewString(), Type: "quick", Target: "quick",
			Source: "inbox:a.yaml", State: jobs.Pending, Attempt: 1, SubmittedAt: time.Now()}})
	}
	if _, err := w.queue.Accept(bg, in); err != nil {
		t.Fatal(err)
	}
	w.shows(fmt.Sprintf(`jobrunner_jobs_accepted_total{type="quick"} %d`, many), fmt.Sprintf(`jobrunner_jobs{state="PENDING",type="quick"} %d`, many))
}

func TestWhatIsPresent(t *testing.T) {
	w := newWorld(t)
	w.count()
	w.shows(`jobrunner_pending_oldest_age_seconds 0`, `jobrunner_ready 0`, `jobrunner_database_up 1`,
		`jobrunner_inbox_events{mode="native"} 0`, `jobrunner_inbox_events{mode="polling"} 0`)
	w.start(w.add(nil), map[string][]string{"gpu": {"0", "1"}})
	w.add(func(j *jobs.Job) { j.SubmittedAt = time.Now().Add(-time.Hour) })
	w.add(func(j *jobs.Job) { j.Type = "made up in a line of history" })
	for _, c := range []jobs.Command{{Action: jobs.Pause, Type: "quick"}, {Action: jobs.Drain}} {
		if _, err := w.queue.Execute(bg, c); err != nil {
			t.Fatal(err)
		}
	}
	w.facts = metrics.Facts{Ready: true, WritesFail: true, StartsFail: true, ConfigRefused: true, Events: "polling every 2s", Ignored: 4, DatabaseBytes: 4096}
	w.shows(
		`jobrunner_jobs{state="RUNNING",type="train"} 1`, `jobrunner_jobs{state="PENDING",type="train"} 1`, `jobrunner_jobs{state="PENDING",type="quick"} 0`,
		`jobrunner_jobs{state="PENDING",type="(other)"} 1`,
		`jobrunner_max_concurrent_jobs 3`, `jobrunner_slot_tokens{slot="gpu"} 4`, `jobrunner_slot_tokens_used{slot="gpu"} 2`,
		`jobrunner_paused{type="quick"} 1`, `jobrunner_paused{type="train"} 0`, `jobrunner_draining 1`,
		`jobrunner_ready 1`, `jobrunner_database_writes_failing 1`, `jobrunner_starts_failing 1`, `jobrunner_config_refused 1`,
		`jobrunner_inbox_events{mode="polling"} 1`, `jobrunner_inbox_ignored_files 4`, `jobrunner_database_size_bytes 4096`,
	)
	text := w.scrape()
	if strings.Contains(text, "made up") {
		t.Error("a type that is not configured has a label of its own")
	}
	for _, want := range []string{"jobrunner_pending_oldest_age_seconds 36", `jobrunner_build_info{goversion="go1.`, "go_goroutines ", "process_open_fds "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if err := w.queue.Close(); err != nil {
		t.Fatal(err)
	}
	w.shows(`jobrunner_database_up 0`, `jobrunner_ready 1`)
}

// Names, units and words are as Prometheus has them.
func TestNamesOfMetrics(t *testing.T) {
	w := newWorld(t)
	w.count()
	j := w.add(nil)
	w.start(j, nil)
	w.end(j, jobs.Ending{State: jobs.Completed})
	problems, err := promlint.New(strings.NewReader(w.scrape())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
