package jobs_test

import (
	"errors"
	"testing"

	"jobrunner/jobs"
)

func TestLines(t *testing.T) {
	q, _ := openQueue(t)
	list := accept(t, q, pendingJob(), pendingJob(), pendingJob(), pendingJob())
	ids := func(some []*jobs.Job, err error) (got []string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range some {
			got = append(got, j.ID)
		}
		return got
	}
	placed := func() []string {
		var some []*jobs.Job
		err := q.EachLine(bg, func(j *jobs.Job) error { some = append(some, j); return nil })
		return ids(some, err)
	}
	a, b, c, d := list[0].ID, list[1].ID, list[2].ID, list[3].ID
	same(t, "wanted", ids(q.LinesWanted(bg, 3)), []string{a, b, c})
	same(t, "placed", placed(), []string(nil))
	if err := q.PlaceLines(bg, []jobs.Placement{{ID: b, At: 20}, {ID: a, At: 30}, {ID: "no such job", At: 1}}); err != nil {
		t.Fatal(err)
	}
	same(t, "wanted", ids(q.LinesWanted(bg, 10)), []string{c, d})
	same(t, "placed", placed(), []string{a, b})
	same(t, "line at", readJob(t, q, a).LineAt, 30)
	for _, seq := range []int64{list[3].Seq, list[2].Seq} { // not by the place of another job
		if err := q.PlaceLines(bg, []jobs.Placement{{ID: c, Seq: seq, At: seq}}); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "line at", []int64{readJob(t, q, c).LineAt, readJob(t, q, d).LineAt}, []int64{list[2].Seq, 0})
	if err := q.PlaceLines(bg, []jobs.Placement{{ID: c, At: jobs.LineWanted}}); err != nil {
		t.Fatal(err)
	}

	removed, err := q.RemoveByLine(bg, []string{a, a, "no such job"}, "job_queue.txt")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "removed", removed, []string{a})
	got := readJob(t, q, a)
	same(t, "removed job", []any{got.State, got.Reason, got.LineAt, got.FinishedAt.IsZero()},
		[]any{jobs.Cancelled, "line removed from job_queue.txt", jobs.LineLeft, false})
	same(t, "placed", placed(), []string{b})

	// A retry brings the line back; a note that it left, which was on its way, does not take it.
	if _, err := q.Execute(bg, jobs.Command{Action: jobs.Retry, IDs: []string{a}}); err != nil {
		t.Fatal(err)
	}
	if err := q.PlaceLines(bg, []jobs.Placement{{ID: a, At: jobs.LineLeft}}); err != nil {
		t.Fatal(err)
	}
	same(t, "wanted", ids(q.LinesWanted(bg, 10)), []string{a, c, d})

	stop := errors.New("stop")
	if err := q.EachLine(bg, func(*jobs.Job) error { return stop }); err != stop {
		t.Errorf("EachLine gave %v, want the error of fn", err)
	}
}

func TestEachLineReadsAllPieces(t *testing.T) {
	q, _ := openQueue(t)
	var list []*jobs.Job
	for range 2500 {
		j := pendingJob()
		j.LineAt = 5
		list = append(list, j)
	}
	accept(t, q, list...)
	var n int
	err := q.EachLine(bg, func(j *jobs.Job) error {
		if j.ID != list[n].ID {
			t.Fatalf("line %d is of job %s, want %s", n, j.ID, list[n].ID)
		}
		n++
		return nil
	})
	if err != nil || n != len(list) {
		t.Errorf("walked %d lines, want %d (%v)", n, len(list), err)
	}
}

func TestDoubt(t *testing.T) {
	q, _ := openQueue(t)
	j, running := accept(t, q, pendingJob())[0], begin(t, q, pendingJob())
	next := func() int {
		t.Helper()
		found, err := q.Next(bg, map[string]int{"train": 5}, 5)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	before, _ := q.LastEvent(bg)
	for range 2 {
		if err := q.SetDoubt(bg, []string{j.ID, running.ID, "no such job"}, true); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "doubt", []bool{readJob(t, q, j.ID).Doubt, readJob(t, q, running.ID).Doubt}, []bool{true, false})
	same(t, "next", next(), 0)
	if err := q.SetDoubt(bg, []string{j.ID}, false); err != nil {
		t.Fatal(err)
	}
	same(t, "next", next(), 1)
	events, err := q.Events(bg, before, 0)
	if err != nil || len(events) != 2 {
		t.Errorf("%d events, want 2 (%v): %+v", len(events), err, events)
	}
}
