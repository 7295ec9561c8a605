package jobs_test

import (
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

func TestLifeOfAJob(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	begun := begin(t, q, j)
	node, _ := os.Hostname()
	same(t, "begun", []any{begun.State, begun.Instance, begun.StartedAt.IsZero(), begun.Node},
		[]any{jobs.Running, "supervisor", false, node})

	at := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	process := jobs.ProcessID{PID: 42, Start: "77", Boot: "b"}
	info := jobs.StartInfo{Process: process, Command: []string{"python3", "train.py"}, Log: "logs/x.log", At: at}
	if ok, err := q.Started(bg, j.ID, 1, info); !ok || err != nil {
		t.Fatal(ok, err)
	}
	got := readJob(t, q, j.ID)
	same(t, "started", []any{got.PID, got.Process, got.Command, got.Log, got.StartedAt},
		[]any{42, process, info.Command, info.Log, at})

	if ok, err := q.AskEnd(bg, j.ID, 1, jobs.EndTimeout); !ok || err != nil {
		t.Fatal(ok, err)
	}
	got = readJob(t, q, j.ID)
	same(t, "asked", []any{got.State, got.EndReason, got.Reason},
		[]any{jobs.Running, jobs.EndTimeout, "being ended: time limit"})

	code := 0
	end := jobs.Ending{State: jobs.Timeout, Reason: "timeout 2h0m0s", ExitCode: &code, FinishedAt: at.Add(time.Second)}
	if ok, err := q.End(bg, j.ID, 1, end); !ok || err != nil {
		t.Fatal(ok, err)
	}
	got = readJob(t, q, j.ID)
	same(t, "ended", []any{got.State, got.Reason, *got.ExitCode, got.FinishedAt, got.EndReason, got.PID, got.Process, got.Log},
		[]any{jobs.Timeout, end.Reason, 0, end.FinishedAt, "", 0, jobs.ProcessID{}, info.Log})

	events, err := q.Events(bg, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var life []string
	for _, e := range events {
		same(t, "event's job", e.Job, j.ID)
		life = append(life, e.Kind+" "+string(e.State)+" "+e.Reason)
	}
	same(t, "events", life, []string{"accepted PENDING ", "starting RUNNING ", "started RUNNING ",
		"ending RUNNING being ended: time limit", "ended TIMEOUT timeout 2h0m0s"})
	last, err := q.LastEvent(bg)
	if err != nil || last != events[len(events)-1].ID {
		t.Errorf("LastEvent gave %d, %v", last, err)
	}
}

// A message that comes late or twice changes nothing, whatever it is.
func TestLateMessages(t *testing.T) {
	t.Parallel()
	process := jobs.StartInfo{Process: jobs.ProcessID{PID: 7}}
	messages := map[string]func(q *jobs.Queue, id string, attempt int) (bool, error){
		"begin": func(q *jobs.Queue, id string, attempt int) (bool, error) {
			begun, err := q.Begin(bg, []jobs.Start{{ID: id, Attempt: attempt, Instance: "late"}})
			return len(begun) > 0, err
		},
		"started": func(q *jobs.Queue, id string, attempt int) (bool, error) {
			return q.Started(bg, id, attempt, process)
		},
		"unbegin": func(q *jobs.Queue, id string, attempt int) (bool, error) { return q.Unbegin(bg, id, attempt) },
		"end": func(q *jobs.Queue, id string, attempt int) (bool, error) {
			return q.End(bg, id, attempt, jobs.Ending{State: jobs.Lost})
		},
		"ask": func(q *jobs.Queue, id string, attempt int) (bool, error) {
			return q.AskEnd(bg, id, attempt, jobs.EndCancel)
		},
	}
	situations := map[string]struct {
		reach   func(t *testing.T, q *jobs.Queue, j *jobs.Job)
		attempt int
		may     []string // what does apply then
	}{
		"unknown": {func(*testing.T, *jobs.Queue, *jobs.Job) {}, 1, nil},
		"pending": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { accept(t, q, j) }, 1, []string{"begin"}},
		"pending in doubt": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			j.Doubt = true
			accept(t, q, j)
		}, 1, nil},
		"running": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { begin(t, q, j) }, 1,
			[]string{"started", "unbegin", "end", "ask"}},
		"running, process known, being ended": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			begin(t, q, j)
			mustChange(t)(q.Started(bg, j.ID, 1, process))
			mustChange(t)(q.AskEnd(bg, j.ID, 1, jobs.EndTimeout))
		}, 1, []string{"unbegin", "end"}},
		"running, older attempt": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { begin(t, q, j) }, 0, nil},
		"ended": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			begin(t, q, j)
			mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Failed}))
		}, 1, nil},
		"retried and running": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			begin(t, q, j)
			mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Failed}))
			if _, err := q.Execute(bg, jobs.Command{Action: jobs.Retry, IDs: []string{j.ID}}); err != nil {
				t.Fatal(err)
			}
			mustChange(t)(messages["begin"](q, j.ID, 2))
		}, 1, nil},
	}
	for name, s := range situations {
		for what, message := range messages {
			t.Run(name+"/"+what, func(t *testing.T) {
				q, _ := openQueue(t)
				j := pendingJob()
				s.reach(t, q, j)
				before, _ := q.Job(bg, j.ID)
				event, _ := q.LastEvent(bg)
				ok, err := message(q, j.ID, s.attempt)
				if err != nil {
					t.Fatal(err)
				}
				var want bool
				for _, m := range s.may {
					want = want || m == what
				}
				if ok != want {
					t.Fatalf("changed: %v, want %v", ok, want)
				}
				if again, err := message(q, j.ID, s.attempt); again || err != nil {
					t.Errorf("the second time: changed %v, error %v", again, err)
				}
				if want {
					return
				}
				after, _ := q.Job(bg, j.ID)
				if before != nil {
					same(t, "job", *after, *before)
				}
				if got, _ := q.LastEvent(bg); got != event {
					t.Errorf("event %d came, last was %d", got, event)
				}
			})
		}
	}
}

func mustChange(t *testing.T) func(bool, error) {
	return func(ok bool, err error) {
		t.Helper()
		if !ok || err != nil {
			t.Fatal("changed:", ok, "error:", err)
		}
	}
}

func TestUnbegin(t *testing.T) {
	q, _ := openQueue(t)
	j, cancelled := pendingJob(), pendingJob()
	begin(t, q, j)
	mustChange(t)(q.Unbegin(bg, j.ID, 1))
	got := readJob(t, q, j.ID)
	same(t, "returned", []any{got.State, got.Instance, got.StartedAt.IsZero(), got.Attempt, got.Node},
		[]any{jobs.Pending, "", true, 1, ""})

	begin(t, q, cancelled)
	mustChange(t)(q.AskEnd(bg, cancelled.ID, 1, jobs.EndCancel))
	mustChange(t)(q.Unbegin(bg, cancelled.ID, 1))
	got = readJob(t, q, cancelled.ID)
	same(t, "cancelled meanwhile", []any{got.State, got.Reason, got.EndReason}, []any{jobs.Cancelled, "cancelled by request", ""})
}

func TestEndRefusesStatesThatAreNone(t *testing.T) {
	q, _ := openQueue(t)
	j := begin(t, q, pendingJob())
	for _, s := range []jobs.State{jobs.Pending, jobs.Running, jobs.Rejected, "DONE", ""} {
		if _, err := q.End(bg, j.ID, 1, jobs.Ending{State: s}); err == nil {
			t.Errorf("ended as %q", s)
		}
	}
	same(t, "state", readJob(t, q, j.ID).State, jobs.Running)
}

// Of many that want the same job, one gets it.
func TestBeginOnce(t *testing.T) {
	q, _ := openQueue(t)
	var list []*jobs.Job
	for range 50 {
		list = append(list, pendingJob())
	}
	accept(t, q, list...)
	var mu sync.Mutex
	times := map[string]int{}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, j := range list {
				begun, err := q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: 1, Instance: uuid.NewString()}})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				times[j.ID] += len(begun)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for _, j := range list {
		if times[j.ID] != 1 {
			t.Errorf("job %s began %d times", j.ID, times[j.ID])
		}
	}
	stats, err := q.Stats(bg)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "counters", stats.Types, map[string]map[jobs.State]int{"train": {jobs.Running: 50}})
}

func TestCommands(t *testing.T) {
	one := 1
	ended := func(s jobs.State) func(*testing.T, *jobs.Queue, *jobs.Job) {
		return func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			begin(t, q, j)
			mustChange(t)(q.Started(bg, j.ID, 1, jobs.StartInfo{Process: jobs.ProcessID{PID: 9}, Command: []string{"a"}, Log: "l"}))
			mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: s, Reason: "why", ExitCode: &one, Signal: "SIGKILL"}))
		}
	}
	pending := func(t *testing.T, q *jobs.Queue, j *jobs.Job) { accept(t, q, j) }
	running := func(t *testing.T, q *jobs.Queue, j *jobs.Job) { begin(t, q, j) }
	ending := func(why jobs.EndReason) func(*testing.T, *jobs.Queue, *jobs.Job) {
		return func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			begin(t, q, j)
			mustChange(t)(q.AskEnd(bg, j.ID, 1, why))
		}
	}
	rejected := func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
		j.State, j.Reason = jobs.Rejected, "why"
		accept(t, q, j)
	}
	for name, c := range map[string]struct {
		action jobs.Action
		reach  func(*testing.T, *jobs.Queue, *jobs.Job)
		result jobs.State
		words  string // after the id
		state  jobs.State
		reason string
	}{
		"cancel pending":   {jobs.Cancel, pending, jobs.Completed, "cancelled", jobs.Cancelled, "cancelled by request"},
		"cancel running":   {jobs.Cancel, running, jobs.Completed, "is being cancelled", jobs.Running, "being cancelled"},
		"cancel twice":     {jobs.Cancel, ending(jobs.EndCancel), jobs.Completed, "is already being cancelled", jobs.Running, "being cancelled"},
		"cancel at limit":  {jobs.Cancel, ending(jobs.EndTimeout), jobs.Completed, "is already being ended: time limit", jobs.Running, "being ended: time limit"},
		"cancel cancelled": {jobs.Cancel, ended(jobs.Cancelled), jobs.Completed, "is already CANCELLED", jobs.Cancelled, "why"},
		"cancel completed": {jobs.Cancel, ended(jobs.Completed), jobs.Rejected, "is already COMPLETED", jobs.Completed, "why"},
		"cancel rejected":  {jobs.Cancel, rejected, jobs.Rejected, "is already REJECTED", jobs.Rejected, "why"},
		"retry failed":     {jobs.Retry, ended(jobs.Failed), jobs.Completed, "waits for attempt 2", jobs.Pending, ""},
		"retry cancelled":  {jobs.Retry, ended(jobs.Cancelled), jobs.Completed, "waits for attempt 2", jobs.Pending, ""},
		"retry timeout":    {jobs.Retry, ended(jobs.Timeout), jobs.Completed, "waits for attempt 2", jobs.Pending, ""},
		"retry lost":       {jobs.Retry, ended(jobs.Lost), jobs.Completed, "waits for attempt 2", jobs.Pending, ""},
		"retry completed":  {jobs.Retry, ended(jobs.Completed), jobs.Rejected, "is COMPLETED: there is nothing to retry", jobs.Completed, "why"},
		"retry pending":    {jobs.Retry, pending, jobs.Rejected, "is PENDING: only an ended job can be retried", jobs.Pending, ""},
		"retry running":    {jobs.Retry, running, jobs.Rejected, "is RUNNING: only an ended job can be retried", jobs.Running, ""},
		"retry rejected":   {jobs.Retry, rejected, jobs.Rejected, "is REJECTED: it was never accepted, so it cannot be retried", jobs.Rejected, "why"},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			j := pendingJob()
			c.reach(t, q, j)
			before := readJob(t, q, j.ID)
			out, err := q.Execute(bg, jobs.Command{Action: c.action, IDs: []string{j.ID[:8], j.ID}})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "outcome", out, jobs.Outcome{Jobs: []string{j.ID}, State: c.result, Reason: j.ID[:8] + " " + c.words})
			got := readJob(t, q, j.ID)
			same(t, "job", []any{got.State, got.Reason}, []any{c.state, c.reason})
			if c.action == jobs.Retry && c.result == jobs.Completed {
				want := *before
				want.State, want.Reason, want.Attempt = jobs.Pending, "", 2
				want.StartedAt, want.FinishedAt, want.ExitCode, want.Signal = time.Time{}, time.Time{}, nil, ""
				want.Node, want.Command, want.Log, want.Instance = "", nil, "", ""
				same(t, "retried", *got, want)
			}
			last, _ := q.LastEvent(bg)
			events, err := q.Events(bg, last-1, 1)
			if err != nil {
				t.Fatal(err)
			}
			e := events[0]
			same(t, "event", []any{e.Job, e.Kind, e.State, e.Reason}, []any{j.ID, c.action, c.state, out.Reason})
		})
	}
}

func TestCommandForSeveral(t *testing.T) {
	q, _ := openQueue(t)
	done, waiting, twin := begin(t, q, pendingJob()), pendingJob(), pendingJob()
	twin.ID = waiting.ID[:12] + twin.ID[12:]
	accept(t, q, waiting, twin)
	mustChange(t)(q.End(bg, done.ID, 1, jobs.Ending{State: jobs.Completed}))
	for _, c := range []struct{ id, reason string }{
		{waiting.ID[:12], `"` + waiting.ID[:12] + `" fits several jobs`},
		{"00000000", `no job "00000000" is known`},
		{waiting.ID[:7], `"` + waiting.ID[:7] + `" is too short: at least 8 letters of an id are needed`},
	} {
		out, err := q.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: []string{waiting.ID, c.id}})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "outcome", out, jobs.Outcome{State: jobs.Rejected, Reason: c.reason})
		same(t, "the other job", readJob(t, q, waiting.ID).State, jobs.Pending)
		last, _ := q.LastEvent(bg)
		events, err := q.Events(bg, last-1, 1)
		if err != nil || len(events) != 1 || events[0].Kind != jobs.EventCancel || events[0].Reason != c.reason {
			t.Errorf("events %+v, %v", events, err)
		}
	}
	out, err := q.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: []string{done.ID, waiting.ID}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "outcome", out, jobs.Outcome{Jobs: []string{done.ID, waiting.ID}, State: jobs.Completed,
		Reason: done.ID[:8] + " is already COMPLETED; " + waiting.ID[:8] + " cancelled"})
	if _, err := q.Job(bg, "no"); !errors.Is(err, jobs.ErrNotFound) {
		t.Error(err)
	}
}
