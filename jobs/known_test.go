package jobs_test

import (
	"fmt"
	"slices"
	"testing"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

func keyed(key string) *jobs.Job {
	j := pendingJob()
	j.UniqueKey = key
	return j
}

func TestUniqueKey(t *testing.T) {
	for name, c := range map[string]struct {
		reach     func(*testing.T, *jobs.Queue, *jobs.Job)
		duplicate jobs.Duplicate
		keeps     bool
		state     jobs.State // of the older one, afterwards
	}{
		"waiting":            {func(*testing.T, *jobs.Queue, *jobs.Job) {}, "", true, jobs.Pending},
		"waiting, keep":      {func(*testing.T, *jobs.Queue, *jobs.Job) {}, jobs.DuplicateKeep, true, jobs.Pending},
		"waiting, replace":   {func(*testing.T, *jobs.Queue, *jobs.Job) {}, jobs.DuplicateReplace, false, jobs.Cancelled},
		"held, replace":      {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { execute(t, q, jobs.Hold, j.ID) }, jobs.DuplicateReplace, false, jobs.Cancelled},
		"running, replace":   {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { start(t, q, j.ID) }, jobs.DuplicateReplace, true, jobs.Running},
		"cancelled, keep":    {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { execute(t, q, jobs.Cancel, j.ID) }, "", false, jobs.Cancelled},
		"cancelled, replace": {func(t *testing.T, q *jobs.Queue, j *jobs.Job) { execute(t, q, jobs.Cancel, j.ID) }, jobs.DuplicateReplace, false, jobs.Cancelled},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			old, j := accept(t, q, keyed("nightly"))[0], keyed("nightly")
			c.reach(t, q, old)
			out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j, Duplicate: c.duplicate}}})
			if err != nil {
				t.Fatal(err)
			}
			want := j.ID
			if c.keeps {
				want = old.ID
			}
			same(t, "outcome", []any{out[0].Job.ID, out[0].Known, out[0].Warning}, []any{want, c.keeps, ""})
			got := readJob(t, q, old.ID)
			same(t, "older one", got.State, c.state)
			if name == "waiting, replace" {
				same(t, "its reason", got.Reason, "replaced by "+j.ID[:8])
			}
			truth(t, q)
		})
	}
}

func TestUniqueKeyWarnsOfOtherContent(t *testing.T) {
	q, _ := openQueue(t)
	old, j, other := accept(t, q, keyed("nightly"))[0], keyed("nightly"), keyed("weekly")
	j.Args = nil
	j.Params = map[string]string{"lr": "1"}
	out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{asks(j, "any:"+other.ID), {Job: other}}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "warning", out[0].Warning, old.ID[:8]+` bears the unique_key "nightly", with other args, params, after`)
}

// The id counts before the key, and a rejected job bears none.
func TestUniqueKeyAndID(t *testing.T) {
	q, _ := openQueue(t)
	first, second := keyed("a"), keyed("b")
	accept(t, q, first, second)
	again := *first
	again.UniqueKey = "b"
	out, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: &again, Duplicate: jobs.DuplicateReplace}}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "answer", []any{out[0].Job.ID, out[0].Warning},
		[]any{first.ID, "id " + first.ID[:8] + " is known already, with other unique_key"})
	same(t, "the bearer", readJob(t, q, second.ID).State, jobs.Pending)

	bad := keyed("c")
	bad.State, bad.Reason = jobs.Rejected, "bad"
	good := *bad
	good.State = jobs.Pending
	taken := accept(t, q, bad, &good, keyed("c"))
	same(t, "after a rejected one", []string{taken[1].ID, taken[2].ID}, []string{bad.ID, bad.ID})
	same(t, "its state", taken[1].State, jobs.Pending)
}

// Whoever waits for a job that was answered with another waits for that one.
func TestWaitForWhatIsAnsweredByKey(t *testing.T) {
	q, _ := openQueue(t)
	old, dup, j, of := keyed("nightly"), keyed("nightly"), pendingJob(), pendingJob()
	sweep := uuid.NewString()
	dup.Group = sweep
	accept(t, q, old)
	list := take(t, q, asks(of, sweep), asks(j, dup.ID), asks(dup))
	same(t, "after", [][]string{list[0].After, list[1].After}, [][]string{{old.ID}, {old.ID}})

	// Also where that makes a circle.
	a, b, c := keyed("weekly"), keyed("weekly"), pendingJob()
	same(t, "refusals", refused(t, q, asks(a, c.ID), asks(b), asks(c, b.ID)), []string{
		"0 a.yaml:3:1 jobs wait for each other: " + a.ID[:8] + " after " + c.ID[:8] + " after " + a.ID[:8],
		"2 a.yaml:3:1 jobs wait for each other: " + c.ID[:8] + " after " + a.ID[:8] + " after " + c.ID[:8]})
	truth(t, q)
}

// Two jobs never bear one key at a time, by no way back either.
func TestUniqueKeyOfRetryAndRerun(t *testing.T) {
	q, _ := openQueue(t)
	old := accept(t, q, keyed("nightly"))[0]
	execute(t, q, jobs.Cancel, old.ID)
	j := accept(t, q, keyed("nightly"))[0]
	same(t, "retry", execute(t, q, jobs.Retry, old.ID), jobs.Outcome{Jobs: []string{old.ID}, State: jobs.Rejected,
		Reason: old.ID[:8] + " is CANCELLED: " + j.ID[:8] + `, which is PENDING, bears its unique_key "nightly" now`})
	same(t, "rerun", execute(t, q, jobs.Rerun, old.ID), jobs.Outcome{State: jobs.Rejected,
		Reason: old.ID[:8] + " cannot run again now: " + j.ID[:8] + `, which is PENDING, bears its unique_key "nightly"`})
	execute(t, q, jobs.Cancel, j.ID)
	same(t, "retry", execute(t, q, jobs.Retry, old.ID).State, jobs.Completed)
	truth(t, q)
}

// A crash came between the commit of a file and its move: it is answered with
// the same jobs again, whatever stands beside them.
func TestUniqueKeyOfAFileThatComesAgain(t *testing.T) {
	for name, beside := range map[string][]jobs.Entry{
		"alone":                        nil,
		"a command that names nothing": {{Command: &jobs.Command{Action: jobs.Cancel, IDs: []string{"3f2a91c0"}}}},
		"a pause":                      {{Command: &jobs.Command{Action: jobs.Pause}}},
		"commands of another job":      {{Command: &jobs.Command{Action: jobs.Hold, IDs: []string{other}}}, {Command: &jobs.Command{Action: jobs.Release, IDs: []string{other}}}},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := openQueue(t)
			strange := pendingJob()
			strange.ID = other
			bearer, weekly := keyed("nightly"), keyed("weekly")
			accept(t, q, strange, bearer, weekly)
			in := jobs.Intake{
				Receipt: &jobs.Receipt{ID: uuid.NewString(), Name: "a.txt"},
				Entries: append(slices.Clone(beside), jobs.Entry{Job: keyed("nightly")}, jobs.Entry{Job: pendingJob()}, jobs.Entry{Job: keyed("weekly")}),
			}
			first, err := q.Accept(bg, in)
			if err != nil {
				t.Fatal(err)
			}
			execute(t, q, jobs.Cancel, bearer.ID, weekly.ID)
			again, err := q.Accept(bg, in)
			if err != nil {
				t.Fatal(err)
			}
			for n, o := range first {
				if o.Job != nil {
					same(t, fmt.Sprint("job ", n), again[n].Job.ID, o.Job.ID)
				}
			}
		})
	}
}

const other = "6f640ce6-5a3a-4161-8135-fc62bd573897"

// Whether two files are committed together makes no difference to a sweep that
// both of them ask for.
func TestSweepThatTwoFilesAskFor(t *testing.T) {
	q, path := openQueue(t)
	sweep := uuid.NewString()
	one, two, three := member(sweep), member(sweep), member(sweep)
	for n, err := range q.AcceptTogether(
		jobs.Intake{Entries: []jobs.Entry{{Job: one}, {Job: two}}},
		jobs.Intake{Entries: []jobs.Entry{{Job: one}, {Job: two}, {Job: three}}},
	) {
		same(t, fmt.Sprint("error of file ", n), err, error(nil))
	}
	members, err := reopenQueue(t, path).Members(bg, sweep)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "jobs of the sweep", len(members), 2)
}
