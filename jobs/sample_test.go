package jobs_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
)

// sample takes one and reports whether there will be something to note.
func sample(t testing.TB, q *jobs.Queue, slots int) bool {
	t.Helper()
	busy, err := q.TakeSample(bg, slots)
	if err != nil {
		t.Fatal(err)
	}
	return busy
}

// total gives the latest look, and the ends of all samples together.
func total(t testing.TB, q *jobs.Queue) (sum jobs.Sample) {
	t.Helper()
	all, err := q.Samples(bg, time.Now().Add(-jobs.SampleAge))
	if err != nil {
		t.Fatal(err)
	}
	for n, s := range all {
		if s.At.UnixMilli()%jobs.SamplePeriod.Milliseconds() != 0 || n > 0 && !s.At.After(all[n-1].At) {
			t.Errorf("sample %d begins at %v", n, s.At)
		}
		s.Completed, s.Failed, s.Cancelled = s.Completed+sum.Completed, s.Failed+sum.Failed, s.Cancelled+sum.Cancelled
		s.At = time.Time{}
		sum = s
	}
	return sum
}

// What is counted are the events that Event.Ends knows, each once, in whatever
// way a job ends.
func TestSamplesCountEnds(t *testing.T) {
	synctest.Test(t, testCountEnds) // no stretch ends meanwhile
}

func testCountEnds(t *testing.T) {
	q, path := openQueue(t)
	for _, state := range []jobs.State{jobs.Completed, jobs.Failed, jobs.Timeout, jobs.Lost, jobs.Cancelled, jobs.Completed} {
		runOnce(t, q, accept(t, q, pendingJob())[0].ID, jobs.Ending{State: state, Reason: "why"})
	}
	bad, history := pendingJob(), pendingJob()
	bad.State, history.State, history.FinishedAt = jobs.Rejected, jobs.Failed, time.Now()
	accept(t, q, bad, history)
	cancelled, failing := pendingJob(), pendingJob()
	accept(t, q, cancelled, failing)
	take(t, q, asks(pendingJob(), failing.ID))
	execute(t, q, jobs.Cancel, cancelled.ID)
	execute(t, q, jobs.Cancel, cancelled.ID) // does nothing more
	again := pendingJob()
	again.Retries = 1
	accept(t, q, again)
	runOnce(t, q, again.ID, jobs.Ending{State: jobs.Failed, Reason: "exit 1", RetryAt: time.Now()})
	runOnce(t, q, failing.ID, jobs.Ending{State: jobs.Failed, Reason: "exit 1"}) // and who waits for it

	var want jobs.Sample
	events, err := q.Events(bg, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		switch {
		case !e.Ends() || e.State == jobs.Rejected:
		case e.State == jobs.Completed:
			want.Completed++
		case e.State == jobs.Cancelled:
			want.Cancelled++
		default:
			want.Failed++
		}
	}
	same(t, "the events", want, jobs.Sample{Completed: 2, Failed: 5, Cancelled: 2})
	uncounted := func(want jobs.Sample) {
		t.Helper()
		got, err := q.Uncounted(bg)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "not counted yet", got, want)
	}
	uncounted(want)
	want.Pending, want.Slots = 1, 3
	if !sample(t, q, 3) {
		t.Error("a job waits, and the queue is said to be idle")
	}
	same(t, "counted", total(t, q), want)
	uncounted(jobs.Sample{})
	sample(t, q, 3)
	same(t, "counted again", total(t, q), want)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = reopenQueue(t, path)
	sample(t, q, 3)
	same(t, "counted by the next daemon", total(t, q), want)

	execute(t, q, jobs.Cancel, again.ID)
	if sample(t, q, 3) {
		t.Error("nothing waits, and the queue is said to be busy")
	}
	want.Cancelled, want.Pending = want.Cancelled+1, 0
	same(t, "at last", total(t, q), want)
}

// While nothing changes nothing is written, and of an idle queue there are no
// samples.
func TestSamplesOfAnIdleQueue(t *testing.T) {
	synctest.Test(t, testIdleSamples) // no stretch ends meanwhile
}

func testIdleSamples(t *testing.T) {
	q, path := openQueue(t)
	changed, stop := q.Changed()
	defer stop()
	quiet := func(what string) {
		t.Helper()
		told(changed) // of what was before
		sample(t, q, 2)
		if told(changed) {
			t.Errorf("%s: something was written", what)
		}
	}
	quiet("an empty queue")
	j := begin(t, q, pendingJob())
	sample(t, q, 2)
	quiet("a job that runs on")
	if ok, err := q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Completed}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	sample(t, q, 2)
	quiet("a job that has ended")
	edit(t, path, "UPDATE samples SET at = at - 600000")
	quiet("a new stretch")
	all, err := q.Samples(bg, time.Now().Add(-time.Hour))
	if err != nil || len(all) != 1 {
		t.Errorf("samples %+v, %v, want the one in which something was", all, err)
	}
	if all, err = q.Samples(bg, time.Now()); err != nil || len(all) != 0 {
		t.Errorf("samples from now on: %+v, %v", all, err)
	}
}

// An event is counted in the stretch of its own time, and those that are too
// old to be kept are not counted.
func TestSamplesHaveTheirTime(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	for range 3 {
		runOnce(t, q, accept(t, q, pendingJob())[0].ID, jobs.Ending{State: jobs.Completed})
	}
	now := time.Now()
	ends := "UPDATE events SET at = ? WHERE id = (SELECT id FROM events WHERE kind = 'ended' ORDER BY id LIMIT 1 OFFSET ?)"
	edit(t, path, ends, now.Add(-jobs.SampleAge-time.Hour).UnixMilli(), 0)
	edit(t, path, ends, now.Add(-time.Hour).UnixMilli(), 1)
	sample(t, q, 1)
	all, err := q.Samples(bg, time.Time{})
	if err != nil || len(all) != 2 || all[0].Completed != 1 || all[1].Completed != 1 {
		t.Fatalf("samples %+v, %v", all, err)
	}
	if late := now.Add(-time.Hour).Sub(all[0].At); late < 0 || late >= jobs.SamplePeriod {
		t.Errorf("the end of an hour ago is counted at %v", all[0].At)
	}
	edit(t, path, "UPDATE samples SET at = ? WHERE at = ?", now.Add(-jobs.SampleAge-time.Minute).UnixMilli(), all[0].At.UnixMilli())
	sample(t, q, 1)
	same(t, "after 31 days", total(t, q).Completed, 1)
}

// Events that are pruned before anybody took a sample are counted before they go.
func TestPrunedEventsAreCounted(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	endedAgo(t, q, path, jobs.Completed, time.Hour, nil)
	endedAgo(t, q, path, jobs.Failed, time.Hour, nil)
	soon := time.Now().Add(time.Second)
	if n, _ := pruned(t, q, jobs.PruneOptions{Now: soon}); n != 2 {
		t.Fatalf("%d jobs were pruned, want 2", n)
	}
	if _, err := q.PruneEvents(bg, 0, 1000, soon, soon); err != nil {
		t.Fatal(err)
	}
	events, err := q.Events(bg, 0, 0)
	if err != nil || len(events) > 0 {
		t.Fatalf("events %v, %v, want none", events, err)
	}
	sample(t, q, 1)
	same(t, "counted", total(t, q), jobs.Sample{Completed: 1, Failed: 1, Slots: 1})
}

// A database of the schema before has its latest ends counted.
func TestSamplesOfAnOlderSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range jobs.Migrations[:4] {
		mustExec(t, db, step)
	}
	mustExec(t, db, "PRAGMA user_version = 4")
	mustExec(t, db, "INSERT INTO identity VALUES ('kept')")
	now := time.Now().UnixMilli()
	for id, at := range map[int]int64{1: now, 300_000: now, 400_000: now - 3_600_000, 400_001: now} {
		if _, err := db.Exec("INSERT INTO events VALUES (?, ?, 'x', 'ended', 'COMPLETED', '')", id, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	q := reopenQueue(t, path)
	sample(t, q, 1)
	same(t, "counted of the latest 200,000 events", total(t, q).Completed, 3)
}
