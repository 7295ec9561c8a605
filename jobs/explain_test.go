package jobs_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// edit changes the database behind a queue's back, to bring about what else
// would take a long story.
func edit(t testing.TB, path, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA busy_timeout = 10000"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

func jobOf(name string) *jobs.Job {
	j := pendingJob()
	j.Type, j.Name = name, name
	return j
}

// wait makes j wait for others, in that order.
func wait(t testing.TB, path string, j *jobs.Job, on ...string) {
	t.Helper()
	edit(t, path, "UPDATE jobs SET unmet = ?, after_ok = ? WHERE id = ?",
		len(on), `["`+strings.Join(on, `","`)+`"]`, j.ID)
	for _, id := range on {
		edit(t, path, "INSERT INTO dependencies VALUES (?, ?, 0)", id, j.ID)
	}
}

// The first reason that applies is given: each line takes one away.
func TestReasonsComeInOrder(t *testing.T) {
	q, path := openQueue(t)
	q.SetCatalog(&jobs.Catalog{MaxConcurrent: 2, Slots: gpus, Types: map[string]*jobs.Type{
		"train": {Name: "train", MaxConcurrent: 1, Slots: map[string]int{"gpu": 2}}, "b": {Name: "b"}}})
	train, b := begin(t, q, pendingJob()), begin(t, q, jobOf("b"))
	edit(t, path, `UPDATE jobs SET slots = '{"gpu":["0"]}' WHERE id = ?`, train.ID)
	j := pendingJob()
	accept(t, q, j)
	wait(t, path, j, "3f2a91c0-0000-4000-8000-000000000000")
	due := time.Date(2126, 12, 1, 3, 0, 0, 123e6, time.FixedZone("", 3600))
	edit(t, path, "UPDATE jobs SET type = 'x', doubt = 1, hold = 1, due = ? WHERE id = ?", due.UnixMilli(), j.ID)
	edit(t, path, "INSERT INTO pauses VALUES ('', 1), ('train', 1)")
	set := func(change string) string { return "UPDATE jobs SET " + change + " WHERE id = '" + j.ID + "'" }
	for _, c := range []struct{ change, want string }{
		{set("type = 'x'"), `type "x" is not configured`},
		{set("type = 'train'"), "its line is missing from the queue file: waits until that is decided"},
		{set("doubt = 0"), "held"},
		{set("hold = 0"), "paused"},
		{"DELETE FROM pauses WHERE type = ''", "paused: type train"},
		{"DELETE FROM pauses", "after 3f2a91c0"},
		{set("unmet = 0"), "not before 2126-12-01T02:00:00Z"},
		{set("due = 1000"), "slot gpu: 1 of 2 taken, 2 needed"},
		{"UPDATE jobs SET slots = ''", "type limit: train 1 of 1 running"},
		{set("type = 'b'"), "limit: 2 of 2 running"},
		{"UPDATE jobs SET state = 'COMPLETED' WHERE id = '" + b.ID + "'", ""},
	} {
		edit(t, path, c.change)
		same(t, c.change, readJob(t, q, j.ID).Reason, c.want)
	}
}

func TestReasonsWithoutACatalog(t *testing.T) {
	q, path := openQueue(t)
	j := pendingJob()
	accept(t, q, j)
	same(t, "nothing known", readJob(t, q, j.ID).Reason, "")
	edit(t, path, "INSERT INTO pauses VALUES ('train', 1)")
	same(t, "paused", readJob(t, q, j.ID).Reason, "paused: type train")
}

func TestReasonOfARetry(t *testing.T) {
	q, path := openQueue(t)
	j := pendingJob()
	accept(t, q, j)
	edit(t, path, "UPDATE jobs SET attempt = 3, retries = 3, retried = 2, due = ?", time.Now().Add(30*time.Second).UnixMilli())
	got := readJob(t, q, j.ID).Reason
	if !regexp.MustCompile(`^retry 2 of 3 in (30|2\d)s$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	edit(t, path, "UPDATE jobs SET due = ?", time.Now().Add(90*time.Minute).UnixMilli())
	got = readJob(t, q, j.ID).Reason
	if !regexp.MustCompile(`^retry 2 of 3 in 1h(30m0|29m5\d)s$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
}

// Names stand in the order of the request, not in that of the ids.
func TestReasonNamesWhatAJobWaitsFor(t *testing.T) {
	q, path := openQueue(t)
	var ids []string
	for i := range 30 {
		ids = append(ids, fmt.Sprintf("%08x%s", 100-i, uuid.NewString()[8:]))
	}
	for n, want := range map[int]string{
		1:  "after 00000064",
		2:  "after 00000064, 00000063",
		3:  "after 00000064, 00000063, 00000062",
		4:  "after 00000064, 00000063, 00000062, and 1 more",
		10: "after 00000064, 00000063, 00000062, and 7 more",
	} {
		j := pendingJob()
		accept(t, q, j)
		wait(t, path, j, ids[:n]...)
		same(t, fmt.Sprint(n), readJob(t, q, j.ID).Reason, want)
	}
	many := pendingJob()
	accept(t, q, many)
	wait(t, path, many, ids...)
	if got := readJob(t, q, many.ID).Reason; !regexp.MustCompile(`^after (000000\w\w, ){3}and 27 more$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	found, err := q.List(bg, jobs.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range found {
		same(t, "in a list", j.Reason, readJob(t, q, j.ID).Reason)
	}
}

func TestReasonOfSlots(t *testing.T) {
	q, path := openQueue(t)
	catalog := &jobs.Catalog{MaxConcurrent: 3, Slots: gpus, Types: map[string]*jobs.Type{
		"one": {Name: "one", Slots: map[string]int{"gpu": 1}}, "two": {Name: "two", Slots: map[string]int{"gpu": 2}},
		"three": {Name: "three", Slots: map[string]int{"gpu": 3}}, "b": {Name: "b"},
		"few": {Name: "few", Slots: map[string]int{"gpu": 2}, MaxConcurrent: 1}}}
	q.SetCatalog(catalog)
	running := begin(t, q, jobOf("few"))
	edit(t, path, `UPDATE jobs SET slots = '{"gpu":["1"]}' WHERE id = ?`, running.ID)
	early, three, two, one, b, few := jobOf("one"), jobOf("three"), jobOf("two"), jobOf("one"), jobOf("b"), jobOf("few")
	early.Priority, few.Priority = 5, 9
	accept(t, q, few, three, two, one, b, early)
	reason := func(j *jobs.Job) string { return readJob(t, q, j.ID).Reason }
	const impossible = "slot gpu: 3 needed, 2 configured"
	kept := "slot gpu: kept for " + two.ID[:8]
	same(t, "one is free", []string{reason(early), reason(three), reason(two), reason(one), reason(b)},
		[]string{"", impossible, "slot gpu: 1 of 2 taken, 2 needed", kept, ""})
	same(t, "its type's limit keeps it, so nothing is kept for it", reason(few), "slot gpu: 1 of 2 taken, 2 needed")
	edit(t, path, "INSERT INTO pauses VALUES ('two', 1)")
	same(t, "nothing is kept for a type that is paused", []string{reason(two), reason(one)}, []string{"paused: type two", ""})
	edit(t, path, "DELETE FROM pauses")
	edit(t, path, `UPDATE jobs SET slots = '{"gpu":["1","0"]}' WHERE id = ?`, running.ID)
	const taken = "slot gpu: 2 of 2 taken"
	same(t, "all are taken", []string{reason(early), reason(three), reason(two), reason(one), reason(b)},
		[]string{taken, impossible, taken, taken, ""})
}

// A job is found by every part of its reason, and by nothing else.
func TestSearchFindsReasons(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	q.SetCatalog(&jobs.Catalog{MaxConcurrent: 1, Slots: gpus, Types: map[string]*jobs.Type{
		"train": {Name: "train", MaxConcurrent: 1}, "b": {Name: "b"},
		"three": {Name: "three", Slots: map[string]int{"gpu": 3}}, "p": {Name: "p"}}})
	begin(t, q, pendingJob())
	edit(t, path, "INSERT INTO pauses VALUES ('p', 1)")
	var all []*jobs.Job
	add := func(name, change string) *jobs.Job {
		j := jobOf(name)
		j.ID = fmt.Sprintf("ffffffff-ffff-4fff-8fff-%012d", len(all))
		all = append(all, accept(t, q, j)[0])
		if change != "" {
			edit(t, path, "UPDATE jobs SET "+change+" WHERE id = ?", j.ID)
		}
		return j
	}
	add("gone", "")
	add("b", "doubt = 1")
	add("b", "hold = 1")
	add("p", "")
	add("b", "due = 4951000000000")
	add("b", fmt.Sprintf("retries = 4, retried = 3, due = %d", time.Now().Add(1000*time.Hour).UnixMilli()))
	add("three", "")
	add("train", "")
	add("b", "")
	wait(t, path, add("b", ""), "3f2a91c0-0000-4000-8000-000000000000")
	wait(t, path, add("b", ""), "9b1c22d0-1", "9b1c22d1-2", "9b1c22d2-3", "4", "5")
	for _, j := range all {
		reason := readJob(t, q, j.ID).Reason
		if reason == "" {
			t.Fatalf("%s has no reason", j.ID)
		}
		if i := strings.Index(reason, " in "); strings.HasPrefix(reason, "retry") {
			reason = reason[:i+4] // what follows changes while this runs
		}
		for from := range reason {
			for _, n := range []int{1, 3, 6, 14} {
				checkSearch(t, q, reason[from:min(from+n, len(reason))], j.ID)
			}
		}
	}
	checkSearch(t, q, "after 4", "")
	checkSearch(t, q, "3f2a91c1", "")
	checkSearch(t, q, "deadbeef", "")
	checkSearch(t, q, "not before 2127", "")
}

// checkSearch looks for a text as one word. It must find that job, "" for none.
func checkSearch(t *testing.T, q *jobs.Queue, word, id string) {
	t.Helper()
	if strings.TrimSpace(word) == "" || strings.Contains(word, `"`) {
		return // that cannot be asked for
	}
	found, err := q.List(bg, jobs.Filter{Query: `"` + word + `"`})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range found {
		if j.ID == id {
			return
		}
	}
	if id != "" || len(found) > 0 {
		t.Errorf("%q found %d jobs, want %q among them", word, len(found), id)
	}
}

func BenchmarkSearchReasons(b *testing.B) {
	q, path := openQueue(b)
	q.SetCatalog(limits(1))
	fill(b, q, 100_000)
	edit(b, path, "UPDATE jobs SET unmet = 1, after_ok = '[\"3f2a91c0-0000-4000-8000-000000000000\"]'")
	edit(b, path, "INSERT INTO dependencies SELECT '3f2a91c0-0000-4000-8000-000000000000', id, 0 FROM jobs")
	for _, word := range []string{"after", "nowhere", "deadbeef", "more"} {
		b.Run(word, func(b *testing.B) {
			for b.Loop() {
				if _, err := q.List(bg, jobs.Filter{Query: word}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
