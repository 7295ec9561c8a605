package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// asks is a new job that waits for others, as an Entry: "id" for one that must
// have COMPLETED, "any:id" for one that must have ended.
func asks(j *jobs.Job, waits ...string) jobs.Entry {
	e := jobs.Entry{Job: j}
	for n, text := range waits {
		on, ended := strings.CutPrefix(text, "any:")
		e.Waits = append(e.Waits, jobs.Wait{On: on, Any: ended, At: jobs.Position{File: "a.yaml", Line: 3, Column: n + 1}})
	}
	return e
}

// take takes entries in and gives the jobs as they then are.
func take(t testing.TB, q *jobs.Queue, entries ...jobs.Entry) []*jobs.Job {
	t.Helper()
	out, err := q.Accept(bg, jobs.Intake{Entries: entries})
	if err != nil {
		t.Fatal(err)
	}
	var list []*jobs.Job
	for _, o := range out {
		list = append(list, o.Job)
	}
	return list
}

// refused takes entries in that are refused, and gives what is said of each.
func refused(t testing.TB, q *jobs.Queue, entries ...jobs.Entry) []string {
	t.Helper()
	before, _ := q.LastEvent(bg)
	_, err := q.Accept(bg, jobs.Intake{Receipt: &jobs.Receipt{ID: uuid.NewString(), Name: "a.yaml"}, Entries: entries})
	var refusal *jobs.RefusedError
	if !errors.As(err, &refusal) {
		t.Fatalf("Accept gave %v, want a *RefusedError", err)
	}
	var words []string
	for _, r := range refusal.Refusals {
		words = append(words, fmt.Sprintf("%d %s:%d:%d %s", r.Entry, r.Fault.File, r.Fault.Line, r.Fault.Column, r.Fault.Message))
	}
	if after, _ := q.LastEvent(bg); after != before {
		t.Errorf("a refused intake left events %d to %d", before+1, after)
	}
	if _, err := q.Receipt(bg, "a.yaml"); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("a refused intake left a receipt: %v", err)
	}
	return words
}

// truth fails if something does not hold that must of every queue.
func truth(t testing.TB, q *jobs.Queue) {
	t.Helper()
	untrue, err := q.Untrue(bg)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range untrue {
		t.Error(words)
	}
}

func member(sweep string) *jobs.Job {
	j := pendingJob()
	j.Group = sweep
	return j
}

func TestAcceptResolvesWaits(t *testing.T) {
	q, _ := openQueue(t)
	sweep := uuid.NewString()
	old, one, two := pendingJob(), member(sweep), member(sweep)
	accept(t, q, old, one, two)
	late := pendingJob() // stands behind those that wait for it
	a, b, c, d := pendingJob(), pendingJob(), pendingJob(), pendingJob()
	list := take(t, q, asks(a, old.ID[:8]), asks(b, strings.ToUpper(late.ID), "any:"+old.ID),
		asks(c, sweep[:9]), asks(d, old.ID, "any:"+old.ID, old.ID), asks(late))
	same(t, "after", [][]string{list[0].After, list[1].After, list[1].AfterAny, list[2].After, list[3].After, list[3].AfterAny},
		[][]string{{old.ID}, {late.ID}, {old.ID}, {one.ID, two.ID}, {old.ID}, {old.ID}})
	same(t, "unmet", []int{list[0].Unmet, list[1].Unmet, list[2].Unmet, list[3].Unmet, list[4].Unmet}, []int{1, 2, 2, 1, 0})
	for _, j := range list {
		got := readJob(t, q, j.ID)
		same(t, "stored", []any{got.After, got.AfterAny, got.Unmet}, []any{j.After, j.AfterAny, j.Unmet})
	}
	next, err := q.Next(bg, map[string]int{"train": 9}, 9)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, j := range next {
		ids = append(ids, j.ID)
	}
	same(t, "next", ids, []string{old.ID, one.ID, two.ID, late.ID})
	begun, err := q.Begin(bg, []jobs.Start{{ID: a.ID, Attempt: 1}})
	same(t, "begun before its time", []any{len(begun), err}, []any{0, nil})
	truth(t, q)
}

func TestAcceptRefusesWaits(t *testing.T) {
	q, _ := openQueue(t)
	old, twin := pendingJob(), pendingJob()
	twin.ID = old.ID[:12] + twin.ID[12:]
	sweepA, sweepB := "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
	accept(t, q, old, twin, member(sweepA), member(sweepB))
	self, other, third, good := pendingJob(), pendingJob(), pendingJob(), pendingJob()
	ours := uuid.NewString()
	inside := member(ours)
	chain := func(ids ...*jobs.Job) string {
		var words []string
		for _, j := range ids {
			words = append(words, j.ID[:8])
		}
		return "jobs wait for each other: " + strings.Join(words, " after ")
	}
	for name, c := range map[string]struct {
		entries []jobs.Entry
		want    []string
	}{
		"unknown": {[]jobs.Entry{asks(good), asks(self, old.ID, "any:00000000")},
			[]string{`1 a.yaml:3:2 no job "00000000" is known`}},
		"all of them": {[]jobs.Entry{asks(good, "00000001"), asks(self, "00000002")},
			[]string{`0 a.yaml:3:1 no job "00000001" is known`, `1 a.yaml:3:1 no job "00000002" is known`}},
		"ambiguous": {[]jobs.Entry{asks(self, old.ID[:12])}, []string{fmt.Sprintf(`0 a.yaml:3:1 %q fits several jobs`, old.ID[:12])}},
		"ambiguous sweep": {[]jobs.Entry{asks(self, "aaaaaaaa")},
			[]string{`0 a.yaml:3:1 "aaaaaaaa" fits several sweeps`}},
		"short": {[]jobs.Entry{asks(self, old.ID[:7])},
			[]string{fmt.Sprintf(`0 a.yaml:3:1 %q is too short: at least 8 letters of an id are needed`, old.ID[:7])}},
		"itself":        {[]jobs.Entry{asks(self, self.ID)}, []string{"0 a.yaml:3:1 the job waits for itself"}},
		"its own sweep": {[]jobs.Entry{asks(inside, ours)}, []string{"0 a.yaml:3:1 the job waits for itself"}},
		"two in a circle": {[]jobs.Entry{asks(good, self.ID), asks(self, old.ID, other.ID), asks(other, "any:"+self.ID)},
			[]string{"1 a.yaml:3:2 " + chain(self, other, self), "2 a.yaml:3:1 " + chain(other, self, other)}},
		"three, by way of a sweep": {[]jobs.Entry{asks(self, other.ID), asks(other, ours), asks(inside, self.ID), asks(third)},
			[]string{"0 a.yaml:3:1 " + chain(self, other, inside, self), "1 a.yaml:3:1 " + chain(other, inside, self, other),
				"2 a.yaml:3:1 " + chain(inside, self, other, inside)}},
	} {
		t.Run(name, func(t *testing.T) {
			same(t, "refusals", refused(t, q, c.entries...), c.want)
			for _, e := range c.entries {
				if _, err := q.Job(bg, e.Job.ID); !errors.Is(err, jobs.ErrNotFound) {
					t.Errorf("job beside a refused one: %v, want ErrNotFound", err)
				}
			}
		})
	}
	checkCounters(t, q)
	same(t, "what is not refused", len(take(t, q, asks(good, self.ID), asks(self, other.ID), asks(other))), 3)
}

func TestAcceptRefusesLargeCircles(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	var entries []jobs.Entry
	const n = 2000
	for range n {
		entries = append(entries, asks(pendingJob()))
	}
	for i := range entries {
		entries[i].Waits = asks(nil, entries[(i+1)%n].Job.ID).Waits
	}
	words := refused(t, q, entries...)
	id := func(n int) string { return entries[n].Job.ID[:8] }
	same(t, "refusals", []any{len(words), words[0]}, []any{n, fmt.Sprintf(
		"0 a.yaml:3:1 jobs wait for each other: %s after %s after %s after %s after …", id(0), id(1), id(2), id(3))})
}

func TestAcceptBoundsWaits(t *testing.T) {
	q, _ := openQueue(t)
	first, second := uuid.NewString(), uuid.NewString()
	var entries []jobs.Entry
	for range 400 {
		entries = append(entries, asks(member(first)))
	}
	for range 400 {
		entries = append(entries, asks(member(second), first))
	}
	same(t, "refusals", refused(t, q, entries...), []string{
		"650 a.yaml:3:1 the jobs wait for more than 100000 others in all"})
}

// Those that share the transaction neither suffer nor see anything of it.
func TestRefusalHarmsNoOther(t *testing.T) {
	q, _ := openQueue(t)
	old := accept(t, q, pendingJob())[0]
	good, bad, after := pendingJob(), pendingJob(), pendingJob()
	cancel := jobs.Entry{Command: &jobs.Command{Action: jobs.Cancel, IDs: []string{old.ID}}}
	results := q.AcceptTogether(
		jobs.Intake{Entries: []jobs.Entry{asks(good, old.ID)}},
		jobs.Intake{Entries: []jobs.Entry{cancel, asks(bad, "00000000")}, Mark: &jobs.Mark{Generation: "g", Offset: 7}},
		jobs.Intake{Entries: []jobs.Entry{asks(after, good.ID)}},
	)
	if len(results) != 3 || results[0] != nil || results[1] == nil || results[2] != nil {
		t.Fatalf("got %v, want a refusal of the second alone", results)
	}
	same(t, "states", []jobs.State{readJob(t, q, old.ID).State, readJob(t, q, good.ID).State, readJob(t, q, after.ID).State},
		[]jobs.State{jobs.Pending, jobs.Pending, jobs.Pending})
	if _, err := q.Job(bg, bad.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("the refused job: %v, want ErrNotFound", err)
	}
	if mark, _, err := q.Mark(bg); err != nil || mark != (jobs.Mark{}) {
		t.Errorf("the mark is %+v (%v)", mark, err)
	}
	truth(t, q)
}

// A refusal is no write: nobody is woken by it, and it says nothing of the disk.
func TestRefusalWakesNobody(t *testing.T) {
	q, _ := openQueue(t)
	woken, stop := q.Changed()
	defer stop()
	refused(t, q, asks(pendingJob(), "00000000"))
	if told(woken) {
		t.Error("a token although nothing changed")
	}
}

func TestAcceptReplaysBeforeItChecks(t *testing.T) {
	q, _ := openQueue(t)
	first, second := pendingJob(), pendingJob()
	in := func() jobs.Intake {
		return jobs.Intake{Receipt: &jobs.Receipt{ID: "claim", Name: "a.yaml"},
			Entries: []jobs.Entry{asks(first), asks(second, first.ID)}}
	}
	if _, err := q.Accept(bg, in()); err != nil {
		t.Fatal(err)
	}
	again := in()
	again.Entries[1].Waits[0].On = "00000000"
	out, err := q.Accept(bg, again)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "again", []any{out[1].Job.ID, out[1].Known, out[1].Job.After}, []any{second.ID, true, []string{first.ID}})
}

func TestKnownIDKeepsItsDependencies(t *testing.T) {
	q, _ := openQueue(t)
	a, b, j := pendingJob(), pendingJob(), pendingJob()
	take(t, q, asks(a), asks(b), asks(j, a.ID))
	for _, c := range []struct {
		waits   []string
		warning string
	}{
		{[]string{a.ID[:8]}, ""},
		{[]string{b.ID}, "after"},
		{[]string{"any:" + a.ID}, "after"},
		{[]string{"00000000"}, "after"},
		{[]string{a.ID, "any:" + j.ID}, "after"},
		{nil, "after"},
	} {
		again := *j
		out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{asks(&again, c.waits...)}})
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if c.warning != "" {
			want = "id " + j.ID[:8] + " is known already, with other " + c.warning
		}
		same(t, fmt.Sprint(c.waits), []any{out[0].Known, out[0].Warning, out[0].Job.After, out[0].Job.Unmet},
			[]any{true, want, []string{a.ID}, 1})
	}
	truth(t, q)
}

// A dependency that has ended counts when the job is accepted.
func TestAcceptAfterTheEnd(t *testing.T) {
	q, _ := openQueue(t)
	for _, state := range []jobs.State{jobs.Completed, jobs.Failed, jobs.Cancelled, jobs.Timeout, jobs.Lost} {
		t.Run(string(state), func(t *testing.T) {
			on := begin(t, q, pendingJob())
			mustChange(t)(q.End(bg, on.ID, 1, jobs.Ending{State: state, Reason: "why"}))
			must, may, next, nextAny := pendingJob(), pendingJob(), pendingJob(), pendingJob()
			list := take(t, q, asks(next, must.ID), asks(must, on.ID), asks(may, "any:"+on.ID), asks(nextAny, "any:"+must.ID))
			if state == jobs.Completed {
				same(t, "unmet", []int{list[0].Unmet, list[1].Unmet, list[2].Unmet}, []int{1, 0, 0})
				return
			}
			got := readJob(t, q, must.ID)
			same(t, "must", []any{got.State, got.Reason, got.FinishedAt.IsZero(), got.After},
				[]any{jobs.Failed, "dependency " + on.ID[:8] + " " + string(state), false, []string{on.ID}})
			same(t, "outcome", *list[1], *got)
			same(t, "may", []any{list[2].State, list[2].Unmet}, []any{jobs.Pending, 0})
			same(t, "next", []any{list[0].State, list[0].Reason}, []any{jobs.Failed, "dependency " + must.ID[:8] + " FAILED"})
			same(t, "next, any", []any{list[3].State, list[3].Unmet}, []any{jobs.Pending, 0})
		})
	}
	truth(t, q)
	checkCounters(t, q)
}

// Jobs that were never accepted, and history, have ended too.
func TestAcceptAfterWhatNeverRan(t *testing.T) {
	q, _ := openQueue(t)
	bad, done, must, happy := pendingJob(), pendingJob(), pendingJob(), pendingJob()
	bad.State, bad.Reason, done.State = jobs.Rejected, "bad", jobs.Completed
	list := take(t, q, asks(must, bad.ID), asks(bad, "00000000"), asks(done), asks(happy, done.ID, "any:"+bad.ID))
	same(t, "after a rejected one", list[0].Reason, "dependency "+bad.ID[:8]+" REJECTED")
	same(t, "after history", []any{list[3].State, list[3].Unmet}, []any{jobs.Pending, 0})

	// Its id used again starts from nothing.
	again := *bad
	again.State, again.Reason = jobs.Pending, ""
	list = take(t, q, asks(&again, happy.ID))
	same(t, "again", []any{list[0].State, list[0].Attempt, list[0].Unmet}, []any{jobs.Pending, 1, 1})
	same(t, "its dependant", readJob(t, q, must.ID).State, jobs.Failed)
	truth(t, q)
}

// A command of the same file counts, whatever it does to a job beside it.
func TestAcceptWithCommands(t *testing.T) {
	q, _ := openQueue(t)
	a, b, c := pendingJob(), pendingJob(), pendingJob()
	command := func(action jobs.Action, id string) jobs.Entry {
		return jobs.Entry{Command: &jobs.Command{Action: action, IDs: []string{id}}}
	}
	out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{asks(a), asks(b, a.ID), asks(c, "any:"+a.ID), command(jobs.Cancel, a.ID),
		command(jobs.Hold, c.ID)}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "a", []any{out[0].Job.State, out[0].Job.Reason}, []any{jobs.Cancelled, "cancelled by request"})
	same(t, "b", []any{out[1].Job.State, out[1].Job.Reason}, []any{jobs.Failed, "dependency " + a.ID[:8] + " CANCELLED"})
	same(t, "c", []any{out[2].Job.State, out[2].Job.Hold, out[2].Job.Unmet}, []any{jobs.Pending, true, 0})

	d, e := pendingJob(), pendingJob()
	list := take(t, q, asks(d, e.ID), asks(e), command(jobs.Cancel, d.ID))
	same(t, "a cancelled job keeps what it waited for", []any{list[0].State, list[0].After, list[0].Unmet},
		[]any{jobs.Cancelled, []string{e.ID}, 0})
	truth(t, q)
}

func TestOrderPlans(t *testing.T) {
	q, _ := openQueue(t)
	plans, err := q.OrderPlans(bg)
	if err != nil {
		t.Fatal(err)
	}
	sorts := []string{"tell due", "tell ready", "waited for"}
	for name, plan := range plans {
		if strings.Contains(plan, "SCAN jobs\n") || strings.Contains(plan, "SCAN dependencies") || !strings.Contains(plan, "USING") {
			t.Errorf("%s reads the whole table:\n%s", name, plan)
		}
		if strings.Contains(plan, "TEMP B-TREE") && !slices.Contains(sorts, name) {
			t.Errorf("%s sorts:\n%s", name, plan)
		}
	}
}
