package jobs_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"jobrunner/jobs"
)

// first chooses the first job of pendingJob's type that may start.
func first(next jobs.NextFunc) ([]jobs.Start, error) {
	found, err := next(map[string]int{"train": 1}, 1)
	var starts []jobs.Start
	for _, j := range found {
		starts = append(starts, jobs.Start{ID: j.ID, Attempt: j.Attempt, Instance: "supervisor", Slots: map[string][]string{"gpu": {"0"}}})
	}
	return starts, err
}

func completed() jobs.Ending {
	code := 0
	return jobs.Ending{State: jobs.Completed, Reason: "exit 0", ExitCode: &code}
}

// A job ends, start and all, and the one that waited for it begins at once.
func TestTurn(t *testing.T) {
	q, _ := openQueue(t)
	j, after := pendingJob(), pendingJob()
	begin(t, q, j)
	_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: after, Waits: []jobs.Wait{{On: j.ID}}}}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Millisecond)
	info := jobs.StartInfo{Process: jobs.ProcessID{PID: 42, Start: "77", Boot: "b"}, Command: []string{"python3", "train.py"},
		Log: "logs/x.log", At: at, Limits: "nice 5", RunAs: "ann", Script: "changed"}
	changed, begun, err := q.Turn(bg, []jobs.Finish{{ID: j.ID, Attempt: 1, Start: &info, Ending: completed()}}, first)
	if err != nil || !changed[0] || len(begun) != 1 || begun[0].ID != after.ID {
		t.Fatalf("changed %v, begun %v, %v", changed, begun, err)
	}
	if got := readJob(t, q, after.ID); !reflect.DeepEqual(begun[0], got) {
		t.Errorf("it was begun as\n%+v\nand is\n%+v", begun[0], got)
	}
	got, err := q.Detail(bg, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the ended job", []any{got.State, got.Reason, *got.ExitCode, got.PID, got.Command, got.Log, got.StartedAt, got.Limits, got.RunAs, got.ScriptNoted},
		[]any{jobs.Completed, "exit 0", 0, 0, info.Command, info.Log, at, info.Limits, info.RunAs, info.Script})
	same(t, "its attempt", []any{len(got.Past), got.Past[0].StartedAt, got.Past[0].Log}, []any{1, at, info.Log})
	same(t, "its events", kinds(t, q, j.ID), []string{"accepted", "starting", "started", "ended"})
}

// What comes late changes nothing, and keeps nothing else from being done.
func TestTurnLate(t *testing.T) {
	q, _ := openQueue(t)
	over, runs := pendingJob(), pendingJob()
	begin(t, q, over)
	begin(t, q, runs)
	if ok, err := q.End(bg, over.ID, 1, completed()); !ok || err != nil {
		t.Fatal(ok, err)
	}
	late := jobs.Ending{State: jobs.Lost, Reason: "supervisor was killed"}
	info := &jobs.StartInfo{Process: jobs.ProcessID{PID: 7}}
	none := func(jobs.NextFunc) ([]jobs.Start, error) { return nil, nil }
	changed, begun, err := q.Turn(bg, []jobs.Finish{
		{ID: over.ID, Attempt: 1, Start: info, Ending: late},
		{ID: runs.ID, Attempt: 2, Start: info, Ending: late},
		{ID: runs.ID, Attempt: 1, Ending: completed()},
	}, none)
	if err != nil || len(begun) > 0 {
		t.Fatal(begun, err)
	}
	same(t, "changed", changed, []bool{false, false, true})
	for _, id := range []string{over.ID, runs.ID} {
		if got := readJob(t, q, id); got.State != jobs.Completed || got.PID != 0 {
			t.Errorf("it is %s %q, pid %d", got.State, got.Reason, got.PID)
		}
	}
}

// A turn is done as a whole or not at all.
func TestTurnFails(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.Retries = 1
	begin(t, q, j)
	accept(t, q, pendingJob())
	broken := errors.New("broken")
	ends := []jobs.Finish{{ID: j.ID, Attempt: 1, Ending: completed()}}
	_, begun, err := q.Turn(bg, ends, func(next jobs.NextFunc) ([]jobs.Start, error) {
		if _, err := first(next); err != nil {
			t.Error(err)
		}
		return nil, broken
	})
	if !errors.Is(err, broken) || begun != nil {
		t.Errorf("begun %v, %v", begun, err)
	}
	if _, _, err := q.Turn(bg, []jobs.Finish{{ID: j.ID, Attempt: 1, Ending: jobs.Ending{State: jobs.Running}}}, first); err == nil {
		t.Error("a run ended as RUNNING")
	}
	if got := readJob(t, q, j.ID); got.State != jobs.Running {
		t.Errorf("it is %s", got.State)
	}
	// It was accepted before the other one, so its next attempt takes its place.
	ends[0].Ending = jobs.Ending{State: jobs.Failed, Reason: "exit 1", RetryAt: time.Now()}
	changed, begun, err := q.Turn(bg, ends, first)
	if err != nil || !changed[0] || len(begun) != 1 || begun[0].ID != j.ID || begun[0].Attempt != 2 {
		t.Errorf("changed %v, begun %v, %v", changed, begun, err)
	}
}

// The start that comes with an end is noted once, whether the attempt is the last or
// not, and also if it was noted before.
func TestTurnNotesStart(t *testing.T) {
	none := func(jobs.NextFunc) ([]jobs.Start, error) { return nil, nil }
	failed := jobs.Ending{State: jobs.Failed, Reason: "exit 1", RetryAt: time.Now()}
	for name, c := range map[string]struct {
		noted bool
		end   jobs.Ending
		last  string
	}{
		"noted before":           {true, completed(), "ended"},
		"to be tried again":      {false, failed, "again"},
		"both":                   {true, failed, "again"},
		"the first and the last": {false, completed(), "ended"},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			j := pendingJob()
			j.Retries = 1
			begin(t, q, j)
			info := jobs.StartInfo{Process: jobs.ProcessID{PID: 42, Start: "77", Boot: "b"}, Log: "logs/x.log",
				At: time.Now().UTC().Truncate(time.Millisecond)}
			if c.noted {
				if ok, err := q.Started(bg, j.ID, 1, info); !ok || err != nil {
					t.Fatal(ok, err)
				}
			}
			changed, _, err := q.Turn(bg, []jobs.Finish{{ID: j.ID, Attempt: 1, Start: &info, Ending: c.end}}, none)
			if err != nil || !changed[0] {
				t.Fatal(changed, err)
			}
			same(t, "its events", kinds(t, q, j.ID), []string{"accepted", "starting", "started", c.last})
			got, err := q.Detail(bg, j.ID)
			if err != nil || len(got.Past) != 1 {
				t.Fatalf("%d attempts, %v", len(got.Past), err)
			}
			past := got.Past[0]
			same(t, "its attempt", []any{past.State, past.StartedAt, past.Log}, []any{c.end.State, info.At, info.Log})
		})
	}
}

// kinds are the kinds of a job's events, in their order.
func kinds(t *testing.T, q *jobs.Queue, id string) []string {
	t.Helper()
	events, err := q.Events(bg, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range events {
		if e.Job == id {
			found = append(found, e.Kind)
		}
	}
	return found
}
