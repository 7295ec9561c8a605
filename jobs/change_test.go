package jobs_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
)

// changes gives the changes after an event, each as a line of what a client
// sees, without what is not kept of the past.
func changes(t testing.TB, q *jobs.Queue, after int64) (lines []string, last int64) {
	t.Helper()
	c, err := q.Changes(bg, after, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range c.List {
		lines = append(lines, fmt.Sprint(one.Event.ID, " ", view(t, one.Job)))
	}
	return lines, c.Last
}

func view(t testing.TB, j *jobs.Job) string {
	t.Helper()
	seen := *j
	seen.PID = 0
	seen.Log = regexp.MustCompile(`\.\d+\.log$`).ReplaceAllString(seen.Log, ".log") // as its file is called now
	if seen.State == jobs.Pending && seen.Reason != "held" {
		seen.Reason = ""
	}
	text, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whoever follows a job sees it as it is, and whoever comes later sees it as it
// was.
func TestChangesOfALife(t *testing.T) {
	synctest.Test(t, testChangesOfALife) // each step at a time of its own
}

func testChangesOfALife(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.Retries, j.SubmittedAt = 1, time.Now()
	var seen []string
	var last int64
	step := func(what string, changed int, do func()) {
		t.Helper()
		time.Sleep(time.Second)
		do()
		lines, now := changes(t, q, last)
		if len(lines) != changed {
			t.Fatalf("%s: %d changes, want %d: %q", what, len(lines), changed, lines)
		}
		if changed > 0 {
			want := fmt.Sprint(now, " ", view(t, readJob(t, q, j.ID)))
			same(t, what, lines[changed-1], want)
		}
		seen, last = append(seen, lines...), now
	}
	must := mustChange(t)
	begin := func() { start(t, q, j.ID) }
	started := func(attempt int) func() {
		return func() {
			must(q.Started(bg, j.ID, attempt, jobs.StartInfo{Process: jobs.ProcessID{PID: 7}, Log: "logs/" + j.ID + ".log", Command: []string{"x"}}))
		}
	}
	code := 3
	failed := jobs.Ending{State: jobs.Failed, Reason: "exit 3", ExitCode: &code}
	again := failed
	again.RetryAt = time.Now()
	do := func(a jobs.Action) func() { return func() { execute(t, q, a, j.ID) } }

	step("accepted", 1, func() { accept(t, q, j) })
	step("held", 1, do(jobs.Hold))
	step("held again", 0, do(jobs.Hold))
	step("released", 1, do(jobs.Release))
	step("released again", 0, do(jobs.Release))
	step("in doubt", 1, func() { _ = q.SetDoubt(bg, []string{j.ID}, true) })
	step("settled", 1, func() { _ = q.SetDoubt(bg, []string{j.ID}, false) })
	step("begun", 1, begin)
	step("returned", 1, func() { must(q.Unbegin(bg, j.ID, 1)) })
	step("begun again", 1, begin)
	step("started", 1, started(1))
	step("to be tried again", 1, func() { must(q.End(bg, j.ID, 1, again)) })
	step("second begun", 1, begin)
	step("second started", 1, started(2))
	step("second failed", 1, func() { must(q.End(bg, j.ID, 2, failed)) })
	step("nothing to cancel", 0, do(jobs.Cancel))
	step("a hook", 0, func() { _ = q.NoteHook(bg, j.ID, "failed") })
	step("retried", 1, do(jobs.Retry))
	step("cancelled while it waits", 1, do(jobs.Cancel))
	step("retried again", 1, do(jobs.Retry))
	step("fourth begun", 1, begin)
	step("fourth started", 1, started(4))
	step("being cancelled", 1, do(jobs.Cancel))
	step("cancelled", 1, func() {
		must(q.End(bg, j.ID, 4, jobs.Ending{State: jobs.Cancelled, Reason: "cancelled by request", Signal: "SIGTERM"}))
	})
	late, _ := changes(t, q, 0)
	if len(late) != len(seen) {
		t.Fatalf("%d changes when looked at later, %d before", len(late), len(seen))
	}
	for n := range late {
		same(t, "when looked at later", late[n], seen[n])
	}
}

// Pieces are told one after the other, and what is between is told once.
func TestChangesInPieces(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	for range 7 {
		runOnce(t, q, accept(t, q, pendingJob())[0].ID, jobs.Ending{State: jobs.Completed, Reason: "exit 0"})
	}
	whole, end := changes(t, q, 0)
	var pieces []string
	for last := int64(0); ; {
		c, err := q.Changes(bg, last, 3)
		if err != nil {
			t.Fatal(err)
		}
		if c.Gone {
			t.Errorf("after %d something is said to be gone", last)
		}
		if c.Last == last {
			same(t, "the end", last, end)
			break
		}
		for _, one := range c.List {
			pieces = append(pieces, fmt.Sprint(one.Event.ID, " ", view(t, one.Job)))
		}
		last = c.Last
	}
	if !slices.Equal(pieces, whole) {
		t.Errorf("in pieces:\n%q\nas a whole:\n%q", pieces, whole)
	}
}

func TestChangesOfPrunedJobs(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	stays := accept(t, q, pendingJob())[0]
	endedAgo(t, q, path, jobs.Completed, time.Hour, nil)
	soon := time.Now().Add(time.Second)
	pruned(t, q, jobs.PruneOptions{Now: soon})
	if lines, _ := changes(t, q, 0); len(lines) != 1 { // its events are still there
		t.Errorf("changes %q, want that of %s alone", lines, stays.ID)
	}
	before, err := q.LastEvent(bg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.PruneEvents(bg, 0, 1000, soon, soon); err != nil {
		t.Fatal(err)
	}
	same(t, "the last event", fmt.Sprint(q.LastEvent(bg)), fmt.Sprint(before, nil))
	execute(t, q, jobs.Hold, stays.ID)
	c, err := q.Changes(bg, 0, 1000)
	if err != nil || len(c.List) != 2 || !c.Gone || c.Last != before+1 {
		t.Errorf("after pruning: %+v, %v", c, err)
	}
	if c, err := q.Changes(bg, before, 1000); err != nil || c.Gone || len(c.List) != 1 {
		t.Errorf("from then on: %+v, %v", c, err)
	}
}
