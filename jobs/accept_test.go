package jobs_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

func TestAcceptKnownID(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*jobs.Job)
		line    bool
		warning string
	}{
		{"the same", func(*jobs.Job) {}, false, ""},
		{"other args", func(j *jobs.Job) { j.Args = []string{"2"} }, false, "is known already, with other args"},
		{"other type", func(j *jobs.Job) { j.Type, j.Target = "b", "c" }, true, "is known already, with other type, target"},
		{"other labels", func(j *jobs.Job) { j.Labels = map[string]string{"a": "b"} }, false,
			"is known already, with other labels"},
		{"a line, which bears no labels", func(j *jobs.Job) { j.Labels = map[string]string{"a": "b"} }, true, ""},
		{"a bad request", func(j *jobs.Job) { j.State, j.Reason = jobs.Rejected, "a.yaml:1: bad" }, false,
			"is known already; what came now is bad: a.yaml:1: bad"},
		{"history", func(j *jobs.Job) { j.State = jobs.Completed }, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, _ := openQueue(t)
			first := accept(t, q, pendingJob())[0]
			again := *first
			c.change(&again)
			e := jobs.Entry{Job: &again}
			if c.line {
				e.Taken = &jobs.Taken{Generation: "g"}
			}
			out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{e}})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "job", *out[0].Job, *first)
			same(t, "known", out[0].Known, true)
			want := c.warning
			if want != "" {
				want = "id " + first.ID[:8] + " " + want
			}
			same(t, "warning", out[0].Warning, want)
			same(t, "stored", *readJob(t, q, first.ID), *first)
		})
	}
}

func TestAcceptOverRejected(t *testing.T) {
	for _, c := range []struct {
		name     string
		state    jobs.State
		reason   string
		replaces bool
	}{
		{"a good request", jobs.Pending, "", true},
		{"a bad one for another reason", jobs.Rejected, "worse", true},
		{"a bad one for the same reason", jobs.Rejected, "bad", false},
		{"history", jobs.Completed, "", false},
		{"rejected history", jobs.Rejected, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, _ := openQueue(t)
			old := pendingJob()
			old.State, old.Reason = jobs.Rejected, "bad"
			old = accept(t, q, old)[0]
			again := *old
			again.State, again.Reason = c.state, c.reason
			out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: &again}}})
			if err != nil {
				t.Fatal(err)
			}
			same(t, "known", out[0].Known, !c.replaces)
			got := readJob(t, q, old.ID)
			if c.replaces {
				same(t, "state, reason", []any{got.State, got.Reason}, []any{c.state, c.reason})
				if got.Seq <= old.Seq {
					t.Errorf("Seq is %d, the old one was %d", got.Seq, old.Seq)
				}
			} else {
				same(t, "job", *got, *old)
			}
			stats, err := q.Stats(bg)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "counter", stats.States[got.State], 1)
		})
	}
}

func TestAcceptSameIDTwice(t *testing.T) {
	q, _ := openQueue(t)
	one, two := pendingJob(), pendingJob()
	two.ID, two.Args = one.ID, nil
	out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: one}, {Job: two}}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "known", []bool{out[0].Known, out[1].Known}, []bool{false, true})
	same(t, "warning", out[1].Warning, "id "+one.ID[:8]+" is known already, with other args")
}

func TestAcceptHistory(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.State, j.Reason, j.Doubt = jobs.Lost, "was RUNNING when jobrunner first saw it", true
	got := accept(t, q, j)[0]
	same(t, "stored", *readJob(t, q, j.ID), *got)
	same(t, "state, reason, doubt", []any{got.State, got.Reason, got.Doubt}, []any{jobs.Lost, j.Reason, false})
	same(t, "finished is not known", got.FinishedAt, time.Time{})
	if next, err := q.Next(bg, map[string]int{"train": 1}, 1); err != nil || len(next) != 0 {
		t.Errorf("Next gave %v, %v", next, err)
	}
}

func TestAcceptRefusesWhatNoTakerMakes(t *testing.T) {
	q, _ := openQueue(t)
	running, upper, none := pendingJob(), pendingJob(), pendingJob()
	running.State, upper.ID, none.ID = jobs.Running, strings.ToUpper(upper.ID), ""
	upper.ID = "ABC" + upper.ID[3:]
	for _, e := range []jobs.Entry{{}, {Job: running}, {Job: upper}, {Job: none},
		{Job: pendingJob(), Command: &jobs.Command{}}} {
		good := pendingJob()
		if _, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: good}, e}}); err == nil {
			t.Errorf("took %+v", e)
		}
		if _, err := q.Job(bg, good.ID); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("the entry beside it: %v, want ErrNotFound", err)
		}
	}
}

// A taker that crashed between the commit and its own note of it comes again.
func TestReceiptIsTakenOnce(t *testing.T) {
	q, path := openQueue(t)
	old := begin(t, q, pendingJob())
	known, added := *old, pendingJob()
	known.Args, known.State = nil, jobs.Pending
	intake := func() jobs.Intake {
		one, two := known, *added
		return jobs.Intake{Receipt: &jobs.Receipt{ID: "claim", Name: "a.yaml"},
			Entries: []jobs.Entry{{Job: &one}, {Job: &two}}}
	}
	in := intake()
	if _, err := q.Accept(bg, in); err != nil {
		t.Fatal(err)
	}
	want := *in.Receipt
	same(t, "jobs", want.Jobs, []string{old.ID, added.ID})
	same(t, "warning", want.Warning, "id "+old.ID[:8]+" is known already, with other args")
	if want.TakenAt.IsZero() {
		t.Error("TakenAt is not filled in")
	}
	events, err := q.LastEvent(bg)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = reopenQueue(t, path)
	again := intake()
	out, err := q.Accept(bg, again)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "receipt", *again.Receipt, want)
	same(t, "ids", []string{out[0].Job.ID, out[1].Job.ID}, want.Jobs)
	if got, _ := q.LastEvent(bg); got != events {
		t.Errorf("last event is %d, was %d", got, events)
	}
	stored, err := q.Receipt(bg, "a.yaml")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stored", *stored, want)
}

func TestReceiptOfCommand(t *testing.T) {
	q, _ := openQueue(t)
	j := accept(t, q, pendingJob())[0]
	in := func() jobs.Intake {
		return jobs.Intake{Receipt: &jobs.Receipt{ID: "claim", Name: "cancel.yaml"}, Entries: []jobs.Entry{
			{Command: &jobs.Command{At: jobs.Position{File: "cancel.yaml", Line: 1}, Action: jobs.Cancel, IDs: []string{j.ID[:8]}}}}}
	}
	first := in()
	if _, err := q.Accept(bg, first); err != nil {
		t.Fatal(err)
	}
	r := first.Receipt
	same(t, "receipt", []any{r.Jobs, r.State, r.Reason, r.Command.Action},
		[]any{[]string{j.ID}, jobs.Completed, j.ID[:8] + " cancelled", jobs.Cancel})
	stored, err := q.ReceiptByID(bg, "claim")
	if err != nil {
		t.Fatal(err)
	}
	same(t, "command", *stored.Command, *r.Command)
	again := in()
	out, err := q.Accept(bg, again)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "again", []any{out[0].Jobs, out[0].State, out[0].Reason}, []any{r.Jobs, r.State, r.Reason})
}

func TestReceiptsOfNewestName(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	for _, r := range []jobs.Receipt{{ID: "1", Name: "a.yaml"}, {ID: "2", Name: "b.yaml"}, {ID: "3", Name: "a.yaml"}} {
		if _, err := q.Accept(bg, jobs.Intake{Receipt: &r, Entries: []jobs.Entry{{Job: j}}}); err != nil {
			t.Fatal(err)
		}
	}
	ids := func() (list []string) {
		found, err := q.ReceiptsOf(bg, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range found {
			list = append(list, r.ID)
		}
		return list
	}
	same(t, "receipts", ids(), []string{"2", "3"})
	other := jobs.Receipt{ID: "4", Name: "b.yaml"}
	if _, err := q.Accept(bg, jobs.Intake{Receipt: &other, Entries: []jobs.Entry{{Job: pendingJob()}}}); err != nil {
		t.Fatal(err)
	}
	same(t, "receipts", ids(), []string{"3"})
	if r, err := q.ReceiptByID(bg, "1"); err != nil || r.Name != "a.yaml" {
		t.Errorf("an older receipt: %v, %v", r, err)
	}
	if _, err := q.Receipt(bg, "c.yaml"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestAcceptLinesWithMark(t *testing.T) {
	q, _ := openQueue(t)
	j := accept(t, q, pendingJob())[0]
	same2, added := *j, pendingJob()
	mark := jobs.Mark{Generation: "g", Offset: 300}
	in := jobs.Intake{Mark: &mark, Entries: []jobs.Entry{
		{Job: &same2, Taken: &jobs.Taken{Generation: "g", Offset: 0, Length: 100, Hash: 1 << 63}},
		{Job: added, Taken: &jobs.Taken{Generation: "g", Offset: 100, Length: 100, Hash: 2}},
		{Command: &jobs.Command{Action: jobs.Cancel, IDs: []string{"00000000"}},
			Taken: &jobs.Taken{Generation: "g", Offset: 200, Length: 100, Hash: 3}},
	}}
	if _, err := q.Accept(bg, in); err != nil {
		t.Fatal(err)
	}
	want := []jobs.Taken{
		{Generation: "g", Offset: 0, Length: 100, Hash: 1 << 63, Job: j.ID},
		{Generation: "g", Offset: 100, Length: 100, Hash: 2, Job: added.ID},
		{Generation: "g", Offset: 200, Length: 100, Hash: 3},
	}
	same(t, "filled in", []jobs.Taken{*in.Entries[0].Taken, *in.Entries[1].Taken, *in.Entries[2].Taken}, want)
	got, taken, err := q.Mark(bg)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mark", got, mark)
	same(t, "taken", taken, want)

	mark.Offset = 400
	if _, err := q.Accept(bg, jobs.Intake{Mark: &mark}); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := q.Mark(bg); got != mark {
		t.Errorf("an intake without entries left the mark at %+v", got)
	}

	want = []jobs.Taken{want[1], {Generation: "h", Offset: 0, Length: 5, Hash: 9, Job: uuid.Nil.String()}}
	want[0].GoneAt = time.Now().UnixMilli()
	mark.Generation = "h"
	if err := q.SetMark(bg, mark, want); err != nil {
		t.Fatal(err)
	}
	got, taken, err = q.Mark(bg)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mark", got, mark)
	same(t, "taken", taken, want)
}
