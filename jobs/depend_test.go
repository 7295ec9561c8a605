package jobs_test

import (
	"fmt"
	"testing"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

func execute(t testing.TB, q *jobs.Queue, action jobs.Action, ids ...string) jobs.Outcome {
	t.Helper()
	out, err := q.Execute(bg, jobs.Command{Action: action, IDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eventsAfter gives the events of one kind that came after the one of that id.
func eventsAfter(t testing.TB, q *jobs.Queue, after int64, kind string) (found []jobs.Event) {
	t.Helper()
	list, err := q.Events(bg, after, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// Whatever way a job ends, those that wait for it are told in the same change.
func TestEveryEndIsTold(t *testing.T) {
	end := func(s jobs.State) func(*testing.T, *jobs.Queue, *jobs.Job) {
		return func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			if n := len(start(t, q, j.ID)); n != 1 {
				t.Fatal("not begun")
			}
			mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: s, Reason: "why"}))
		}
	}
	for name, c := range map[string]struct {
		end   func(*testing.T, *jobs.Queue, *jobs.Job)
		state jobs.State
	}{
		"COMPLETED": {end(jobs.Completed), jobs.Completed},
		"FAILED":    {end(jobs.Failed), jobs.Failed},
		"CANCELLED": {end(jobs.Cancelled), jobs.Cancelled},
		"TIMEOUT":   {end(jobs.Timeout), jobs.Timeout},
		"LOST":      {end(jobs.Lost), jobs.Lost},
		"cancel": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			execute(t, q, jobs.Cancel, j.ID)
		}, jobs.Cancelled},
		"cancel while held": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			execute(t, q, jobs.Hold, j.ID)
			execute(t, q, jobs.Cancel, j.ID)
		}, jobs.Cancelled},
		"line removed": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			if _, err := q.RemoveByLine(bg, []string{j.ID}, "q.txt"); err != nil {
				t.Fatal(err)
			}
		}, jobs.Cancelled},
		"cancelled before it ran": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			start(t, q, j.ID)
			execute(t, q, jobs.Cancel, j.ID)
			mustChange(t)(q.Unbegin(bg, j.ID, 1))
		}, jobs.Cancelled},
		"replaced": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			other := pendingJob()
			other.UniqueKey = j.UniqueKey
			take(t, q, jobs.Entry{Job: other, Duplicate: jobs.DuplicateReplace})
		}, jobs.Cancelled},
		"its own dependency failed": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) {
			execute(t, q, jobs.Cancel, j.After[0])
		}, jobs.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			root, j, must, may, next, other := pendingJob(), pendingJob(), pendingJob(), pendingJob(), pendingJob(), pendingJob()
			j.UniqueKey = "nightly"
			on := asks(j)
			if name == "its own dependency failed" {
				on = asks(j, root.ID)
			}
			j = take(t, q, asks(root), on, asks(must, j.ID), asks(may, "any:"+j.ID), asks(next, must.ID, "any:"+root.ID),
				asks(other, root.ID, "any:"+j.ID))[1]
			execute(t, q, jobs.Hold, must.ID)
			if err := q.SetDoubt(bg, []string{must.ID}, true); err != nil {
				t.Fatal(err)
			}
			before, _ := q.LastEvent(bg)
			c.end(t, q, j)
			same(t, "its state", readJob(t, q, j.ID).State, c.state)
			got, last := readJob(t, q, must.ID), readJob(t, q, next.ID)
			ready := []string{may.ID}
			if c.state == jobs.Completed {
				same(t, "must", []any{got.State, got.Unmet, got.Hold}, []any{jobs.Pending, 0, true})
				same(t, "next", []any{last.State, last.Unmet}, []any{jobs.Pending, 2})
				ready = []string{must.ID, may.ID}
			} else {
				same(t, "must", []any{got.State, got.Reason, got.Unmet, got.Hold, got.Doubt, got.FinishedAt.IsZero()},
					[]any{jobs.Failed, "dependency " + j.ID[:8] + " " + string(c.state), 0, false, false, false})
				same(t, "next", []any{last.State, last.Reason}, []any{jobs.Failed, "dependency " + must.ID[:8] + " FAILED"})
			}
			got = readJob(t, q, may.ID)
			same(t, "may", []any{got.State, got.Unmet}, []any{jobs.Pending, 0})
			var told []string
			for _, e := range eventsAfter(t, q, before, jobs.EventReady) {
				told = append(told, e.Job)
			}
			same(t, "told to be ready", told, ready)
			truth(t, q)
			checkCounters(t, q)
		})
	}
}

// start begins PENDING jobs at their attempt.
func start(t testing.TB, q *jobs.Queue, ids ...string) []*jobs.Job {
	t.Helper()
	var starts []jobs.Start
	for _, id := range ids {
		starts = append(starts, jobs.Start{ID: id, Attempt: readJob(t, q, id).Attempt, Instance: "supervisor"})
	}
	begun, err := q.Begin(bg, starts)
	if err != nil {
		t.Fatal(err)
	}
	return begun
}

// An attempt that is followed by another is no end.
func TestRetriedDependencyIsAwaited(t *testing.T) {
	q, _ := openQueue(t)
	on, j := pendingJob(), pendingJob()
	on.Retries = 1
	take(t, q, asks(on), asks(j, on.ID))
	start(t, q, on.ID)
	failed := jobs.Ending{State: jobs.Failed, Reason: "exit 7", RetryAt: on.SubmittedAt}
	mustChange(t)(q.End(bg, on.ID, 1, failed))
	same(t, "waits on", []any{readJob(t, q, j.ID).State, readJob(t, q, j.ID).Unmet}, []any{jobs.Pending, 1})
	start(t, q, on.ID)
	mustChange(t)(q.End(bg, on.ID, 2, failed))
	same(t, "ended with it", readJob(t, q, j.ID).Reason, "dependency "+on.ID[:8]+" FAILED")
	truth(t, q)
}

// Jobs that go together are CANCELLED, not FAILED by each other.
func TestDependantsThatGoTogether(t *testing.T) {
	for name, end := range map[string]func(q *jobs.Queue, ids []string) error{
		"cancel": func(q *jobs.Queue, ids []string) error {
			_, err := q.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: ids})
			return err
		},
		"lines": func(q *jobs.Queue, ids []string) error {
			_, err := q.RemoveByLine(bg, ids, "q.txt")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			a, b, c := pendingJob(), pendingJob(), pendingJob()
			take(t, q, asks(a), asks(b, a.ID), asks(c, b.ID))
			if err := end(q, []string{a.ID, b.ID}); err != nil {
				t.Fatal(err)
			}
			same(t, "states", []jobs.State{readJob(t, q, a.ID).State, readJob(t, q, b.ID).State, readJob(t, q, c.ID).State},
				[]jobs.State{jobs.Cancelled, jobs.Cancelled, jobs.Failed})
			truth(t, q)
		})
	}
}

// Neither many that wait for one nor a long row of them costs more than time
// in proportion.
func TestManyDependants(t *testing.T) {
	t.Parallel()
	const n = 1000 // BenchmarkEndOfMany has more
	for name, after := range map[string]func(entries []jobs.Entry) string{
		"fan":   func(e []jobs.Entry) string { return e[0].Job.ID },
		"chain": func(e []jobs.Entry) string { return e[len(e)-1].Job.ID },
	} {
		for _, state := range []jobs.State{jobs.Failed, jobs.Completed} {
			t.Run(fmt.Sprint(name, " ", state), func(t *testing.T) {
				q, _ := openQueue(t)
				entries := []jobs.Entry{asks(pendingJob())}
				for len(entries) < n {
					entries = append(entries, asks(pendingJob(), after(entries)))
				}
				take(t, q, entries...)
				first := entries[0].Job.ID
				start(t, q, first)
				mustChange(t)(q.End(bg, first, 1, jobs.Ending{State: state}))
				stats, err := q.Stats(bg)
				if err != nil {
					t.Fatal(err)
				}
				failed, ready := n, 0
				if state == jobs.Completed {
					failed, ready = 0, 1
					if name == "fan" {
						ready = n - 1
					}
				}
				same(t, "failed", stats.States[jobs.Failed], failed)
				next, err := q.Next(bg, map[string]int{"train": n}, n)
				same(t, "ready", []any{len(next), err}, []any{ready, nil})
				truth(t, q)
			})
		}
	}
}

func TestRetryLooksAtDependenciesAgain(t *testing.T) {
	q, _ := openQueue(t)
	a, b, j, k := pendingJob(), pendingJob(), pendingJob(), pendingJob()
	take(t, q, asks(a), asks(b), asks(j, a.ID, "any:"+b.ID), asks(k, j.ID))
	start(t, q, a.ID)
	mustChange(t)(q.End(bg, a.ID, 1, jobs.Ending{State: jobs.Failed, Reason: "exit 7"}))
	same(t, "too early", execute(t, q, jobs.Retry, k.ID), jobs.Outcome{Jobs: []string{k.ID}, State: jobs.Rejected,
		Reason: k.ID[:8] + " is FAILED because dependency " + j.ID[:8] + " FAILED: retry that first"})

	out := execute(t, q, jobs.Retry, a.ID, j.ID, k.ID)
	same(t, "in order", []any{out.State, out.Reason}, []any{jobs.Completed, fmt.Sprintf(
		"%s waits for attempt 2; %s waits for attempt 2; %s waits for attempt 2", a.ID[:8], j.ID[:8], k.ID[:8])})
	same(t, "unmet", []int{readJob(t, q, j.ID).Unmet, readJob(t, q, k.ID).Unmet}, []int{2, 1})
	truth(t, q)
	for _, id := range []string{a.ID, b.ID, j.ID, k.ID} {
		if len(start(t, q, id)) != 1 {
			t.Fatalf("job %s does not start", id)
		}
		mustChange(t)(q.End(bg, id, readJob(t, q, id).Attempt, jobs.Ending{State: jobs.Completed}))
	}

	// A job that was cancelled, and its dependency has failed since.
	c, d := pendingJob(), pendingJob()
	take(t, q, asks(c), asks(d, c.ID))
	execute(t, q, jobs.Cancel, d.ID)
	execute(t, q, jobs.Cancel, c.ID)
	same(t, "cancelled", execute(t, q, jobs.Retry, d.ID).Reason,
		d.ID[:8]+" is CANCELLED, and dependency "+c.ID[:8]+" CANCELLED: retry that first")

	// One that was never accepted, until its id is used again.
	bad, e := pendingJob(), pendingJob()
	bad.State, bad.Reason = jobs.Rejected, "bad"
	take(t, q, asks(bad), asks(e, bad.ID))
	same(t, "rejected", execute(t, q, jobs.Retry, e.ID).Reason,
		e.ID[:8]+" is FAILED, and dependency "+bad.ID[:8]+" REJECTED: that was never accepted")
	bad.State = jobs.Pending
	take(t, q, asks(bad))
	same(t, "accepted now", execute(t, q, jobs.Retry, e.ID).State, jobs.Completed)
	same(t, "waits for it", readJob(t, q, e.ID).Unmet, 1)
	truth(t, q)
}

// A sweep is waited for as a whole.
func TestAfterASweep(t *testing.T) {
	q, _ := openQueue(t)
	sweep := uuid.NewString()
	one, two, j := member(sweep), member(sweep), pendingJob()
	take(t, q, asks(one), asks(two), asks(j, sweep))
	for _, m := range []*jobs.Job{one, two} {
		same(t, "begun early", len(start(t, q, j.ID)), 0)
		start(t, q, m.ID)
		mustChange(t)(q.End(bg, m.ID, 1, jobs.Ending{State: jobs.Completed}))
	}
	same(t, "begun", len(start(t, q, j.ID)), 1)
}
