package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// endedAgo takes in a job that ended so long ago, and whose line has left the file.
func endedAgo(t testing.TB, q *jobs.Queue, path string, s jobs.State, ago time.Duration, change func(*jobs.Job)) string {
	t.Helper()
	j := pendingJob()
	if change != nil {
		change(j)
	}
	accept(t, q, j)
	runOnce(t, q, j.ID, jobs.Ending{State: s, Reason: "why"})
	at := time.Now().Add(-ago).UnixMilli()
	edit(t, path, "UPDATE jobs SET finished_at = ?, submitted_at = ?, line_at = -1 WHERE id = ?", at, at-1, j.ID)
	return j.ID
}

// pruned lets go of all that a wish names, and gives how many jobs went and the
// last step's rest.
func pruned(t testing.TB, q *jobs.Queue, o jobs.PruneOptions) (n int, all jobs.PruneStep) {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	p, err := q.Pruner(bg, o)
	if err != nil {
		t.Fatal(err)
	}
	for !all.Done {
		s, err := p.Next(bg)
		if err != nil {
			t.Fatal(err)
		}
		n += s.Jobs
		all.Done, all.Untold = s.Done, all.Untold || s.Untold
		all.Lines, all.Trash = append(all.Lines, s.Lines...), append(all.Trash, s.Trash...)
	}
	return n, all
}

// left gives which of the jobs are still known, by their place in the list.
func left(t testing.TB, q *jobs.Queue, ids []string) (list []int) {
	t.Helper()
	for n, id := range ids {
		_, err := q.Job(bg, id)
		var gone *jobs.PrunedError
		switch {
		case err == nil:
			list = append(list, n)
		case !errors.As(err, &gone) || !errors.Is(err, jobs.ErrNotFound):
			t.Errorf("job %d: %v", n, err)
		}
	}
	return list
}

// A job goes when it is older than the age and not among the newest ones.
func TestPruneRule(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		name string
		wish jobs.Wish
		left []int
	}{
		{"by age", jobs.Wish{OlderThan: 5 * day}, []int{3, 4, 5, 6}},
		{"by number", jobs.Wish{Keep: 2}, []int{4, 5, 6}},
		{"more by age", jobs.Wish{OlderThan: 5 * day, Keep: 1}, []int{3, 4, 5, 6}},
		{"more by number", jobs.Wish{OlderThan: 5 * day, Keep: 5}, []int{1, 2, 3, 4, 5, 6}},
		{"more than there are", jobs.Wish{Keep: 99}, []int{0, 1, 2, 3, 4, 5, 6}},
		{"everything", jobs.Wish{}, []int{6}},
		{"of a state", jobs.Wish{State: jobs.Failed}, []int{0, 2, 4, 6}},
		{"of a state by number", jobs.Wish{State: jobs.Failed, Keep: 1}, []int{0, 2, 4, 5, 6}},
		{"of a state by age", jobs.Wish{State: jobs.Failed, OlderThan: 5 * day}, []int{0, 2, 3, 4, 5, 6}},
		{"dry", jobs.Wish{DryRun: true}, []int{0, 1, 2, 3, 4, 5, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q, path := openQueue(t)
			var ids []string
			for n := range 6 { // the oldest first: completed, failed, completed …
				state := []jobs.State{jobs.Completed, jobs.Failed}[n%2]
				ids = append(ids, endedAgo(t, q, path, state, time.Duration(10-2*n)*day+time.Hour, nil))
			}
			ids = append(ids, accept(t, q, pendingJob())[0].ID)
			n, s := pruned(t, q, jobs.PruneOptions{Wish: c.wish})
			same(t, "left", left(t, q, ids), c.left)
			some, err := q.HasPruned(bg)
			if err != nil || some != (len(c.left) < 7) {
				t.Errorf("something was pruned: %v, %v", some, err)
			}
			want := 7 - len(c.left)
			if c.wish.DryRun {
				want = 6
			}
			same(t, "number", n, want)
			same(t, "trash", len(s.Trash), want)
			truth(t, q)
			checkCounters(t, q)
		})
	}
}

// What may be needed stays, however old it is.
func TestPruneKeeps(t *testing.T) {
	t.Parallel()
	const long = 1000 * time.Hour
	q, path := openQueue(t)
	sweep, over := uuid.NewString(), uuid.NewString()
	untold := endedAgo(t, q, path, jobs.Completed, long, nil)
	floor, err := q.LastEvent(bg)
	if err != nil {
		t.Fatal(err)
	}
	floor-- // its end
	ids := []string{
		endedAgo(t, q, path, jobs.Completed, long, nil),
		endedAgo(t, q, path, jobs.Lost, long, nil),
		untold,
		endedAgo(t, q, path, jobs.Completed, long, nil),
		endedAgo(t, q, path, jobs.Completed, long, nil),
		endedAgo(t, q, path, jobs.Cancelled, 0, nil),
		endedAgo(t, q, path, jobs.Timeout, long, nil),
		accept(t, q, pendingJob())[0].ID,
	}
	edit(t, path, "UPDATE jobs SET sweep = ? WHERE id IN (?, ?)", sweep, ids[0], ids[7])
	edit(t, path, "UPDATE jobs SET sweep = ? WHERE id IN (?, ?)", over, ids[4], ids[5])
	edit(t, path, "UPDATE jobs SET line_at = 77 WHERE id = ?", ids[1])
	edit(t, path, "UPDATE jobs SET line_at = 0 WHERE id = ?", ids[3])
	week := jobs.Wish{OlderThan: 168 * time.Hour}
	n, s := pruned(t, q, jobs.PruneOptions{Wish: week, Floor: func() int64 { return floor }})
	same(t, "nobody has been told of anything", n, 0)
	edit(t, path, "UPDATE events SET job = 'x' WHERE id > ?", floor+1)
	n, s = pruned(t, q, jobs.PruneOptions{Wish: week, Floor: func() int64 { return floor }})
	same(t, "number", n, 1)
	same(t, "left", left(t, q, ids), []int{0, 1, 2, 3, 4, 5, 7})
	slices.Sort(s.Lines)
	lines := []string{ids[1], ids[3]}
	slices.Sort(lines)
	same(t, "lines", s.Lines, lines)

	pruned(t, q, jobs.PruneOptions{Now: time.Now().Add(time.Second)})
	same(t, "left of what is not needed", left(t, q, ids), []int{0, 1, 3, 7})
	execute(t, q, jobs.Cancel, ids[7])
	edit(t, path, "UPDATE jobs SET line_at = -1")
	pruned(t, q, jobs.PruneOptions{Now: time.Now().Add(time.Second)})
	same(t, "left at the end", len(left(t, q, ids)), 0)
	truth(t, q)
	checkCounters(t, q)
}

// A pruned id is that of a job for ever, and a job that waited for it goes on.
func TestPrunedIDs(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	sweep := uuid.NewString()
	done := endedAgo(t, q, path, jobs.Completed, time.Hour, nil)
	failed := endedAgo(t, q, path, jobs.Failed, time.Hour, nil)
	good := endedAgo(t, q, path, jobs.Completed, time.Hour, func(j *jobs.Job) { j.Group = sweep })
	bad := pendingJob()
	bad.State, bad.Reason = jobs.Rejected, "bad"
	accept(t, q, bad)
	edit(t, path, "UPDATE jobs SET line_at = -1")
	half := accept(t, q, pendingJob())[0].ID
	waits := take(t, q, asks(pendingJob(), done, half))[0].ID
	n, _ := pruned(t, q, jobs.PruneOptions{Now: time.Now().Add(time.Second)})
	same(t, "number", n, 4)

	on := time.Now().UTC().Add(-time.Hour).Format(time.DateOnly)
	gone := fmt.Sprintf("COMPLETED on %s and was pruned", on)
	for what, find := range map[string]func() error{
		"by its id":        func() error { _, err := q.Job(bg, done); return err },
		"by its beginning": func() error { _, err := q.Find(bg, strings.ToUpper(done[:8])); return err },
	} {
		err := find()
		var e *jobs.PrunedError
		if !errors.As(err, &e) || !errors.Is(err, jobs.ErrNotFound) || e.Error() != "job "+done[:8]+" "+gone {
			t.Errorf("%s: %v", what, err)
		}
	}
	if o := execute(t, q, jobs.Retry, failed); o.State != jobs.Rejected || !strings.Contains(o.Reason, "FAILED on "+on+" and was pruned") {
		t.Errorf("retry: %+v", o)
	}

	again := func(id, group string, receipt bool) (jobs.Outcome, error) {
		j := pendingJob()
		j.ID, j.Group = id, group
		in := jobs.Intake{Entries: []jobs.Entry{{Job: j}}}
		if receipt {
			in.Receipt = &jobs.Receipt{ID: uuid.NewString(), Name: "a.yaml"}
		}
		out, err := q.Accept(bg, in)
		if err != nil {
			return jobs.Outcome{}, err
		}
		return out[0], nil
	}
	for _, c := range []struct{ id, group, words string }{
		{done, "", "a.yaml: id " + done[:8] + " belongs to a job that " + gone + "; use another id"},
		{sweep, "", "a.yaml: id " + sweep[:8] + " belongs to a sweep that " + gone + "; use another id"},
		{uuid.NewString(), sweep, "a.yaml: id " + sweep[:8] + " belongs to a sweep that " + gone + "; use another id"},
		{good, sweep, "a.yaml: id " + sweep[:8] + " belongs to a sweep that " + gone + "; use another id"},
	} {
		_, err := again(c.id, c.group, true)
		var refused *jobs.RefusedError
		if !errors.As(err, &refused) || refused.Refusals[0].Fault.Error() != c.words {
			t.Errorf("got %v, want %s", err, c.words)
		}
		// A line or a schedule that comes again is answered.
		o, err := again(c.id, c.group, false)
		if err != nil || !o.Known || o.Job.State != jobs.Completed {
			t.Errorf("%s again: %+v, %v", c.id, o, err)
		}
	}
	if o, err := again(bad.ID, "", true); err != nil || o.Known || o.Job.State != jobs.Pending {
		t.Errorf("the id of a REJECTED job: %+v, %v", o, err)
	}

	for _, c := range []struct {
		on     string
		state  jobs.State
		reason string
	}{
		{done, jobs.Pending, ""}, {sweep, jobs.Pending, ""}, {done[:8], jobs.Pending, ""}, {"any:" + failed, jobs.Pending, ""},
		{failed, jobs.Failed, "dependency " + failed[:8] + " FAILED"},
	} {
		j := take(t, q, asks(pendingJob(), c.on))[0]
		same(t, "after "+c.on, []any{j.State, j.Reason, j.Unmet}, []any{c.state, c.reason, 0})
	}
	runOnce(t, q, half, jobs.Ending{State: jobs.Completed})
	runOnce(t, q, waits, jobs.Ending{State: jobs.Failed})
	if o := execute(t, q, jobs.Retry, waits); o.State != jobs.Completed {
		t.Errorf("retry of what waited for it: %+v", o)
	}
	truth(t, q)
	checkCounters(t, q)
}

// Receipts go with the last of their jobs, and the files of a name with the last
// of its receipts.
func TestPruneReceipts(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	taken := time.Now().Add(-time.Hour)
	file := func(id, name string, entries ...jobs.Entry) {
		t.Helper()
		in := jobs.Intake{Receipt: &jobs.Receipt{ID: id, Name: name, TakenAt: taken}, Entries: entries}
		if _, err := q.Accept(bg, in); err != nil {
			t.Fatal(err)
		}
	}
	old, one, two, open := pendingJob(), pendingJob(), pendingJob(), pendingJob()
	file("1", "a.yaml", asks(old))
	file("2", "a.yaml", asks(one), asks(two))
	file("3", "b.yaml", asks(open))
	file("4", "stuck.yaml", jobs.Entry{Command: &jobs.Command{Action: jobs.Hold, IDs: []string{one.ID}}})
	file("5", "pause.yaml", jobs.Entry{Command: &jobs.Command{Action: jobs.Resume}})
	file("6", "prune.yaml", jobs.Entry{Command: &jobs.Command{Action: jobs.Prune}})
	execute(t, q, jobs.Release, one.ID)
	for _, j := range []*jobs.Job{old, one, two} {
		runOnce(t, q, j.ID, jobs.Ending{State: jobs.Completed})
	}
	edit(t, path, "UPDATE jobs SET line_at = -1")
	edit(t, path, "UPDATE jobs SET line_at = 9 WHERE id = ?", two.ID)
	undelivered := func() map[string]bool { return map[string]bool{"4": true} }
	o := jobs.PruneOptions{Now: time.Now().Add(time.Second), Undelivered: undelivered}
	_, s := pruned(t, q, o)
	replies := func(list []jobs.Trash) (names []string) {
		for _, f := range list {
			if f.Kind == jobs.TrashReply {
				names = append(names, f.Name)
			}
		}
		return names
	}
	same(t, "one of two jobs is left", replies(s.Trash), []string(nil))
	edit(t, path, "UPDATE jobs SET line_at = -1 WHERE id = ?", two.ID)
	_, s = pruned(t, q, o)
	same(t, "the last one went", replies(s.Trash), []string{"a.yaml"})
	next, trash, err := q.PruneReceipts(bg, 0, time.Now(), time.Now(), undelivered)
	same(t, "rest", []any{next, replies(trash), err}, []any{0, []string{"pause.yaml"}, nil})
	if err := q.Pruned(bg, "6", jobs.Completed, "pruned 0 jobs"); err != nil {
		t.Fatal(err)
	}
	if r, err := q.ReceiptByID(bg, "6"); err != nil || r.State != jobs.Completed || r.Reason != "pruned 0 jobs" {
		t.Errorf("the answer to the command: %+v, %v", r, err)
	}
	if _, trash, err = q.PruneReceipts(bg, 0, taken.Add(-time.Second), time.Now(), nil); err != nil || len(replies(trash)) != 1 {
		t.Errorf("its receipt is not old: %v, %v", trash, err)
	}
	for id, there := range map[string]bool{"1": false, "2": false, "3": true, "4": false, "5": false, "6": true} {
		if _, err := q.ReceiptByID(bg, id); (err == nil) != there {
			t.Errorf("receipt %s: %v, want it there: %v", id, err, there)
		}
	}
	noted, err := q.Trash(bg, jobs.TrashReply, "", 9)
	same(t, "noted", []any{replies(noted), err}, []any{[]string{"a.yaml", "pause.yaml", "stuck.yaml"}, nil})
	if err := q.Emptied(bg, noted, "", 0); err != nil {
		t.Fatal(err)
	}
	noted, _ = q.Trash(bg, jobs.TrashReply, "", 9)
	same(t, "noted at the end", len(noted), 0)
}

// The events of jobs that are gone go, and old ones of no job; no others, and
// none that somebody has still to follow.
func TestPruneEvents(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	gone := endedAgo(t, q, path, jobs.Completed, time.Hour, nil)
	kept := accept(t, q, pendingJob())[0].ID
	execute(t, q, jobs.Pause)
	execute(t, q, jobs.Resume)
	pruned(t, q, jobs.PruneOptions{})
	kinds := func() (list []string) {
		t.Helper()
		events, err := q.Events(bg, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			whose := map[string]string{gone: "gone", kept: "kept"}[e.Job]
			list = append(list, e.Kind+" "+whose)
		}
		return list
	}
	all := kinds()
	far := time.Now().Add(time.Hour)
	if next, err := q.PruneEvents(bg, 0, 1, far, far); next != 0 || err != nil {
		t.Errorf("%d, %v", next, err)
	}
	same(t, "behind the first", kinds(), all[1:])
	if _, err := q.PruneEvents(bg, 0, 1<<40, time.Time{}, far); err != nil {
		t.Fatal(err)
	}
	same(t, "of the job", kinds(), []string{"accepted kept", "pause ", "resume "})
	if _, err := q.PruneEvents(bg, 0, 1<<40, far, far); err != nil {
		t.Fatal(err)
	}
	same(t, "of none", kinds(), []string{"accepted kept"})
}

// A job that was retried, and ended again, after it was found to be old is young.
func TestPruneLooksAgain(t *testing.T) {
	t.Parallel()
	q, path := openQueue(t)
	id := endedAgo(t, q, path, jobs.Failed, time.Hour, nil)
	again := func() int64 { // asked between the two looks
		execute(t, q, jobs.Retry, id)
		runOnce(t, q, id, jobs.Ending{State: jobs.Failed, Reason: "why"})
		edit(t, path, "UPDATE jobs SET line_at = -1 WHERE id = ?", id)
		return 1 << 40
	}
	pruned(t, q, jobs.PruneOptions{Wish: jobs.Wish{OlderThan: time.Minute}, Floor: again})
	same(t, "left", left(t, q, []string{id}), []int{0})
}

// What it takes to let go of jobs does not depend on how many of them one file
// asked for.
func TestPruneOfAManyJobFile(t *testing.T) {
	const many = 2000
	took := func(inOne int) (least time.Duration) {
		for try := range 3 {
			q, path := openQueue(t)
			for n := 0; n < many; n += inOne {
				in := jobs.Intake{Receipt: &jobs.Receipt{ID: uuid.NewString(), Name: fmt.Sprint(n, ".yaml")}}
				for range inOne {
					j := pendingJob()
					j.State = jobs.Completed
					in.Entries = append(in.Entries, jobs.Entry{Job: j})
				}
				if _, err := q.Accept(bg, in); err != nil {
					t.Fatal(err)
				}
			}
			edit(t, path, "UPDATE jobs SET line_at = -1, submitted_at = 5")
			begun := time.Now()
			n, _ := pruned(t, q, jobs.PruneOptions{})
			same(t, "gone", n, many)
			if d := time.Since(begun); try == 0 || d < least {
				least = d
			}
		}
		return least
	}
	few, one := took(100), took(many)
	t.Logf("%v for files of 100 jobs, %v for one file", few, one)
	if one > 8*few {
		t.Errorf("one file of %d jobs takes %v, files of 100 take %v", many, one, few)
	}
}
