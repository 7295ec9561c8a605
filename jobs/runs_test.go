package jobs_test

import (
	"fmt"
	"testing"

	"jobrunner/jobs"
)

// ended adds a job that ended, with these values in its row.
func ended(t testing.TB, q *jobs.Queue, path, name string, state jobs.State, change string) {
	t.Helper()
	j := jobOf(name)
	j.State = state
	accept(t, q, j)
	edit(t, path, "UPDATE jobs SET "+change+" WHERE id = ?", j.ID)
}

func TestRuns(t *testing.T) {
	q, path := openQueue(t)
	none, err := q.Runs(bg)
	if err != nil || none == nil || len(none) > 0 {
		t.Errorf("of an empty queue: %v, %v", none, err)
	}
	// The n-th waits n seconds and then runs for 10 n.
	for n := 1; n <= 20; n++ {
		state := jobs.Completed
		if n%4 == 0 {
			state = []jobs.State{jobs.Failed, jobs.Timeout, jobs.Lost, jobs.Cancelled, jobs.Failed}[n/4-1]
		}
		ended(t, q, path, "train", state, fmt.Sprintf("submitted_at = 1000, started_at = 1000 + %d, finished_at = 1000 + %d", n*1000, n*11000))
	}
	ended(t, q, path, "b", jobs.Completed, "submitted_at = 1000, not_before = 60000, started_at = 62500, finished_at = 62500")
	ended(t, q, path, "b", jobs.Failed, "attempt = 2, submitted_at = 1000, started_at = 900000, finished_at = 901000")
	ended(t, q, path, "b", jobs.Cancelled, "finished_at = 900000") // never ran
	ended(t, q, path, "b", jobs.Failed, "finished_at = 900000")    // what it waited for failed
	ended(t, q, path, "b", jobs.Completed, "started_at = 900000")  // imported
	ended(t, q, path, "c", jobs.Cancelled, "finished_at = 900000")
	ended(t, q, path, "c", jobs.Rejected, "finished_at = 900000")
	begin(t, q, jobOf("d"))
	runs, err := q.Runs(bg)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range runs {
		if len(r.Latest) != r.Runs {
			t.Errorf("%s has %d latest runs, want %d", name, len(r.Latest), r.Runs)
		}
		r.Latest = nil
		runs[name] = r
	}
	same(t, "runs", runs, map[string]jobs.Runs{
		"train": {Runs: 20, Completed: 0.75, RunP50: 100, RunP95: 190, WaitP50: 10, WaitP95: 19},
		"b":     {Runs: 2, Completed: 0.5, RunP50: 0, RunP95: 1, WaitP50: 2.5, WaitP95: 2.5},
	})
}

// The figures are those of the newest hundred, whatever their states.
func TestRunsOfTheNewest(t *testing.T) {
	q, path := openQueue(t)
	var list []*jobs.Job
	for i := range 150 {
		j := pendingJob()
		j.State = []jobs.State{jobs.Failed, jobs.Completed}[i%2]
		list = append(list, j)
	}
	accept(t, q, list...)
	edit(t, path, "UPDATE jobs SET submitted_at = 1000, started_at = 1000, finished_at = 1000 + iif(seq > 50, 2000, 9000)")
	runs, err := q.Runs(bg)
	if err != nil {
		t.Fatal(err)
	}
	got := runs["train"]
	if n := len(got.Latest); n != 100 || got.Latest[0].ID != list[149].ID || got.Latest[99].ID != list[50].ID {
		t.Errorf("%d latest runs, want the newest 100, newest first", n)
	}
	got.Latest = nil
	same(t, "runs", got, jobs.Runs{Runs: 100, Completed: 0.5, RunP50: 2, RunP95: 2})
}

func BenchmarkRuns(b *testing.B) {
	q, path := openQueue(b)
	list := fill(b, q, 100_000)
	edit(b, path, "UPDATE jobs SET type = 'type' || (seq % 20), state = iif(seq % 3 = 0, 'FAILED', 'COMPLETED'), started_at = 1, finished_at = 2")
	edit(b, path, "DELETE FROM counters")
	edit(b, path, "INSERT INTO counters SELECT state, type, count(*) FROM jobs GROUP BY state, type")
	for b.Loop() {
		if runs, err := q.Runs(bg); err != nil || len(runs) != 20 {
			b.Fatal(len(runs), err, len(list))
		}
	}
}

// Figures that were read before count no longer once another job has ended.
func TestRunsFollowEnds(t *testing.T) {
	q, path := openQueue(t)
	for n := 1; n <= 3; n++ {
		ended(t, q, path, "train", []jobs.State{jobs.Failed, jobs.Completed}[n%2], fmt.Sprintf("submitted_at = 1000, started_at = 1000, finished_at = 1000 + %d", n*1000))
		for range 2 {
			runs, err := q.Runs(bg)
			if err != nil || runs["train"].Runs != n || len(runs["train"].Latest) != n {
				t.Errorf("after %d ends: %+v, %v", n, runs["train"], err)
			}
		}
	}
	// Of more types than are read anew in a second, the older figures do.
	for range 2 {
		for n := range 40 {
			ended(t, q, path, fmt.Sprint("t", n), jobs.Completed, "submitted_at = 1000, started_at = 1000, finished_at = 2000")
		}
		if runs, err := q.Runs(bg); err != nil || len(runs) != 41 {
			t.Errorf("%d types, %v", len(runs), err)
		}
	}
}
