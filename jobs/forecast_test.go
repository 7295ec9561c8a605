package jobs_test

import (
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"jobrunner/jobs"
)

// ran adds ended jobs of a type that took so long.
func ran(t testing.TB, q *jobs.Queue, path, name string, took ...time.Duration) {
	t.Helper()
	for _, d := range took {
		j := jobOf(name)
		j.State = jobs.Completed
		accept(t, q, j)
		edit(t, path, "UPDATE jobs SET started_at = 1000000, finished_at = 1000000 + ? WHERE id = ?", d.Milliseconds(), j.ID)
	}
}

// since takes a job to RUNNING as though it had begun so long ago.
func since(t testing.TB, q *jobs.Queue, path, name string, ago time.Duration) *jobs.Job {
	t.Helper()
	j := begin(t, q, jobOf(name))
	edit(t, path, "UPDATE jobs SET started_at = ? WHERE id = ?", time.Now().Add(-ago).UnixMilli(), j.ID)
	return j
}

// foretold gives the forecast of a job in words, with the time in minutes.
func foretold(t testing.TB, q *jobs.Queue, j *jobs.Job) string {
	t.Helper()
	now := time.Now()
	f, err := q.Forecast(bg, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if f.StartAt.IsZero() {
		return fmt.Sprintf("%d ahead; %s", f.Ahead, f.Basis)
	}
	return fmt.Sprintf("%d ahead, in %d min; %s", f.Ahead, int(f.StartAt.Sub(now).Round(time.Minute).Minutes()), f.Basis)
}

func TestForecast(t *testing.T) {
	q, path := openQueue(t)
	q.SetCatalog(&jobs.Catalog{MaxConcurrent: 2, Slots: gpus, Types: map[string]*jobs.Type{
		"train": {Name: "train", Slots: map[string]int{"gpu": 2}}, "b": {Name: "b", MaxConcurrent: 1},
		"three": {Name: "three", Slots: map[string]int{"gpu": 3}}, "new": {Name: "new"},
		"short": {Name: "short", Timeout: 2 * time.Minute}}})
	ran(t, q, path, "train", 30*time.Minute, 10*time.Minute, 20*time.Minute)
	ran(t, q, path, "b", time.Minute)
	ran(t, q, path, "short", time.Hour)
	train, b, b2, low, three, high := jobOf("train"), jobOf("b"), jobOf("b"), jobOf("train"), jobOf("three"), jobOf("b")
	low.Priority, high.Priority = -5, 5
	accept(t, q, low, train, b, b2, three)
	same(t, "room for it", foretold(t, q, train), "0 ahead, in 0 min; there is room for it")
	same(t, "its type's limit", foretold(t, q, b2), "2 ahead, in 1 min; median run times: b 1m0s (1 run)")
	same(t, "its slot", foretold(t, q, low), "3 ahead, in 20 min; median run times: b 1m0s (1 run), train 20m0s (3 runs)")
	same(t, "too few tokens", foretold(t, q, three), "3 ahead; slot gpu: 3 needed, 2 configured")

	running := since(t, q, path, "train", 12*time.Minute)
	edit(t, path, `UPDATE jobs SET slots = '{"gpu":["0"]}' WHERE id = ?`, running.ID)
	same(t, "what runs is older than some", foretold(t, q, train), "0 ahead, in 8 min; median run times: train 20m0s (3 runs)")
	edit(t, path, "UPDATE jobs SET started_at = ? WHERE id = ?", time.Now().Add(-100*time.Minute).UnixMilli(), running.ID)
	same(t, "what runs is older than all", foretold(t, q, train), "0 ahead, in 10 min; median run times: train 20m0s (3 runs)")
	edit(t, path, "UPDATE jobs SET end_reason = 'cancel' WHERE id = ?", running.ID)
	same(t, "what runs is being ended", foretold(t, q, train), "0 ahead, in 0 min; median run times: train 20m0s (3 runs)")
	edit(t, path, "DELETE FROM jobs WHERE id = ?", running.ID)

	since(t, q, path, "short", time.Minute)
	since(t, q, path, "new", time.Minute)
	same(t, "a time limit", foretold(t, q, train), "0 ahead, in 1 min; median run times: short 1h0m0s (1 run)")
	edit(t, path, "DELETE FROM jobs WHERE type = 'short'")
	since(t, q, path, "new", time.Minute)
	same(t, "types that have not run", foretold(t, q, train), "0 ahead; how long jobs run is not known yet of new")
}

func TestForecastOfJobsThatCannotStartYet(t *testing.T) {
	q, path := openQueue(t)
	j, other := pendingJob(), jobOf("b")
	accept(t, q, other, j)
	same(t, "no catalog", foretold(t, q, j), "0 ahead; the configuration is not known")
	q.SetCatalog(limits(3))
	due := time.Now().Add(time.Hour).Truncate(time.Second)
	set := func(change string) string { return "UPDATE jobs SET " + change + " WHERE id = '" + j.ID + "'" }
	for _, c := range []struct{ change, undo, want string }{
		{set("hold = 1"), set("hold = 0"), "1 ahead; held"},
		{set("doubt = 1"), set("doubt = 0"), "1 ahead; its line is missing from the queue file: waits until that is decided"},
		{set("type = 'x'"), set("type = 'train'"), `1 ahead; type "x" is not configured`},
		{"INSERT INTO pauses VALUES ('train', 1)", "DELETE FROM pauses", "1 ahead; paused: type train"},
		{"INSERT INTO pauses VALUES ('', 1)", "DELETE FROM pauses", "1 ahead; paused"},
		{"INSERT INTO pauses VALUES ('b', 1)", "DELETE FROM pauses", "0 ahead, in 0 min; there is room for it"},
		{"INSERT INTO meta VALUES ('drain', '1')", "DELETE FROM meta", "1 ahead; draining"},
		{set(fmt.Sprintf("due = %d", due.UnixMilli())), set("due = 0"),
			"1 ahead, in 60 min; not before " + due.UTC().Format(time.RFC3339)},
		{"UPDATE jobs SET hold = 1 WHERE id = '" + other.ID + "'", "", "0 ahead, in 0 min; there is room for it"},
	} {
		edit(t, path, c.change)
		same(t, c.change, foretold(t, q, j), c.want)
		if c.undo != "" {
			edit(t, path, c.undo)
		}
	}
	wait(t, path, j, other.ID)
	same(t, "a dependency", foretold(t, q, j), "0 ahead; after "+other.ID[:8])
	for _, id := range []string{begin(t, q, pendingJob()).ID, "3f2a91c0-0000-4000-8000-000000000000"} {
		if _, err := q.Forecast(bg, id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("of %s: got error %v, want ErrNotFound", id, err)
		}
	}
}

func TestForecastIsBounded(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	q.SetCatalog(limits(3))
	for range 10 {
		var list []*jobs.Job
		for range 1000 {
			list = append(list, jobOf("b"))
		}
		accept(t, q, list...)
	}
	last, over := pendingJob(), pendingJob()
	accept(t, q, last, over)
	ran(t, q, path, "b", time.Minute)
	ran(t, q, path, "train", time.Minute)
	got := foretold(t, q, last)
	if !regexp.MustCompile(`^10000 ahead, in 3333 min; median run times: b 1m0s`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	same(t, "one more", foretold(t, q, over), "10001 ahead; more than 10000 jobs come before it")
}

func BenchmarkForecast(b *testing.B) {
	q, path := openQueue(b)
	q.SetCatalog(limits(4))
	list := fill(b, q, 100_000)
	ran(b, q, path, "train", time.Minute)
	for _, n := range []int{0, 60_000} {
		j := list[n] // by its priority, 85,714 and 51,428 come before it
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := q.Forecast(bg, j.ID); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
