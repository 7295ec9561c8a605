package jobs_test

import (
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestPauseResumeDrain(t *testing.T) {
	q, path := openQueue(t)
	var running []*jobs.Job
	for range 2 {
		running = append(running, begin(t, q, pendingJob()))
	}
	none := map[string]bool{}
	train := map[string]bool{"train": true}
	for _, step := range []struct {
		action jobs.Action
		typ    string
		words  string
		want   jobs.Brakes
	}{
		{jobs.Resume, "", "was not paused", jobs.Brakes{Types: none}},
		{jobs.Pause, "", "paused", jobs.Brakes{All: true, Types: none}},
		{jobs.Pause, "", "was already paused", jobs.Brakes{All: true, Types: none}},
		{jobs.Resume, "", "resumed", jobs.Brakes{Types: none}},
		{jobs.Pause, "train", "paused type train", jobs.Brakes{Types: train}},
		{jobs.Pause, "train", "type train was already paused", jobs.Brakes{Types: train}},
		{jobs.Resume, "b", "type b was not paused", jobs.Brakes{Types: train}},
		{jobs.Resume, "", "was not paused; type train stays paused", jobs.Brakes{Types: train}},
		{jobs.Pause, "", "paused", jobs.Brakes{All: true, Types: train}},
		{jobs.Resume, "train", "resumed type train; all types are paused still", jobs.Brakes{All: true, Types: none}},
		{jobs.Drain, "", "draining: 2 jobs still run", jobs.Brakes{All: true, Types: none, Draining: true}},
		{jobs.Drain, "", "is already draining: 2 jobs still run", jobs.Brakes{All: true, Types: none, Draining: true}},
		{jobs.Resume, "", "resumed, no longer draining", jobs.Brakes{Types: none}},
		{jobs.Drain, "", "draining: 2 jobs still run", jobs.Brakes{Types: none, Draining: true}},
		{jobs.Pause, "b", "paused type b", jobs.Brakes{Types: map[string]bool{"b": true}, Draining: true}},
		{jobs.Pause, "train", "paused type train", jobs.Brakes{Types: map[string]bool{"b": true, "train": true}, Draining: true}},
		{jobs.Resume, "", "no longer draining; types b, train stay paused", jobs.Brakes{Types: map[string]bool{"b": true, "train": true}}},
		{jobs.Resume, "b", "resumed type b", jobs.Brakes{Types: train}},
	} {
		before, _ := q.LastEvent(bg)
		out, err := q.Execute(bg, jobs.Command{Action: step.action, Type: step.typ})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "outcome", out, jobs.Outcome{State: jobs.Completed, Reason: step.words})
		events := eventsAfter(t, q, before, string(step.action))
		if len(events) != 1 || events[0].Reason != step.words || events[0].Job != "" {
			t.Errorf("events %+v, want one that says %q", events, step.words)
		}
		if err := q.Close(); err != nil { // they survive a restart
			t.Fatal(err)
		}
		q = reopenQueue(t, path)
		got, err := q.Brakes(bg)
		same(t, "brakes after "+step.words, []any{got, err}, []any{step.want, nil})
	}
	for n, words := range []string{"draining: 2 jobs still run", "is already draining: 1 job still runs", "is already draining: no job runs"} {
		if n > 0 {
			mustChange(t)(q.End(bg, running[n-1].ID, 1, jobs.Ending{State: jobs.Completed}))
		}
		same(t, "words", execute(t, q, jobs.Drain).Reason, words)
	}
	for range 2 {
		if err := q.EndDrain(bg); err != nil {
			t.Fatal(err)
		}
	}
	got, err := q.Brakes(bg)
	same(t, "brakes at the end", []any{got, err}, []any{jobs.Brakes{Types: train}, nil})
}

// Whatever the scheduler saw before, nothing begins under a brake.
func TestBeginUnderBrakes(t *testing.T) {
	for name, c := range map[string]struct {
		command jobs.Command
		begun   int // of a job of train and one of b
	}{
		"none":         {jobs.Command{Action: jobs.Resume}, 2},
		"all":          {jobs.Command{Action: jobs.Pause}, 0},
		"its type":     {jobs.Command{Action: jobs.Pause, Type: "train"}, 1},
		"another type": {jobs.Command{Action: jobs.Pause, Type: "x"}, 2},
		"drain":        {jobs.Command{Action: jobs.Drain}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			j, b := pendingJob(), pendingJob()
			b.Type = "b"
			accept(t, q, j, b)
			if _, err := q.Execute(bg, c.command); err != nil {
				t.Fatal(err)
			}
			same(t, "begun", len(start(t, q, j.ID, b.ID)), c.begun)
		})
	}
}

func TestWake(t *testing.T) {
	q, _ := openQueue(t)
	now := time.Now()
	at := func(after time.Duration, priority int) *jobs.Job {
		j := pendingJob()
		j.NotBefore, j.Priority = now.Add(after), priority
		return j
	}
	past, soon, urgent, late, gone := at(-time.Hour, 0), at(time.Hour, 0), at(time.Hour, 5), at(2*time.Hour, 0), at(time.Hour, 0)
	accept(t, q, past, soon, urgent, late, gone)
	same(t, "due", []bool{readJob(t, q, past.ID).Due.IsZero(), readJob(t, q, soon.ID).Due.Equal(readJob(t, q, soon.ID).NotBefore)},
		[]bool{true, true})
	execute(t, q, jobs.Cancel, gone.ID)
	wake := func(now, want time.Time, events ...string) {
		t.Helper()
		before, _ := q.LastEvent(bg)
		next, err := q.Wake(bg, now)
		same(t, "next", []any{next, err}, []any{want, nil})
		var ids []string
		for _, e := range eventsAfter(t, q, before, jobs.EventDue) {
			ids = append(ids, e.Job)
		}
		same(t, "events", ids, events)
	}
	first, second := readJob(t, q, soon.ID).NotBefore, readJob(t, q, late.ID).NotBefore
	woken, stop := q.Changed()
	defer stop()
	told(woken) // of what was before
	wake(first.Add(-time.Millisecond), first)
	if told(woken) {
		t.Error("it wrote although nothing was due")
	}
	same(t, "begun early", len(start(t, q, soon.ID)), 0)
	wake(first, second, urgent.ID, soon.ID)
	got := readJob(t, q, soon.ID)
	same(t, "woken", []any{got.Due.IsZero(), got.NotBefore}, []any{true, first})
	same(t, "begun", len(start(t, q, soon.ID, late.ID)), 1)
	wake(second.Add(time.Hour), time.Time{}, late.ID)
	wake(second.Add(time.Hour), time.Time{})
	truth(t, q)
}

// The scheduler reads nothing of what waits for its time.
func TestNextLeavesOutWhatWaits(t *testing.T) {
	q, _ := openQueue(t)
	held, later, doubted, after, free := pendingJob(), pendingJob(), pendingJob(), pendingJob(), pendingJob()
	held.Hold, later.NotBefore, doubted.Doubt = true, time.Now().Add(time.Hour), true
	for n, j := range []*jobs.Job{held, later, doubted, after} {
		j.Priority = 10 - n
	}
	take(t, q, asks(held), asks(later), asks(doubted), asks(after, free.ID), asks(free))
	next, err := q.Next(bg, map[string]int{"train": 9}, 9)
	if err != nil || len(next) != 1 || next[0].ID != free.ID {
		t.Errorf("got %v, %v, want the free one alone", next, err)
	}
}
