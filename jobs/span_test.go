package jobs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"jobrunner/jobs"
)

func at(seconds int) time.Time { return time.UnixMilli(1_000_000_000 + int64(seconds)*1000).UTC() }

// ranFrom adds a job whose first attempt ran for a while.
func ranFrom(t *testing.T, q *jobs.Queue, path, name string, begin, end time.Time) *jobs.Job {
	t.Helper()
	j := begin1(t, q, name)
	mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Completed, Reason: "exit 0"}))
	edit(t, path, "UPDATE attempts SET started_at = ?, finished_at = ? WHERE job = ?", begin.UnixMilli(), end.UnixMilli(), j.ID)
	edit(t, path, "UPDATE jobs SET submitted_at = ?, started_at = ?, finished_at = ? WHERE id = ?",
		begin.Add(-3*time.Second).UnixMilli(), begin.UnixMilli(), end.UnixMilli(), j.ID)
	return j
}

func begin1(t *testing.T, q *jobs.Queue, name string) *jobs.Job {
	t.Helper()
	j := pendingJob()
	j.Name, j.Args = name, []string{name}
	return begin(t, q, j)
}

func spanNames(r jobs.Ran) []string {
	var names []string
	for _, s := range r.Spans {
		names = append(names, fmt.Sprint(s.Args[0], " ", s.Attempt))
	}
	slices.Sort(names)
	return names
}

func TestRan(t *testing.T) {
	q, path := openQueue(t)
	ranFrom(t, q, path, "before", at(0), at(99))
	ranFrom(t, q, path, "into", at(50), at(100))
	inside := ranFrom(t, q, path, "inside", at(110), at(120))
	ranFrom(t, q, path, "out of", at(150), at(250))
	ranFrom(t, q, path, "over", at(50), at(300))
	ranFrom(t, q, path, "after", at(200), at(220))
	begin1(t, q, "running")

	// An attempt that failed and is followed by another counts by itself.
	retried := pendingJob()
	retried.Args, retried.Retries = []string{"retried"}, 1
	retried = begin(t, q, retried)
	mustChange(t)(q.End(bg, retried.ID, 1, jobs.Ending{State: jobs.Failed, Reason: "exit 1", RetryAt: at(0)}))
	edit(t, path, "UPDATE attempts SET started_at = ?, finished_at = ? WHERE job = ?", at(130).UnixMilli(), at(131).UnixMilli(), retried.ID)

	r, err := q.Ran(bg, at(100), at(200))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "spans", spanNames(r), []string{"inside 1", "into 1", "out of 1", "over 1", "retried 1"})
	i := slices.IndexFunc(r.Spans, func(s jobs.Span) bool { return s.ID == inside.ID })
	s := r.Spans[i]
	same(t, "times", []time.Time{s.CouldAt, s.StartedAt, s.FinishedAt}, []time.Time{at(107), at(110), at(120)})
	if s.State != jobs.Completed || s.Reason != "exit 0" || s.Type != "train" || s.Target != inside.Target || len(r.Crowds) != 0 {
		t.Errorf("got %+v, %d crowds", s, len(r.Crowds))
	}
}

// Of too many attempts the longest are told of, and the others are counted.
func TestRanOfManyIsBounded(t *testing.T) {
	q, path := openQueue(t)
	for n := range 3 {
		ranFrom(t, q, path, fmt.Sprint("long", n), at(2000*n), at(2000*n+1500))
	}
	j := ranFrom(t, q, path, "short", at(0), at(0))
	edit(t, path, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
		INSERT INTO attempts (job, attempt, state, reason, started_at, finished_at, signal, slots, log)
		SELECT ?, i + 1, iif(i % 10 = 0, 'FAILED', 'COMPLETED'), '', ? + i * 3000 - 1000, ? + i * 3000, '', '', '' FROM n`,
		j.ID, at(0).UnixMilli(), at(0).UnixMilli())
	r, err := q.Ran(bg, at(0), at(6010))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Spans); n > 240 {
		t.Errorf("%d spans, want 240 at most", n)
	}
	all, failed, long := 0, 0, 0
	for _, s := range r.Spans {
		if s.State != jobs.Completed {
			failed++
		}
		if s.FinishedAt.Sub(s.StartedAt) > time.Minute {
			long++
		}
	}
	all = len(r.Spans)
	for i, c := range r.Crowds {
		all, failed = all+c.N, failed+c.Failed
		if c.More || i > 0 && c.From.Before(r.Crowds[i-1].Until) {
			t.Errorf("crowd %d: %+v", i, c)
		}
	}
	same(t, "all, failed, long", []int{all, failed, long}, []int{2004, 200, 3})
}

func TestSpanOfARunningJob(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.NotBefore = time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	j.SubmittedAt = j.NotBefore.Add(-time.Hour)
	j = begin(t, q, j)
	s := readJob(t, q, j.ID).Span()
	if s.State != jobs.Running || !s.CouldAt.Equal(j.NotBefore) || s.StartedAt.IsZero() || !s.FinishedAt.IsZero() {
		t.Errorf("got %+v", s)
	}
}
