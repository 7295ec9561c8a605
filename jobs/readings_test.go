package jobs_test

import (
	"errors"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// reading gives a whole reading of an attempt.
func reading(attempt int) *jobs.Reading {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	percent, eta := 41.5, 90*time.Second
	return &jobs.Reading{
		Attempt: attempt, OutputAt: at,
		Progress: &jobs.Progress{Percent: &percent, Text: "epoch 6/10", ETA: &eta, Source: "tqdm", ETASource: "tqdm", At: at},
		Usage:    &jobs.Usage{CPU: 3.1, CPUTime: 1234 * time.Millisecond, Memory: 5 << 20, PeakMemory: 9 << 20, Processes: 4},
		Series:   []jobs.Point{{at, 0.25, 1 << 20}, {at.Add(2 * time.Second), 12.34, 5 << 20}, {at.Add(time.Second), 0, 0}},
	}
}

func keep(t testing.TB, q *jobs.Queue, id string, r *jobs.Reading) {
	t.Helper()
	if err := q.KeepReadings(bg, []jobs.Measured{{ID: id, Reading: r}}); err != nil {
		t.Fatal(err)
	}
}

func readReading(t testing.TB, q *jobs.Queue, id string, attempt int) *jobs.Reading {
	t.Helper()
	r, err := q.Reading(bg, id, attempt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func detail(t testing.TB, q *jobs.Queue, id string) *jobs.Job {
	t.Helper()
	j, err := q.Detail(bg, id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestReadingsAreKept(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	j := begin(t, q, pendingJob())
	if _, err := q.Reading(bg, j.ID, 1); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("before anything was measured: %v, want ErrNotFound", err)
	}
	want := reading(1)
	keep(t, q, j.ID, want)
	keep(t, q, j.ID, want)
	got := readReading(t, q, j.ID, 1)
	left := *got.Progress.ETA
	if left > 90*time.Second || left < 30*time.Second {
		t.Errorf("ETA is %v, it was 90 s a moment ago", left)
	}
	got.Progress.ETA = want.Progress.ETA
	if *got.Progress.Percent != 41.5 {
		t.Errorf("percent is %v", *got.Progress.Percent)
	}
	got.Progress.Percent = want.Progress.Percent
	same(t, "progress", *got.Progress, *want.Progress)
	same(t, "usage", *got.Usage, *want.Usage)
	same(t, "series and output", []any{got.Attempt, got.Series, got.OutputAt}, []any{1, want.Series, want.OutputAt})
	same(t, "of a job that runs, in its details", detail(t, q, j.ID).Usage, (*jobs.Usage)(nil))
	all, err := q.Readings(bg)
	if err != nil || len(all) != 1 || all[j.ID].Usage.PeakMemory != 9<<20 {
		t.Errorf("of what runs: %v, %v", all, err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}

	// Once it has ended, no matter whether anybody saw that, only the past is told.
	q = reopenQueue(t, path)
	if ok, err := q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Completed, Reason: "exit 0"}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	ended := detail(t, q, j.ID)
	same(t, "usage in the end", *ended.Usage, jobs.Usage{CPUTime: 1234 * time.Millisecond, PeakMemory: 9 << 20})
	if p := ended.Progress; *p.Percent != 41.5 || p.ETA != nil || p.ETASource != "" || p.Source != "tqdm" {
		t.Errorf("progress in the end %+v: 100 %% was not seen", p)
	}
	if all, err := q.Readings(bg); err != nil || len(all) != 0 {
		t.Errorf("nothing runs: %v, %v", all, err)
	}
	truth(t, q)
}

// What is not known stays unknown, and what is only guessed is not kept.
func TestReadingsOfLittle(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	j := begin(t, q, pendingJob())
	percent, eta := 95.0, time.Minute
	keep(t, q, j.ID, &jobs.Reading{Attempt: 1, Progress: &jobs.Progress{
		Percent: &percent, Text: "usually 25 s", ETA: &eta, Source: jobs.ProgressHistory, ETASource: jobs.ProgressHistory}})
	same(t, "a guess", *readReading(t, q, j.ID, 1), jobs.Reading{Attempt: 1})
	keep(t, q, j.ID, &jobs.Reading{Attempt: 1, Progress: &jobs.Progress{Text: "loading", Source: jobs.ProgressSaid,
		ETA: &eta, ETASource: jobs.ProgressHistory}})
	same(t, "words alone", *readReading(t, q, j.ID, 1).Progress, jobs.Progress{Text: "loading", Source: jobs.ProgressSaid})
}

// Each attempt has a reading of its own; a job that runs again under another id
// has none.
func TestReadingsOfAttempts(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	id := accept(t, q, pendingJob())[0].ID
	runOnce(t, q, id, jobs.Ending{State: jobs.Failed, Reason: "exit 1"})
	keep(t, q, id, reading(1))
	made := execute(t, q, jobs.Rerun, id).Jobs[0]
	execute(t, q, jobs.Retry, id)
	same(t, "waiting again", detail(t, q, id).Usage, (*jobs.Usage)(nil))
	keep(t, q, id, &jobs.Reading{Attempt: 3}) // there is no such attempt
	if _, err := q.Reading(bg, id, 3); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("attempt 3: %v", err)
	}
	runOnce(t, q, id, jobs.Ending{State: jobs.Completed, Reason: "exit 0"})
	same(t, "the attempt that was too short", detail(t, q, id).Usage, (*jobs.Usage)(nil))
	same(t, "the one before", readReading(t, q, id, 1).Usage.PeakMemory, 9<<20)
	second := reading(2)
	second.Usage.PeakMemory = 7 << 20
	keep(t, q, id, second)
	same(t, "the second", detail(t, q, id).Usage.PeakMemory, 7<<20)
	same(t, "a job made of it", detail(t, q, made).Usage, (*jobs.Usage)(nil))
	truth(t, q)
}

func TestReadingsGoWithTheirJob(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	id := endedAgo(t, q, path, jobs.Completed, time.Hour, nil)
	keep(t, q, id, reading(1))
	if n, _ := pruned(t, q, jobs.PruneOptions{}); n != 1 {
		t.Fatalf("%d jobs were pruned, want 1", n)
	}
	late := uuid.NewString()
	for _, gone := range []string{id, late} {
		keep(t, q, gone, reading(1)) // it was measured while the job went
		if _, err := q.Reading(bg, gone, 1); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("a reading of a job that is not there: %v", err)
		}
	}
	var known *jobs.PrunedError
	if _, err := q.Detail(bg, id); !errors.As(err, &known) {
		t.Errorf("the job: %v, want that it was pruned", err)
	}
	truth(t, q)
}
