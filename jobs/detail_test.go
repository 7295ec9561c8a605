package jobs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// attempts words what Detail says of a job's attempts.
func attempts(t testing.TB, q *jobs.Queue, id string) (words []string) {
	t.Helper()
	j, err := q.Detail(bg, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range j.Past {
		log := "-"
		if a.Log != "" {
			log = a.Log[len("logs/"+id):]
		}
		words = append(words, fmt.Sprintf("%d %s %s %s", a.Attempt, a.State, a.Reason, log))
	}
	return words
}

func TestDetail(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.Retries = 1
	accept(t, q, j)
	same(t, "new", attempts(t, q, j.ID), []string(nil))
	again := jobs.Ending{State: jobs.Timeout, Reason: "timeout 1s", Signal: "SIGTERM", RetryAt: time.Now()}
	runOnce(t, q, j.ID, again)
	same(t, "waits: the log is not yet put aside", attempts(t, q, j.ID), []string{"1 TIMEOUT timeout 1s .log"})

	start(t, q, j.ID)
	same(t, "about to start", attempts(t, q, j.ID), []string{"1 TIMEOUT timeout 1s .log"})
	info := jobs.StartInfo{Process: jobs.ProcessID{PID: 9}, Log: "logs/" + j.ID + ".log"}
	mustChange(t)(q.Started(bg, j.ID, 2, info))
	same(t, "runs", attempts(t, q, j.ID), []string{"1 TIMEOUT timeout 1s .1.log"})
	seven := 7
	mustChange(t)(q.End(bg, j.ID, 2, jobs.Ending{State: jobs.Failed, Reason: "exit 7", ExitCode: &seven}))
	same(t, "ended", attempts(t, q, j.ID), []string{"1 TIMEOUT timeout 1s .1.log", "2 FAILED exit 7 .log"})

	// The third never runs, the fourth cannot be started, the fifth runs: only
	// that one puts the second's log aside, under the number before its own.
	execute(t, q, jobs.Retry, j.ID)
	execute(t, q, jobs.Cancel, j.ID)
	execute(t, q, jobs.Retry, j.ID)
	start(t, q, j.ID)
	mustChange(t)(q.End(bg, j.ID, 4, jobs.Ending{State: jobs.Failed, Reason: "start: no such program"}))
	same(t, "not started", attempts(t, q, j.ID), []string{"1 TIMEOUT timeout 1s .1.log", "2 FAILED exit 7 .log",
		"4 FAILED start: no such program -"})
	execute(t, q, jobs.Retry, j.ID)
	runOnce(t, q, j.ID, jobs.Ending{State: jobs.Completed, Reason: "exit 0", ExitCode: new(int)})
	same(t, "completed", attempts(t, q, j.ID), []string{"1 TIMEOUT timeout 1s .1.log", "2 FAILED exit 7 .4.log",
		"4 FAILED start: no such program -", "5 COMPLETED exit 0 .log"})

	got, err := q.Detail(bg, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	// Where the output of each is read, own name first: what a crash has already put
	// aside is not put aside once more. The third and the fourth have none, and not
	// that of the second.
	var places []string
	for n := 1; n <= 5; n++ {
		places = append(places, strings.ReplaceAll(strings.Join(got.LogNames(n), " "), "logs/"+j.ID, ""))
	}
	same(t, "log names", places, []string{".1.log .1.log", ".2.log .4.log", "", "", ".log"})
	last := got.Past[3]
	same(t, "the latest is as the job", []any{last.StartedAt, last.FinishedAt, *last.ExitCode}, []any{got.StartedAt, got.FinishedAt, *got.ExitCode})
	same(t, "exit and signal", []any{*got.Past[1].ExitCode, got.Past[0].ExitCode == nil, got.Past[0].Signal}, []any{7, true, "SIGTERM"})
	if _, err := q.Detail(bg, "no"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestHistoryHasNoAttempts(t *testing.T) {
	q, _ := openQueue(t)
	imported, cancelled := pendingJob(), pendingJob()
	imported.State, imported.Reason = jobs.Failed, "imported from job_queue.txt"
	accept(t, q, imported, cancelled)
	execute(t, q, jobs.Cancel, cancelled.ID)
	same(t, "imported", attempts(t, q, imported.ID), []string(nil))
	same(t, "never ran", attempts(t, q, cancelled.ID), []string(nil))
}

// Slots are kept with the attempt that had them, and gone with one that never ran.
func TestSlotsOfAttempts(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.Retries = 1
	accept(t, q, j)
	slots := map[string][]string{"gpu": {"0", "1"}, "licence": {"a b"}}
	begin := func(slots map[string][]string) *jobs.Job {
		t.Helper()
		begun, err := q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: readJob(t, q, j.ID).Attempt, Instance: "s", Slots: slots}})
		if err != nil || len(begun) != 1 {
			t.Fatal(len(begun), err)
		}
		return begun[0]
	}
	same(t, "begun", begin(slots).Slots, slots)
	running, err := q.Running(bg)
	if err != nil || len(running) != 1 {
		t.Fatal(len(running), err)
	}
	same(t, "running", running[0].Slots, slots)
	mustChange(t)(q.Unbegin(bg, j.ID, 1))
	same(t, "given back", len(readJob(t, q, j.ID).Slots), 0)

	begin(slots)
	mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Failed, RetryAt: time.Now()}))
	same(t, "waits again", len(readJob(t, q, j.ID).Slots), 0)
	other := map[string][]string{"gpu": {"1"}}
	begin(other)
	mustChange(t)(q.End(bg, j.ID, 2, jobs.Ending{State: jobs.Completed}))
	got, err := q.Detail(bg, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "ended", []any{got.Slots, got.Past[0].Slots, got.Past[1].Slots}, []any{other, slots, other})
}
