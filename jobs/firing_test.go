package jobs_test

import (
	"errors"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestSchedules(t *testing.T) {
	q, path := openQueue(t)
	due := time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
	next := due.Add(24 * time.Hour)
	nightly := jobs.ScheduleState{Name: "nightly", Spec: "0 2 * * *", NextAt: due}
	hourly := jobs.ScheduleState{Name: "hourly", Spec: "1h", NextAt: due, LastAt: due.Add(-time.Hour), Jobs: []string{"a", "b"}}
	for _, s := range []jobs.ScheduleState{nightly, hourly} {
		if err := q.PutSchedule(bg, s); err != nil {
			t.Fatal(err)
		}
	}
	j := pendingJob()
	fire := func(f jobs.Firing, entries ...jobs.Entry) []jobs.Outcome {
		t.Helper()
		out, err := q.Accept(bg, jobs.Intake{Firing: &f, Entries: entries})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := jobs.Firing{Name: "nightly", Due: due, Next: next}
	same(t, "fired", fire(first, asks(j))[0].Job.ID, j.ID)
	nightly.NextAt, nightly.LastAt, nightly.Jobs = next, due, []string{j.ID}

	// Whoever comes late, or twice, makes nothing.
	event, _ := q.LastEvent(bg)
	late := pendingJob()
	for _, f := range []jobs.Firing{first, {Name: "unknown", Due: due, Next: next}, {Name: "nightly", Due: next.Add(1e9)}} {
		if out := fire(f, asks(late)); out != nil {
			t.Errorf("%+v gave %+v", f, out)
		}
	}
	if _, err := q.Job(bg, late.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("its job: %v, want ErrNotFound", err)
	}
	if last, _ := q.LastEvent(bg); last != event {
		t.Errorf("event %d came, last was %d", last, event)
	}

	// A time that is left out leaves the jobs before it standing.
	if out := fire(jobs.Firing{Name: "nightly", Due: next, Next: next.Add(time.Hour), Skip: "the run before has not ended"}); out == nil || len(out) != 0 {
		t.Errorf("a time left out gave %#v, want no outcomes", out)
	}
	nightly.NextAt = next.Add(time.Hour)
	events := eventsAfter(t, q, event, jobs.EventSchedule)
	if len(events) != 1 || events[0].Reason != "nightly: the run before has not ended" || events[0].Job != "" {
		t.Errorf("events %+v", events)
	}

	// What is refused takes the schedule nowhere, so that nothing is lost.
	third := jobs.Firing{Name: "nightly", Due: nightly.NextAt, Next: next.Add(48 * time.Hour)}
	var refusal *jobs.RefusedError
	if _, err := q.Accept(bg, jobs.Intake{Firing: &third, Entries: []jobs.Entry{asks(late, "00000000")}}); !errors.As(err, &refusal) {
		t.Errorf("got %v, want a *RefusedError", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = reopenQueue(t, path)
	states, err := q.Schedules(bg)
	same(t, "states", []any{states, err}, []any{[]jobs.ScheduleState{hourly, nightly}, nil})

	for range 2 {
		if err := q.DropSchedule(bg, "hourly"); err != nil {
			t.Fatal(err)
		}
	}
	states, err = q.Schedules(bg)
	same(t, "dropped", []any{len(states), err}, []any{1, nil})
}
