package jobs_test

import (
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestRetryAfter(t *testing.T) {
	seven, one := 7, 1
	exit7 := jobs.Ending{State: jobs.Failed, Reason: "exit 7", ExitCode: &seven}
	exit1 := jobs.Ending{State: jobs.Failed, Reason: "exit 1", ExitCode: &one}
	killed := jobs.Ending{State: jobs.Failed, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL"}
	late := jobs.Ending{State: jobs.Timeout, Reason: "timeout 1s", Signal: "SIGTERM"}
	lost := jobs.Ending{State: jobs.Lost, Reason: "supervisor was killed"}
	done := jobs.Ending{State: jobs.Completed, ExitCode: new(int)}
	cancelled := jobs.Ending{State: jobs.Cancelled, Reason: "cancelled by request", ExitCode: &seven}
	never := jobs.Ending{State: jobs.Failed, Reason: "start: python3 not found in PATH"}
	all := []jobs.Ending{exit7, exit1, killed, late, lost, done, cancelled, never}
	for name, c := range map[string]struct {
		rules jobs.RetryRules
		again []jobs.Ending
	}{
		"nothing said": {jobs.RetryRules{}, []jobs.Ending{exit7, exit1, killed}},
		"failed":       {jobs.RetryRules{Failed: true}, []jobs.Ending{exit7, exit1, killed}},
		"codes":        {jobs.RetryRules{Codes: []int{7, 75}}, []jobs.Ending{exit7}},
		"signals":      {jobs.RetryRules{Signals: []string{"SIGKILL"}}, []jobs.Ending{killed}},
		"timeout":      {jobs.RetryRules{Timeout: true}, []jobs.Ending{late}},
		"lost":         {jobs.RetryRules{Lost: true}, []jobs.Ending{lost}},
		"all":          {jobs.RetryRules{Failed: true, Timeout: true, Lost: true}, []jobs.Ending{exit7, exit1, killed, late, lost}},
	} {
		t.Run(name, func(t *testing.T) {
			typ := &jobs.Type{RetryOn: c.rules}
			var again []jobs.Ending
			for _, e := range all {
				if _, ok := typ.RetryAfter(&jobs.Job{Retries: 1}, e); ok {
					again = append(again, e)
				}
			}
			same(t, "tried again", again, c.again)
		})
	}
	for name, j := range map[string]*jobs.Job{
		"no retries":      {},
		"all used":        {Retries: 2, Retried: 2},
		"being cancelled": {Retries: 2, EndReason: jobs.EndCancel},
	} {
		if _, ok := (&jobs.Type{}).RetryAfter(j, exit7); ok {
			t.Errorf("%s: it is tried again", name)
		}
	}
}

func TestRetryDelayGrows(t *testing.T) {
	seven := 7
	e := jobs.Ending{State: jobs.Failed, ExitCode: &seven}
	for _, c := range []struct {
		delay   time.Duration
		retried int
		want    time.Duration // at least, and at most a tenth more
	}{
		{5 * time.Second, 0, 5 * time.Second},
		{5 * time.Second, 1, 10 * time.Second},
		{5 * time.Second, 5, 160 * time.Second},
		{5 * time.Second, 10, time.Hour},
		{5 * time.Second, 100_000, time.Hour},
		{50 * time.Minute, 1, time.Hour},
		{3 * time.Hour, 4, 3 * time.Hour},
		{0, 3, 0},
	} {
		var differs bool
		var first time.Duration
		for n := range 100 {
			got, ok := (&jobs.Type{RetryDelay: c.delay}).RetryAfter(&jobs.Job{Retries: 1 << 30, Retried: c.retried}, e)
			if !ok || got < c.want || got > c.want+c.want/10 {
				t.Fatalf("delay %s, retried %d: got %s, want %s and at most a tenth more", c.delay, c.retried, got, c.want)
			}
			if n == 0 {
				first = got
			}
			differs = differs || got != first
		}
		if !differs && c.want > 0 {
			t.Errorf("delay %s: never by chance", c.delay)
		}
	}
}

// runOnce takes a PENDING job through an attempt.
func runOnce(t testing.TB, q *jobs.Queue, id string, e jobs.Ending) {
	t.Helper()
	begun := start(t, q, id)
	if len(begun) != 1 {
		t.Fatalf("job %s does not begin: %+v", id, readJob(t, q, id))
	}
	attempt := begun[0].Attempt
	info := jobs.StartInfo{Process: jobs.ProcessID{PID: 40 + attempt, Start: "1", Boot: "b"}, Command: []string{"a"},
		Log: "logs/" + id + ".log", Limits: "memory 1GiB by cgroup", Script: "abc"}
	if ok, err := q.Started(bg, id, attempt, info); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := q.End(bg, id, attempt, e); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestEndGoesBackForARetry(t *testing.T) {
	q, path := openQueue(t)
	seven, zero := 7, 0
	j := pendingJob()
	j.Retries, j.LineAt = 2, 5
	accept(t, q, j)
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	failed := jobs.Ending{State: jobs.Failed, Reason: "exit 7", ExitCode: &seven, RetryAt: at}
	before, _ := q.LastEvent(bg)
	runOnce(t, q, j.ID, failed)
	got := readJob(t, q, j.ID)
	want := *j
	want.Seq, want.SubmittedAt, want.Attempt, want.Retried, want.Due = got.Seq, got.SubmittedAt, 2, 1, at
	want.Reason = got.Reason // that of waiting, made when it is read
	same(t, "waits for its next attempt", *got, want)
	events := eventsAfter(t, q, before, jobs.EventAgain)
	if len(events) != 1 || events[0].Reason != "attempt 1 FAILED: exit 7" || events[0].State != jobs.Pending {
		t.Errorf("events %+v", events)
	}
	started := eventsAfter(t, q, before, jobs.EventStarted)
	if len(started) != 1 || started[0].Reason != "its script was changed after it was accepted" {
		t.Errorf("events %+v", started)
	}
	if ended := eventsAfter(t, q, before, jobs.EventEnded); len(ended) != 0 {
		t.Errorf("it is told to have ended: %+v", ended)
	}
	if ok, err := q.End(bg, j.ID, 1, failed); ok || err != nil {
		t.Errorf("the same end again: %v, %v", ok, err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = reopenQueue(t, path)
	if _, err := q.Wake(bg, at); err != nil {
		t.Fatal(err)
	}
	failed.RetryAt = time.Now().Add(-time.Second) // that has passed already
	runOnce(t, q, j.ID, failed)
	same(t, "due", readJob(t, q, j.ID).Due.IsZero(), true)
	runOnce(t, q, j.ID, failed)
	got = readJob(t, q, j.ID)
	same(t, "used up", []any{got.State, got.Reason, *got.ExitCode, got.Attempt, got.Retried, got.Limits, got.ScriptNoted},
		[]any{jobs.Failed, "exit 7", 7, 3, 2, "memory 1GiB by cgroup", "abc"})

	execute(t, q, jobs.Retry, j.ID)
	got = readJob(t, q, j.ID)
	same(t, "by hand it has all of them again", []any{got.State, got.Attempt, got.Retried, got.Limits, got.ScriptNoted},
		[]any{jobs.Pending, 4, 0, "", ""})
	runOnce(t, q, j.ID, failed)
	runOnce(t, q, j.ID, jobs.Ending{State: jobs.Completed, Reason: "exit 0", ExitCode: &zero, RetryAt: at})
	same(t, "the end", readJob(t, q, j.ID).State, jobs.Completed)
	truth(t, q)
	checkCounters(t, q)
}

// A RetryAt that cannot be honoured still ends the job.
func TestEndHonoursNoRetry(t *testing.T) {
	for name, c := range map[string]struct {
		retries int
		ask     jobs.EndReason
		state   jobs.State
		again   bool
	}{
		"no retries":          {0, "", jobs.Failed, false},
		"cancelled meanwhile": {3, jobs.EndCancel, jobs.Failed, false},
		"cancelled":           {3, jobs.EndCancel, jobs.Cancelled, false},
		"completed":           {3, "", jobs.Completed, false},
		"time limit":          {3, jobs.EndTimeout, jobs.Timeout, true},
		"lost":                {3, "", jobs.Lost, true},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			j := pendingJob()
			j.Retries = c.retries
			begin(t, q, j)
			if c.ask != "" {
				mustChange(t)(q.AskEnd(bg, j.ID, 1, c.ask))
			}
			mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: c.state, Reason: "why", RetryAt: time.Now().Add(time.Hour)}))
			got := readJob(t, q, j.ID)
			if c.again {
				same(t, "job", []any{got.State, got.Attempt, got.EndReason}, []any{jobs.Pending, 2, ""})
			} else {
				same(t, "job", []any{got.State, got.Reason, got.Attempt, got.Retried}, []any{c.state, "why", 1, 0})
			}
		})
	}
}

func TestWaitingForARetryCanBeCancelled(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.Retries = 3
	accept(t, q, j)
	runOnce(t, q, j.ID, jobs.Ending{State: jobs.Failed, RetryAt: time.Now().Add(time.Hour)})
	execute(t, q, jobs.Cancel, j.ID)
	got := readJob(t, q, j.ID)
	same(t, "job", []any{got.State, got.Due.IsZero()}, []any{jobs.Cancelled, true})
	if next, err := q.Wake(bg, time.Now()); err != nil || !next.IsZero() {
		t.Errorf("Wake gave %v, %v", next, err)
	}
}
