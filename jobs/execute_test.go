package jobs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

func TestHoldAndRelease(t *testing.T) {
	q, path := openQueue(t)
	j, running := accept(t, q, pendingJob())[0], begin(t, q, pendingJob())
	short := j.ID[:8]
	for _, step := range []struct {
		action jobs.Action
		words  string
		held   bool
	}{
		{jobs.Release, "is not held", false},
		{jobs.Hold, "held", true},
		{jobs.Hold, "is already held", true},
	} {
		same(t, step.words, execute(t, q, step.action, short), jobs.Outcome{Jobs: []string{j.ID}, State: jobs.Completed,
			Reason: short + " " + step.words})
		same(t, "held", readJob(t, q, j.ID).Hold, step.held)
	}
	same(t, "begun", len(start(t, q, j.ID)), 0)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = reopenQueue(t, path)
	next, err := q.Next(bg, map[string]int{"train": 5}, 5)
	same(t, "next", []any{len(next), err}, []any{0, nil})
	for action, words := range map[jobs.Action]string{
		jobs.Hold:    "is RUNNING: only a waiting job can be held",
		jobs.Release: "is RUNNING: only a waiting job can be released",
	} {
		same(t, "running", execute(t, q, action, running.ID), jobs.Outcome{Jobs: []string{running.ID}, State: jobs.Rejected,
			Reason: running.ID[:8] + " " + words})
	}
	same(t, "released", execute(t, q, jobs.Release, j.ID).Reason, short+" released")
	same(t, "begun", len(start(t, q, j.ID)), 1)
}

func TestHeldJobs(t *testing.T) {
	q, _ := openQueue(t)
	held := pendingJob()
	held.Hold = true
	accept(t, q, held)
	same(t, "begun", len(start(t, q, held.ID)), 0)
	execute(t, q, jobs.Cancel, held.ID)
	got := readJob(t, q, held.ID)
	same(t, "cancelled", []any{got.State, got.Hold}, []any{jobs.Cancelled, false})
	execute(t, q, jobs.Retry, held.ID)
	same(t, "retried by hand", len(start(t, q, held.ID)), 1)

	line := pendingJob()
	line.Hold = true
	accept(t, q, line)
	if err := q.SetDoubt(bg, []string{line.ID}, true); err != nil {
		t.Fatal(err)
	}
	removed, err := q.RemoveByLine(bg, []string{line.ID}, "job_queue.txt")
	same(t, "removed", []any{removed, err}, []any{[]string{line.ID}, nil})
	truth(t, q)
}

func TestCommandsForSweeps(t *testing.T) {
	q, _ := openQueue(t)
	sweep := uuid.NewString()
	list := accept(t, q, member(sweep), member(sweep), member(sweep), member(sweep), pendingJob())
	start(t, q, list[0].ID, list[1].ID)
	mustChange(t)(q.End(bg, list[0].ID, 1, jobs.Ending{State: jobs.Completed}))
	ids := []string{list[0].ID, list[1].ID, list[2].ID, list[3].ID}
	begin := sweep[:8] + " (sweep of 4): "
	for _, step := range []struct {
		action jobs.Action
		state  jobs.State
		words  string
	}{
		{jobs.Hold, jobs.Completed, "1 COMPLETED, 1 RUNNING, 2 held"},
		{jobs.Hold, jobs.Completed, "1 COMPLETED, 1 RUNNING, 2 already held"},
		{jobs.Release, jobs.Completed, "1 COMPLETED, 1 RUNNING, 2 released"},
		{jobs.Release, jobs.Completed, "1 COMPLETED, 1 RUNNING, 2 not held"},
		{jobs.Retry, jobs.Rejected, "1 COMPLETED still, 1 RUNNING still, 2 PENDING still"},
		{jobs.Cancel, jobs.Completed, "1 already COMPLETED, 1 being cancelled, 2 cancelled"},
		{jobs.Cancel, jobs.Completed, "1 already COMPLETED, 1 already being cancelled, 2 already CANCELLED"},
		{jobs.Retry, jobs.Completed, "1 COMPLETED still, 1 RUNNING still, 2 retried"},
	} {
		same(t, string(step.action), execute(t, q, step.action, sweep[:8]),
			jobs.Outcome{Jobs: ids, State: step.state, Reason: begin + step.words})
	}
	single := list[4].ID
	same(t, "with others", execute(t, q, jobs.Hold, list[2].ID, sweep, single, sweep[:9]), jobs.Outcome{
		Jobs: []string{ids[2], ids[0], ids[1], ids[3], single}, State: jobs.Completed,
		Reason: ids[2][:8] + " held; " + begin + "1 COMPLETED, 1 RUNNING, 1 already held, 1 held; " + single[:8] + " held"})
	same(t, "untouched", readJob(t, q, single).State, jobs.Pending)
	truth(t, q)
}

// An id is that of a job first.
func TestSweepOrJob(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	m := member(j.ID)
	other := member(j.ID[:20] + m.ID[20:])
	accept(t, q, j, m)
	same(t, "both", execute(t, q, jobs.Hold, j.ID).Jobs, []string{j.ID})
	accept(t, q, other)
	execute(t, q, jobs.Cancel, j.ID)
	out := execute(t, q, jobs.Hold, m.Group[:20]+"x")
	same(t, "neither", []any{out.State, out.Reason}, []any{jobs.Rejected, `no job "` + m.Group[:20] + `x" is known`})
}

func TestMembers(t *testing.T) {
	q, _ := openQueue(t)
	one, two := "bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
	a, b, c := member(one), member(two), member(one)
	accept(t, q, a, b, c, pendingJob())
	list, err := q.Members(bg, strings.ToUpper(one))
	if err != nil || len(list) != 2 || list[0].ID != a.ID || list[1].ID != c.ID {
		t.Errorf("got %v, %v", list, err)
	}
	if list, err := q.Members(bg, two[:36]); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	_, err = q.Members(bg, "bbbb")
	same(t, "several", err, &jobs.AmbiguousError{Prefix: "bbbb", IDs: []string{one, two}})
	for _, prefix := range []string{"", "bbb", "cccc", "%"} {
		if list, err := q.Members(bg, prefix); err == nil {
			t.Errorf("Members(%q) gave %v", prefix, list)
		}
	}
}

func TestRerun(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "train.py")
	writeScript := func(text string) string {
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		hash, err := jobs.HashScript(script)
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	old := writeScript("print(1)")
	q, _ := openQueue(t)
	typ := &jobs.Type{Name: "train", Interpreter: []string{"python3"}, Scripts: dir, Extensions: []string{".py"}}
	q.SetCatalog(&jobs.Catalog{Dir: dir, Types: map[string]*jobs.Type{"train": typ}})
	j := pendingJob()
	j.Name, j.Labels, j.Env, j.Params = "n", map[string]string{"a": "b"}, map[string]string{"E": "1"}, map[string]string{"lr": "1"}
	j.Priority, j.Timeout, j.Workdir, j.Retries, j.UniqueKey = 7, time.Hour, "w", 2, "key"
	j.Group, j.Hold, j.NotBefore, j.ScriptHash = uuid.NewString(), true, time.Now().Add(time.Hour), old
	j.Spelling, j.RawHash, j.LineAt = strings.ToUpper(j.ID), 5, 9
	on := pendingJob()
	take(t, q, asks(on), asks(j, "any:"+on.ID))
	execute(t, q, jobs.Cancel, j.ID)
	changed := writeScript("print(2)")

	out := execute(t, q, jobs.Rerun, j.ID[:8])
	if len(out.Jobs) != 1 || out.Jobs[0] == j.ID {
		t.Fatalf("got %+v, want the new job", out)
	}
	again := readJob(t, q, out.Jobs[0])
	same(t, "words", []any{out.State, out.Reason}, []any{jobs.Completed, j.ID[:8] + " runs again as " + again.ID[:8]})
	want := *j
	want.ID, want.Spelling, want.Seq, want.SubmittedAt = again.ID, "", again.Seq, again.SubmittedAt
	want.Group, want.Hold, want.NotBefore, want.After, want.AfterAny = "", false, time.Time{}, nil, nil
	want.RawHash, want.LineAt, want.ScriptHash = 0, jobs.LineWanted, changed
	same(t, "new job", *again, want)
	same(t, "old job", readJob(t, q, j.ID).State, jobs.Cancelled)
	same(t, "begun", len(start(t, q, again.ID)), 1)
	mustChange(t)(q.End(bg, again.ID, 1, jobs.Ending{State: jobs.Completed}))

	typ.OnChange = jobs.OnChangeCopy // what is run is the script as it was
	third := readJob(t, q, execute(t, q, jobs.Rerun, j.ID).Jobs[0])
	same(t, "hash of the copy", third.ScriptHash, old)
}

func TestRerunComesFromItsCommand(t *testing.T) {
	q, _ := openQueue(t)
	j := accept(t, q, pendingJob())[0]
	rerun := &jobs.Command{At: jobs.Position{File: "job_queue.txt", Line: 3}, Action: jobs.Rerun, IDs: []string{j.ID}}
	for _, c := range []struct {
		in   jobs.Intake
		want string
	}{
		{jobs.Intake{Receipt: &jobs.Receipt{ID: "claim", Name: "again.yaml"}}, "inbox:again.yaml"},
		{jobs.Intake{Mark: &jobs.Mark{Generation: "g"}}, "queue:job_queue.txt"},
		{jobs.Intake{}, j.Source},
	} {
		c.in.Entries = []jobs.Entry{{Command: rerun}}
		out, err := q.Accept(bg, c.in)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "source", readJob(t, q, out[0].Jobs[0]).Source, c.want)
		if c.in.Receipt != nil {
			same(t, "receipt", c.in.Receipt.Jobs, out[0].Jobs)
		}
	}
}

func TestRerunRefuses(t *testing.T) {
	q, _ := openQueue(t)
	bad, foreign := pendingJob(), pendingJob()
	bad.State, bad.Reason, foreign.State, foreign.Type = jobs.Rejected, "bad", jobs.Completed, ""
	sweep := uuid.NewString()
	accept(t, q, bad, foreign, member(sweep), member(sweep))
	same(t, "refused", execute(t, q, jobs.Rerun, bad.ID, foreign.ID), jobs.Outcome{State: jobs.Rejected,
		Reason: bad.ID[:8] + " is REJECTED: it was never accepted, so it cannot run again; " +
			foreign.ID[:8] + " cannot run again: its type is not known"})
	out := execute(t, q, jobs.Rerun, sweep)
	same(t, "sweep", []any{out.State, len(out.Jobs), out.Reason},
		[]any{jobs.Completed, 2, sweep[:8] + " (sweep of 2): 2 run again"})
	truth(t, q)
}

func TestUnknownAction(t *testing.T) {
	q, _ := openQueue(t)
	j := accept(t, q, pendingJob())[0]
	same(t, "outcome", execute(t, q, "explode", j.ID), jobs.Outcome{State: jobs.Rejected, Reason: `unknown action "explode"`})
	same(t, "no ids", execute(t, q, jobs.Hold), jobs.Outcome{State: jobs.Rejected, Reason: "it names no job"})
}

// A list shows the newest job first, and so people name them.
func TestRetryOfAChain(t *testing.T) {
	q, _ := openQueue(t)
	sweep := uuid.NewString()
	first, second, third := pendingJob(), member(sweep), pendingJob()
	take(t, q, asks(first), asks(second, first.ID), asks(third, sweep))
	execute(t, q, jobs.Cancel, first.ID)
	out := execute(t, q, jobs.Retry, third.ID, sweep, first.ID)
	same(t, "words", out.Reason, fmt.Sprintf("%s waits for attempt 2; %s (sweep of 1): 1 retried; %s waits for attempt 2",
		first.ID[:8], sweep[:8], third.ID[:8]))
	same(t, "unmet", []int{readJob(t, q, second.ID).Unmet, readJob(t, q, third.ID).Unmet}, []int{1, 1})
	truth(t, q)
}
