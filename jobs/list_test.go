package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// limits is a catalog of the types train (one at once) and b.
func limits(all int) *jobs.Catalog {
	return &jobs.Catalog{MaxConcurrent: all, Types: map[string]*jobs.Type{
		"train": {Name: "train", MaxConcurrent: 1}, "b": {Name: "b"}}}
}

func TestReasonsOfPendingJobs(t *testing.T) {
	q, _ := openQueue(t)
	train, b, other, doubted := pendingJob(), pendingJob(), pendingJob(), pendingJob()
	b.Type, other.Type, doubted.Type, doubted.Doubt = "b", "x", "b", true
	accept(t, q, train, b, other, doubted)
	reasons := func() []string {
		return []string{readJob(t, q, train.ID).Reason, readJob(t, q, b.ID).Reason,
			readJob(t, q, other.ID).Reason, readJob(t, q, doubted.ID).Reason}
	}
	const gone, missing = `type "x" is not configured`, "its line is missing from the queue file: waits until that is decided"
	same(t, "without a catalog", reasons(), []string{"", "", "", missing})
	q.SetCatalog(limits(2))
	same(t, "nothing runs", reasons(), []string{"", "", gone, missing})
	running := begin(t, q, pendingJob())
	same(t, "train runs", reasons(), []string{"type limit: train 1 of 1 running", "", gone, missing})
	q.SetCatalog(limits(1))
	same(t, "limit reached", reasons(), []string{"type limit: train 1 of 1 running", "limit: 1 of 1 running", gone, missing})
	q.SetCatalog(limits(0))
	same(t, "no limit over all", reasons(), []string{"type limit: train 1 of 1 running", "", gone, missing})
	mustChange(t)(q.End(bg, running.ID, 1, jobs.Ending{State: jobs.Completed, Reason: "exit 0"}))
	same(t, "none runs any more", reasons(), []string{"", "", gone, missing})
}

func TestFind(t *testing.T) {
	q, _ := openQueue(t)
	one, two := pendingJob(), pendingJob()
	two.ID = one.ID[:10] + two.ID[10:]
	accept(t, q, one, two)
	for _, prefix := range []string{one.ID, strings.ToUpper(one.ID), one.ID[:35]} {
		if j, err := q.Find(bg, prefix); err != nil || j.ID != one.ID {
			t.Errorf("Find(%q): %v, %v", prefix, j, err)
		}
	}
	var several *jobs.AmbiguousError
	if _, err := q.Find(bg, one.ID[:6]); !errors.As(err, &several) || len(several.IDs) != 2 {
		t.Errorf("got %v, want an AmbiguousError with both", err)
	}
	for _, prefix := range []string{"", one.ID[:3], "zzzz", one.ID + "0"} {
		if _, err := q.Find(bg, prefix); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("Find(%q): got %v, want ErrNotFound", prefix, err)
		}
	}
}

func TestNextKeepsOrder(t *testing.T) {
	q, _ := openQueue(t)
	var list []*jobs.Job
	for i, p := range []int{0, 5, -5, 5, 0, 9} {
		j := pendingJob()
		j.Name, j.Priority, j.Type = fmt.Sprint(i), p, []string{"train", "b"}[i%2]
		list = append(list, j)
	}
	accept(t, q, list...)
	for _, c := range []struct {
		room  map[string]int
		limit int
		want  string
	}{
		{map[string]int{"train": 9, "b": 9}, 9, "5 1 3 0 4 2"},
		{map[string]int{"train": 9, "b": 9}, 4, "5 1 3 0"},
		{map[string]int{"train": 1, "b": 2}, 9, "5 1 0"},
		{map[string]int{"train": 0, "b": -1}, 9, ""},
		{map[string]int{"x": 1}, 9, ""},
		{map[string]int{"b": 9}, 0, ""},
	} {
		found, err := q.Next(bg, c.room, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint(c.room, c.limit), names(found), c.want)
	}
	begun, err := q.Begin(bg, []jobs.Start{{ID: list[4].ID, Attempt: 1}, {ID: list[2].ID, Attempt: 1}})
	if err != nil || len(begun) != 2 {
		t.Fatal(begun, err)
	}
	active, err := q.ListActive(bg, 5)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "active", names(active), "2 4 5 1 3")
}

func names(list []*jobs.Job) string {
	var all []string
	for _, j := range list {
		all = append(all, j.Name)
	}
	return strings.Join(all, " ")
}

// listed fills a queue whose jobs are named 0, 1, 2, … in order of acceptance.
func listed(t *testing.T) *jobs.Queue {
	q, _ := openQueue(t)
	q.SetCatalog(limits(1))
	var list []*jobs.Job
	add := func(state jobs.State, change func(*jobs.Job)) {
		j := pendingJob()
		j.State = state
		change(j)
		j.Name = strings.TrimSpace(fmt.Sprint(len(list)) + " " + j.Name)
		list = append(list, j)
	}
	code := func(n int) *int { return &n }
	add(jobs.Failed, func(j *jobs.Job) { j.ExitCode, j.Reason = code(137), "exit 137" })
	add(jobs.Completed, func(j *jobs.Job) { j.ExitCode, j.Type = code(0), "b" })
	add(jobs.Failed, func(j *jobs.Job) { j.ExitCode, j.Type = code(1), "b" })
	add(jobs.Pending, func(j *jobs.Job) { j.Labels = map[string]string{"owner": "ada", "q": `a"b`} })
	add(jobs.Pending, func(j *jobs.Job) { j.Type, j.Name = "b", "GRÖSSE 100%_x" })
	add(jobs.Lost, func(j *jobs.Job) { j.Args, j.Source = []string{"lr=0.1", `C:\x`}, "queue:job_queue.txt" })
	add(jobs.Running, func(j *jobs.Job) { j.ID, j.State = "3f2a91c0-0000-4000-8000-000000000000", jobs.Pending })
	accept(t, q, list...)
	if begun, err := q.Begin(bg, []jobs.Start{{ID: list[6].ID, Attempt: 1}}); err != nil || len(begun) != 1 {
		t.Fatal(begun, err)
	}
	return q
}

func TestList(t *testing.T) {
	q := listed(t)
	for _, c := range []struct {
		filter jobs.Filter
		want   string
	}{
		{jobs.Filter{}, "6 5 4 3 2 1 0"},
		{jobs.Filter{Limit: 2}, "6 5"},
		{jobs.Filter{Before: 6, Limit: 2}, "4 3"},
		{jobs.Filter{States: []jobs.State{jobs.Failed}}, "2 0"},
		{jobs.Filter{States: []jobs.State{jobs.Failed, jobs.Lost, jobs.Failed}}, "5 2 0"},
		{jobs.Filter{States: []jobs.State{jobs.Failed, jobs.Lost}, Limit: 2}, "5 2"},
		{jobs.Filter{Type: "b"}, "4 2 1"},
		{jobs.Filter{Type: "b", Limit: 2}, "4 2"},
		{jobs.Filter{Type: "b", States: []jobs.State{jobs.Failed}}, "2"},
		{jobs.Filter{Type: "b", Query: "type:train"}, ""},
		{jobs.Filter{States: []jobs.State{jobs.Failed}, Query: "state:lost"}, ""},
		{jobs.Filter{States: []jobs.State{jobs.Failed, jobs.Lost}, Query: "state:lost"}, "5"},
		{jobs.Filter{Query: "state:failed"}, "2 0"},
		{jobs.Filter{Query: "state:failed,lost"}, "5 2 0"},
		{jobs.Filter{Query: "state:failed state:LOST"}, "5 2 0"},
		{jobs.Filter{Query: "State:Failed type:train exit:137"}, "0"},
		{jobs.Filter{Query: "exit:0"}, "1"},
		{jobs.Filter{Query: "exit:137 exit:0"}, ""},
		{jobs.Filter{Query: "TRAIN.py"}, "6 5 4 3 2 1 0"},
		{jobs.Filter{Query: "b.yaml 137"}, ""},
		{jobs.Filter{Query: "name:größe"}, ""},
		{jobs.Filter{Query: "grösse"}, "4"},
		{jobs.Filter{Query: "name:grösse"}, "4"},
		{jobs.Filter{Query: "100%_x"}, "4"},
		{jobs.Filter{Query: "0%x"}, ""},
		{jobs.Filter{Query: "1_0"}, ""},
		{jobs.Filter{Query: "label:owner"}, "3"},
		{jobs.Filter{Query: "label:owner=ada"}, "3"},
		{jobs.Filter{Query: "label:owner=ad"}, ""},
		{jobs.Filter{Query: `label:"q=a""b"`}, ""},
		{jobs.Filter{Query: "owner=ada"}, "3"},
		{jobs.Filter{Query: "lr=0.1"}, "5"},
		{jobs.Filter{Query: `"lr=0.1 c:\x"`}, "5"},
		{jobs.Filter{Query: `"C:\x"`}, "5"},
		{jobs.Filter{Query: "source:queue"}, "5"},
		{jobs.Filter{Query: "id:3F2A"}, "6"},
		{jobs.Filter{Query: "id:3f2a state:running"}, "6"},
		{jobs.Filter{Query: "id:3f2a state:failed"}, ""},
		{jobs.Filter{Query: "id:3f2a type:b"}, ""},
		{jobs.Filter{Query: "3f2a91c0-0000"}, "6"},
		{jobs.Filter{Query: "limit"}, "4 3"},
		{jobs.Filter{Query: `"type limit"`}, "3"},
		{jobs.Filter{Query: `"limit: 1 of 1"`}, "4"},
		{jobs.Filter{Query: "exit"}, "0"},
		{jobs.Filter{Query: "nowhere"}, ""},
		{jobs.Filter{After: 3}, "6 5 4 3"},
		{jobs.Filter{After: 3, Limit: 2}, "4 3"},
		{jobs.Filter{After: 1, Before: 6, Limit: 2}, "2 1"},
		{jobs.Filter{After: 1, States: []jobs.State{jobs.Failed, jobs.Lost}}, "5 2"},
		{jobs.Filter{Query: "-state:pending,lost"}, "6 2 1 0"},
		{jobs.Filter{Query: "!state:pending !state:lost"}, "6 2 1 0"},
		{jobs.Filter{Query: "-type:b -state:pending"}, "6 5 0"},
		{jobs.Filter{Query: "exit:1,137"}, "2 0"},
		{jobs.Filter{Query: "exit:>0"}, "2 0"},
		{jobs.Filter{Query: "exit:<=1"}, "2 1"},
		{jobs.Filter{Query: "-exit:0"}, "6 5 4 3 2 0"},
		{jobs.Filter{Query: "-label:owner"}, "6 5 4 2 1 0"},
		{jobs.Filter{Query: "!exit"}, "6 5 4 3 2 1"},
		{jobs.Filter{Query: `!"type limit" state:pending`}, "4"},
		{jobs.Filter{Query: "!"}, ""},
		{jobs.Filter{Query: "attempt:1 state:lost"}, "5"},
		{jobs.Filter{Query: "attempt:>1"}, ""},
		{jobs.Filter{Query: "priority:<0"}, ""},
		{jobs.Filter{Query: "-id:3f state:running"}, ""},
		{jobs.Filter{Query: "-id:4f2a id:3f"}, "6"},
		{jobs.Filter{Query: "since:1h state:lost"}, "5"},
		{jobs.Filter{Query: "older:1h"}, ""},
		{jobs.Filter{Query: "-older:1d -since:1h"}, ""},
		{jobs.Filter{Query: "since:2000-01-01 older:2000-01-02T03:04"}, ""},
		{jobs.Filter{Query: "since:2000-01-01T00:00:00Z type:b exit:0"}, "1"},
		{jobs.Filter{Query: "http://x"}, ""},
		{jobs.Filter{Query: `C:\x`}, "5"},
		{jobs.Filter{Query: `"c:\\x"`}, "5"},
		{jobs.Filter{Query: `"q=a\"b"`}, "3"},
		{jobs.Filter{Query: `"state:failed"`}, ""},
		{jobs.Filter{Query: "-lr"}, ""},
		{jobs.Filter{Query: "signal:kill"}, ""},
		{jobs.Filter{Query: "took:1h"}, ""},
		{jobs.Filter{Query: "took:<1h"}, "6"},
		{jobs.Filter{Query: "'; DROP TABLE jobs; --"}, ""},
	} {
		found, err := q.List(bg, c.filter)
		if err != nil {
			t.Fatalf("%+v: %v", c.filter, err)
		}
		var got []string
		for _, j := range found {
			got = append(got, strings.Fields(j.Name)[0])
		}
		same(t, fmt.Sprintf("%+v", c.filter), strings.Join(got, " "), c.want)
	}
}

func TestListOfASweep(t *testing.T) {
	q, _ := openQueue(t)
	const one, two = "3f2a91c0-0000-4000-8000-000000000000", "3f2a91c0-0000-5000-8000-000000000000"
	var list []*jobs.Job
	for i, group := range []string{"", one, two, one, "", two} {
		j := jobOf([]string{"train", "b"}[i%2])
		j.Name, j.Group, j.Labels = fmt.Sprint(i), group, map[string]string{"n": fmt.Sprint(i / 3), "k=v": "a b"}
		j.SubmittedAt = time.UnixMilli(int64(1000 * (10 - i))) // the clock was put back
		if i == 3 {
			j.State = jobs.Failed
		}
		list = append(list, j)
	}
	accept(t, q, list...)
	for _, c := range []struct {
		filter jobs.Filter
		want   string
	}{
		{jobs.Filter{Group: one}, "3 1"},
		{jobs.Filter{Group: strings.ToUpper(one)}, "3 1"},
		{jobs.Filter{Group: one, Limit: 1}, "3"},
		{jobs.Filter{Group: one, States: []jobs.State{jobs.Failed}}, "3"},
		{jobs.Filter{Group: "3f2a91c0"}, "5 3 2 1"},
		{jobs.Filter{Group: "3f2a91c0", Before: 4, Limit: 1}, "2"},
		{jobs.Filter{Group: "3f2a91c0", Type: "train"}, "2"},
		{jobs.Filter{Group: "4"}, ""},
		{jobs.Filter{Group: one, Query: "group:" + two}, ""},
		{jobs.Filter{Group: "no id"}, ""},
		{jobs.Filter{Query: "group:3F2A91C0-0000-5"}, "5 2"},
		{jobs.Filter{Query: "group:3f2a group:" + one + " state:pending"}, "1"},
		{jobs.Filter{Query: "group:3f2a id:" + list[2].ID}, "2"},
		{jobs.Filter{Query: "group:4 id:" + list[2].ID}, ""},
		{jobs.Filter{Labels: map[string]string{"n": ""}}, "5 4 3 2 1 0"},
		{jobs.Filter{Labels: map[string]string{"n": "1"}}, "5 4 3"},
		{jobs.Filter{Labels: map[string]string{"n": "1", "k=v": "a b"}, Group: one}, "3"},
		{jobs.Filter{Labels: map[string]string{"n": "1", "m": ""}}, ""},
		{jobs.Filter{Since: time.UnixMilli(7000)}, "3 2 1 0"},
		{jobs.Filter{Since: time.UnixMilli(7001), Query: "type:train"}, "2 0"},
		{jobs.Filter{Since: time.UnixMilli(1000), Limit: 2}, "5 4"},
		{jobs.Filter{Since: time.Now()}, ""},
	} {
		found, err := q.List(bg, c.filter)
		if err != nil {
			t.Fatalf("%+v: %v", c.filter, err)
		}
		same(t, fmt.Sprintf("%+v", c.filter), names(found), c.want)
	}
}

// Matches that lie far apart are all found, in order and once.
func TestListLooksOnUntilItHasEnough(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	var list []*jobs.Job
	var want []string
	for i := range 2000 {
		j := pendingJob()
		j.Name = "x"
		if i%600 == 7 {
			j.Name, j.Labels = fmt.Sprint(i), map[string]string{"a": "b c"}
			want = append(want, j.Name)
		} else {
			j.Labels = map[string]string{"a": "bc", "c": "b"} // as good to the database, but no match
		}
		list = append(list, j)
	}
	accept(t, q, list...)
	slices.Reverse(want)
	for limit := range 6 {
		found, err := q.List(bg, jobs.Filter{Labels: map[string]string{"a": "b c"}, Limit: limit + 1})
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint(limit), names(found), strings.Join(want[:min(limit+1, len(want))], " "))
	}
}

// However little a step may cost, a walk in either direction sees each match
// once, in order, and comes to the end.
func TestSearchGoesOn(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	var list []*jobs.Job
	for i := range 4000 {
		j := pendingJob()
		j.ID = "0193" + j.ID[4:] // as ids do that begin with a time
		j.Name, j.State = fmt.Sprint(i), []jobs.State{jobs.Completed, jobs.Failed, jobs.Completed, jobs.Lost}[i%4]
		if i%700 == 3 {
			j.State, j.Args = jobs.Failed, []string{"needle"}
		}
		list = append(list, j)
	}
	accept(t, q, list...)
	for _, f := range []jobs.Filter{
		{Query: "needle"}, {Query: "needle state:failed"}, {Query: "needle -state:failed"}, {States: []jobs.State{jobs.Failed, jobs.Lost}},
		{Query: "needle state:failed,lost type:train"}, {Query: "label:none"}, {Type: "train"}, {Query: "state:rejected"}, {Query: "id:0193 needle"},
	} {
		all, err := q.List(bg, jobs.Filter{Query: f.Query, States: f.States, Type: f.Type, Limit: 5000})
		if err != nil {
			t.Fatal(err)
		}
		f.Limit = 7
		down, steps := "", 0
		for more := true; more; steps++ {
			found, err := q.SearchWithin(bg, f, 5000)
			if err != nil || len(found.Jobs) > 7 || !found.Back.IsZero() && found.Next == 0 {
				t.Fatal(found, err)
			}
			down += " " + names(found.Jobs)
			f.Before, more = found.Next, found.Next > 0
		}
		same(t, fmt.Sprintf("down %q", f.Query), strings.Fields(down), strings.Fields(names(all)))
		if strings.HasSuffix(f.Query, "needle") && steps < 3 {
			t.Errorf("%q: a search that may cost little took %d steps", f.Query, steps)
		}
		f.Before, f.After = 0, 1
		up := ""
		for more := true; more; {
			found, err := q.SearchWithin(bg, f, 5000)
			if err != nil {
				t.Fatal(err)
			}
			up = names(found.Jobs) + " " + up
			more = found.Next > 0
			f.After = found.Next
		}
		same(t, fmt.Sprintf("up %q", f.Query), strings.Fields(up), strings.Fields(strings.TrimSuffix(" "+names(all), " 0")))
	}
}

// What is found does not count against the bound: a page is as long as was asked
// for, as long as each job that is looked at is one of it.
func TestSearchFillsThePage(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	var list []*jobs.Job
	for i := range 3000 {
		j := pendingJob()
		j.State = []jobs.State{jobs.Completed, jobs.Failed, jobs.Lost}[i%3]
		list = append(list, j)
	}
	accept(t, q, list...)
	for _, f := range []jobs.Filter{{}, {States: []jobs.State{jobs.Failed, jobs.Lost}}, {Type: "train"}, {Query: "train"}} {
		f.Limit = 500
		found, err := q.Search(bg, f)
		if err != nil || len(found.Jobs) != 500 || found.Next == 0 || !found.Back.IsZero() {
			t.Errorf("%+v: %d jobs, next %d, back %v, %v", f, len(found.Jobs), found.Next, found.Back, err)
		}
	}
}

func TestFilterText(t *testing.T) {
	f := jobs.Filter{
		States: []jobs.State{jobs.Failed, jobs.Lost}, Type: `a "b" c`, Group: "3f2a", Labels: map[string]string{"owner": "ada", "x": ""},
		Since: time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC), Query: `exit:1 "two words"`, Before: 9,
	}
	want := `state:failed,lost type:"a \"b\" c" group:3f2a label:owner=ada label:x since:2026-12-01T02:00:00Z exit:1 "two words"`
	same(t, "text", f.Text(), want)
	q, _ := openQueue(t)
	j := pendingJob()
	j.Type, j.State, j.Labels = f.Type, jobs.Lost, map[string]string{"owner": "ada", "x": "y"}
	accept(t, q, j)
	f = jobs.Filter{Query: jobs.Filter{States: f.States, Type: f.Type, Labels: f.Labels}.Text()}
	if found, err := q.List(bg, f); err != nil || len(found) != 1 {
		t.Errorf("%s finds %d jobs, %v; want 1", f.Query, len(found), err)
	}
}

func TestListWalksEachJobOnce(t *testing.T) {
	q := listed(t)
	for _, f := range []jobs.Filter{{}, {Type: "b"}, {States: jobs.States}, {Query: "train"}} {
		f.Limit = 100
		all, err := q.List(bg, f)
		if err != nil {
			t.Fatal(err)
		}
		var walked []*jobs.Job
		for f.Limit = 1; ; {
			one, err := q.List(bg, f)
			if err != nil {
				t.Fatal(err)
			}
			if len(one) == 0 {
				break
			}
			walked = append(walked, one...)
			f.Before = one[0].Seq
		}
		same(t, fmt.Sprintf("%+v", f), names(walked), names(all))
	}
}

func TestListRefusesBadQueries(t *testing.T) {
	q, _ := openQueue(t)
	known := "The keys are " + strings.Join(jobs.QueryKeys, ", ") + "; quote the word to search for it as it is"
	for query, want := range map[string]jobs.QueryError{
		"stat:failed":            {"stat:failed", 1, 11, `unknown search key "stat"; did you mean "state"? ` + known},
		`größe "b c" d:e`:        {"d:e", 13, 3, `unknown search key "d". ` + known},
		"state:done":             {"state:done", 1, 10, `unknown state "done" in "state:done"; the states are pending, running, completed, failed, cancelled, timeout, lost, rejected`},
		"-state:faild":           {"-state:faild", 1, 12, `unknown state "faild" in "state:faild"; did you mean failed?`},
		"state:failed,":          {"state:failed,", 1, 13, `unknown state "" in "state:failed,"; the states are pending, running, completed, failed, cancelled, timeout, lost, rejected`},
		"a exit:x":               {"exit:x", 3, 6, `"x" in "exit:x" is no exit status`},
		"exit:>1,2":              {"exit:>1,2", 1, 9, `"exit:>1,2" compares with several exit statuses; give one`},
		"type:":                  {"type:", 1, 5, `type: needs a value, as in type:train`},
		"id:xyz":                 {"id:xyz", 1, 6, `"xyz" in "id:xyz" is no beginning of an id`},
		"id:3f id:4":             {"id:4", 7, 4, `a job has only one id`},
		"group:3f group:4":       {"group:4", 10, 7, `a job has only one group`},
		"group:xyz":              {"group:xyz", 1, 9, `"xyz" in "group:xyz" is no beginning of an id`},
		`x !older:"2 d"`:         {"older:2 d", 3, 12, `"2 d" in "older:2 d" is no time; give how long ago, as in older:36h or older:2d, or a date, as in older:2026-12-01 or older:2026-12-01T14:30`},
		"took:long":              {"took:long", 1, 9, `"long" in "took:long" is no duration; give one as in took:90s, took:2h or took:<5m`},
		"attempt:many":           {"attempt:many", 1, 12, `"many" in "attempt:many" is no whole number; give one as in attempt:1 or attempt:>1`},
		strings.Repeat("a", 501): {strings.Repeat("a", 501), 0, 0, `the search is longer than 500 letters`},
		strings.Repeat("a ", 17): {strings.Repeat("a ", 17), 0, 0, `the search has more than 16 words`},
	} {
		_, err := q.List(bg, jobs.Filter{Query: query})
		var bad *jobs.QueryError
		if !errors.As(err, &bad) || *bad != want {
			t.Errorf("%q:\n got %#v\nwant %#v", query, err, want)
		}
	}
}

// Each of these must cost the same however long the queue is: an index, and
// neither a walk through the table nor a sort.
func TestQueriesAreLookUps(t *testing.T) {
	q, _ := openQueue(t)
	for range 20 {
		accept(t, q, pendingJob())
	}
	failed := jobOf("a")
	failed.State, failed.Group = jobs.Failed, "3f2a91c0-0000-4000-8000-000000000000"
	failed.SubmittedAt = time.Now().Add(-time.Hour)
	accept(t, q, failed)
	plans, err := q.Plans(bg)
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 35 {
		t.Errorf("only %d plans", len(plans))
	}
	ordered := []string{"list", "list, step"} // they walk the table by its key, downwards
	sorted := []string{"spans", "list id", "list id, step", "receipts of", "ends", "last of"}
	for name, plan := range plans {
		if strings.Contains(plan, "SCAN jobs\n") && !slices.Contains(ordered, name) {
			t.Errorf("%s reads the whole table:\n%s", name, plan)
		}
		if strings.Contains(plan, "TEMP B-TREE") && !slices.Contains(sorted, name) {
			t.Errorf("%s sorts:\n%s", name, plan)
		}
		if !strings.Contains(plan, "USING") {
			t.Errorf("%s uses no index:\n%s", name, plan)
		}
		t.Logf("%s: %s", name, plan)
	}
}

// What a job waits for keeps it from being next, each by itself.
func TestNextLeavesOutWhatMustWait(t *testing.T) {
	q, path := openQueue(t)
	for _, change := range []string{"doubt = 1", "hold = 1", "unmet = 1", "due = 1", "state = 'RUNNING'", "priority = -1"} {
		j := pendingJob()
		j.Name = change
		accept(t, q, j)
		edit(t, path, "UPDATE jobs SET "+change+" WHERE id = ?", j.ID)
	}
	found, err := q.Next(bg, map[string]int{"train": 9}, 9)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "next", names(found), "priority = -1")
}
