package jobs_test

import (
	"fmt"
	"testing"
	"time"

	"jobrunner/jobs"
)

// outlook gives when jobs start, and when all is done, in minutes.
func outlook(t testing.TB, q *jobs.Queue, left map[string]time.Duration, list ...*jobs.Job) string {
	t.Helper()
	now := time.Now()
	for i, j := range list {
		list[i] = readJob(t, q, j.ID)
	}
	o, err := q.Outlook(bg, list, left)
	if err != nil {
		t.Fatal(err)
	}
	words := ""
	minutes := func(at time.Time) string {
		if at.IsZero() {
			return "?"
		}
		return fmt.Sprint(int(at.Sub(now).Round(time.Minute).Minutes()))
	}
	for _, j := range list {
		words += minutes(o.Starts[j.ID].StartAt) + " "
	}
	return words + "done " + minutes(o.Done)
}

func TestOutlook(t *testing.T) {
	q, path := openQueue(t)
	q.SetCatalog(&jobs.Catalog{MaxConcurrent: 2, Types: map[string]*jobs.Type{
		"train": {Name: "train", MaxConcurrent: 1}, "b": {Name: "b"}, "new": {Name: "new"}}})
	same(t, "nothing", outlook(t, q, nil), "done 0")
	ran(t, q, path, "train", 20*time.Minute)
	ran(t, q, path, "b", 5*time.Minute)
	running := since(t, q, path, "train", 8*time.Minute)
	first, second, short, held := jobOf("train"), jobOf("train"), jobOf("b"), jobOf("b")
	held.Hold, short.Priority = true, 5
	accept(t, q, first, second, short, held)
	same(t, "one after the other", outlook(t, q, nil, short, first, second, held), "0 12 32 ? done 52")
	same(t, "not all are asked about", outlook(t, q, nil, first), "12 done 52")
	same(t, "as the job says", outlook(t, q, map[string]time.Duration{running.ID: time.Hour}, short, first, second), "0 60 80 done 100")
	for i, j := range []*jobs.Job{short, first, second} { // each as it is foretold alone
		f, err := q.Forecast(bg, j.ID)
		o, err2 := q.Outlook(bg, []*jobs.Job{readJob(t, q, j.ID)}, nil)
		if d := f.StartAt.Sub(o.Starts[j.ID].StartAt).Abs(); err != nil || err2 != nil || d > time.Minute || f.Basis != o.Starts[j.ID].Basis {
			t.Errorf("job %d: Forecast says %+v, %v and Outlook %+v, %v", i, f, err, o.Starts[j.ID], err2)
		}
	}
	due := time.Now().Add(90 * time.Minute)
	edit(t, path, fmt.Sprintf("UPDATE jobs SET due = %d WHERE id = '%s'", due.UnixMilli(), first.ID))
	same(t, "its time is to come", outlook(t, q, nil, first, second), "90 12 done 32")
	edit(t, path, "UPDATE jobs SET due = 0")

	since(t, q, path, "new", time.Minute)
	edit(t, path, "UPDATE jobs SET state = 'COMPLETED' WHERE id = '"+running.ID+"'")
	fresh := jobOf("new")
	accept(t, q, fresh)
	same(t, "what runs may take for ever", outlook(t, q, nil, short, first, second, fresh), "0 5 25 45 done ?")
	o, err := q.Outlook(bg, nil, nil)
	if err != nil || len(o.Starts) != 0 {
		t.Errorf("of no jobs: %+v, %v", o, err)
	}
}

func TestOutlookIsBounded(t *testing.T) {
	q, path := openQueue(t)
	q.SetCatalog(limits(3))
	ran(t, q, path, "train", time.Minute)
	list := fill(t, q, 3)
	same(t, "a few", outlook(t, q, nil, list...), "2 1 0 done 3")
	fill(t, q, 600)
	next, err := q.ListActive(bg, 2)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "very many", outlook(t, q, nil, next...), "0 1 done ?")
}

func BenchmarkOutlook(b *testing.B) {
	q, path := openQueue(b)
	q.SetCatalog(limits(4))
	fill(b, q, 400)
	ran(b, q, path, "train", time.Minute)
	next, err := q.ListActive(bg, 10)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := q.Outlook(bg, next, nil); err != nil {
			b.Fatal(err)
		}
	}
}
