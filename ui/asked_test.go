package ui_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// addAfter takes in a job that waits for others to have COMPLETED, and for some
// only to end.
func (s *site) addAfter(j jobs.Job, after []*jobs.Job, any ...*jobs.Job) *jobs.Job {
	s.t.Helper()
	j.ID = fmt.Sprintf("%08x-0000-4000-8000-%012x", time.Now().UnixNano()&0xffffffff, time.Now().UnixNano()&0xffffffffff)
	j.Type, j.Target = cmp.Or(j.Type, "quick"), cmp.Or(j.Target, "quick")
	j.State, j.Attempt = jobs.Pending, 1
	e := jobs.Entry{Job: &j}
	for _, on := range after {
		e.Waits = append(e.Waits, jobs.Wait{On: on.ID})
	}
	for _, on := range any {
		e.Waits = append(e.Waits, jobs.Wait{On: on.ID, Any: true})
	}
	out, err := s.queue.Accept(context.Background(), jobs.Intake{Entries: []jobs.Entry{e}})
	if err != nil {
		s.t.Fatal(err)
	}
	return out[0].Job
}

// command carries one out.
func (s *site) command(c jobs.Command) {
	s.t.Helper()
	if out, err := s.queue.Execute(context.Background(), c); err != nil || out.State != jobs.Completed {
		s.t.Fatalf("%+v = %+v, %v; want COMPLETED", c, out, err)
	}
}

// demandingJobs adds jobs that ask for all there is: one that waits and one
// that is at its third attempt. It pauses a type and drains.
func demandingJobs(s *site) (waiting, tried *jobs.Job) {
	sweep := jobs.Job{
		Type: "train", Target: "train.py", Args: []string{"--lr", "0.1"}, Group: "3f2a91c0-0000-4000-8000-000000000000",
		Params: map[string]string{"lr": "0.1", "model": "resnet"}, Retries: 3, UniqueKey: "nightly",
		NotBefore: time.Now().Add(90 * time.Minute),
	}
	first, second := s.add(jobs.Job{Args: []string{"prepare"}}), s.add(jobs.Job{Args: []string{"fetch", "a b"}})
	s.start(first, "")
	waiting = s.addAfter(sweep, []*jobs.Job{first}, second)
	sweep.NotBefore, sweep.UniqueKey, sweep.Group = time.Time{}, "", "3f2a91c0-0000-4000-8000-000000000001" // a known one takes no more
	tried = s.add(sweep)
	for n := range 3 {
		s.startWith(tried, "epoch 1\nepoch 2\n", jobs.StartInfo{
			Limits: "memory 4GiB by cgroup, cpu 1.5 by cgroup", Script: strings.Repeat("a", 64),
		}, map[string][]string{"gpu": {"0", "1"}, "licence": {"b"}})
		if n < 2 {
			s.end(tried, exited(jobs.Failed, 137-n))
			s.command(jobs.Command{Action: jobs.Retry, IDs: []string{tried.ID}})
			s.write(fmt.Sprintf("logs/%s.%d.log", tried.ID, n+1), "epoch 1\n")
			tried = s.job(tried.ID)
		}
	}
	s.add(jobs.Job{Args: []string{"held"}, Hold: true})
	s.command(jobs.Command{Action: jobs.Pause, Type: "train"})
	s.command(jobs.Command{Action: jobs.Drain})
	return waiting, tried
}

func TestOverviewSaysWhatIsPaused(t *testing.T) {
	s := newSite(t)
	s.get("/").lacks(t, "paused", "draining", "jobrunner resume")
	s.add(jobs.Job{})
	s.command(jobs.Command{Action: jobs.Pause, Type: "train"})
	got := s.get("/")
	got.contains(t, "No job of type train starts. To end the pause: <code>jobrunner resume train</code>")
	got.lacks(t, "No job starts")
	s.command(jobs.Command{Action: jobs.Pause})
	s.command(jobs.Command{Action: jobs.Drain})
	s.get("/").contains(t, "<b>paused</b> No job starts; what runs goes on. To end the pause: <code>jobrunner resume</code>",
		"<b>draining</b> No job starts; as nothing runs any more, the daemon ends. To go on instead: <code>jobrunner resume</code>",
		"jobrunner resume train", `<span class="why">paused</span>`)
	s.command(jobs.Command{Action: jobs.Resume})
	s.command(jobs.Command{Action: jobs.Resume, Type: "train"})
	s.get("/").lacks(t, "paused", "draining", "jobrunner resume")
}

func TestJobPageSaysWhatWasAskedFor(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{
		Group: "3f2a91c0-0000-4000-8000-000000000000", Params: map[string]string{"lr": "0.1", "model": "a"}, Hold: true, Retries: 3,
		UniqueKey: "nightly", NotBefore: time.Date(2126, 12, 1, 2, 0, 0, 0, time.UTC),
	})
	got := s.get("/jobs/" + j.ID)
	got.contains(t, "lr: 0.1<br>model: a", "<dt>Held</dt>", "0 of 3 retries used", "<dt>Unique key</dt><dd>nightly</dd>", `datetime="2126-12-01T02:00:00.000Z"`,
		`<a href="/jobs?q=group:3f2a91c0-0000-4000-8000-000000000000">3f2a91c0</a>`, "jobrunner release "+j.ID[:8], "jobrunner cancel "+j.ID[:8],
		"cannot be said yet")
	s.get("/jobs?q=group:3f2a91c0-0000-4000-8000-000000000000").contains(t, j.ID)
	if got := s.get("/jobs/3f2a91c0"); got.code != 302 || got.header.Get("Location") != "/jobs?q=group:3f2a91c0-0000-4000-8000-000000000000" {
		t.Errorf("the sweep's id = %d to %q, want 302 to its jobs", got.code, got.header.Get("Location"))
	}

	running := s.add(jobs.Job{})
	s.startWith(running, "", jobs.StartInfo{Limits: "memory 4GiB by cgroup", Script: strings.Repeat("a", 64)},
		map[string][]string{"gpu": {"0", "1"}})
	got = s.get("/jobs/" + running.ID)
	got.contains(t, "<dt>Slots</dt><dd>gpu 0, 1</dd>", "<dt>Limits</dt><dd>memory 4GiB by cgroup</dd>", "changed since the job was accepted")
	got.lacks(t, "Expected to start", "<dt>Held</dt>", "retries used")
}

func TestJobPageSaysWhatItWaitsFor(t *testing.T) {
	s := newSite(t)
	done, other := s.add(jobs.Job{Args: []string{"first"}}), s.add(jobs.Job{Args: []string{"<second>"}})
	s.start(done, "")
	j := s.addAfter(jobs.Job{}, []*jobs.Job{done}, other)
	got := s.get("/jobs/" + j.ID)
	got.contains(t, "after "+done.ID[:8]+", "+other.ID[:8], "<h2>Waits for</h2>", `href="/jobs/`+done.ID+`">quick first</a>`, "quick &#39;&lt;second&gt;&#39;",
		"has to be COMPLETED", "has to end", "cannot be said yet")
	s.end(done, exited(jobs.Completed, 0))
	s.command(jobs.Command{Action: jobs.Cancel, IDs: []string{other.ID}})
	got = s.get("/jobs/" + j.ID)
	got.contains(t, "ready to start", "CANCELLED</span>", "Expected to start <time", "there is room for it")
	s.start(j, "")
	s.get("/jobs/"+j.ID).contains(t, "<h2>Waited for</h2>")
	s.get("/jobs/"+other.ID).lacks(t, "Waits for", "Waited for")

	var many []*jobs.Job
	for range 20 {
		many = append(many, s.add(jobs.Job{}))
	}
	s.get("/jobs/"+s.addAfter(jobs.Job{}, many).ID).contains(t, "and 12 more</small></h2>", ", and 17 more")
}

func TestJobPageSaysWhenItStarts(t *testing.T) {
	s := newSite(t)
	first := s.add(jobs.Job{Type: "train", Target: "train"})
	s.start(first, "")
	second := s.add(jobs.Job{Type: "train", Target: "train"})
	s.get("/jobs/"+second.ID).contains(t, "cannot be said yet", "how long jobs run is not known yet of train")
	third := s.add(jobs.Job{Type: "train", Target: "train"})
	e := exited(jobs.Completed, 0)
	e.FinishedAt = e.FinishedAt.Add(time.Hour)
	s.end(first, e)
	s.get("/jobs/"+third.ID).contains(t, "jobs before it: 1", "in about 1 h", "median run times: train 1h0m0s (1 run)")
	if first = s.job(first.ID); first.State != jobs.Completed {
		t.Errorf("the first is %s", first.State)
	}
	s.get("/jobs/"+first.ID).contains(t, "jobrunner rerun "+first.ID[:8])
}

func (s *site) job(id string) *jobs.Job {
	s.t.Helper()
	j, err := s.queue.Job(context.Background(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return j
}

func TestAttemptsAreShown(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{Retries: 15})
	s.start(j, "one\n")
	s.end(j, exited(jobs.Failed, 7))
	s.get("/jobs/"+j.ID).lacks(t, "<h2>Attempts") // the page says all of it
	for n := 2; n <= 12; n++ {
		s.command(jobs.Command{Action: jobs.Retry, IDs: []string{j.ID}})
		s.write(fmt.Sprintf("logs/%s.%d.log", j.ID, n-1), fmt.Sprintf("attempt %d\n", n-1))
		j = s.job(j.ID)
		s.start(j, "latest\n")
		if n < 12 {
			s.end(j, jobs.Ending{State: jobs.Failed, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL", FinishedAt: time.Now()})
		}
	}
	attempts := region(t, s.get("/jobs/"+j.ID).body, "attempts")
	for _, want := range []string{"<h2>Attempts <small>and 3 earlier</small></h2>", "<b>11</b> signal 9 (SIGKILL)", "<b>4</b>",
		`<a href="/jobs/` + j.ID + `/log?attempt=11">output of attempt 11</a>`, ", took "} {
		if !strings.Contains(attempts, want) {
			t.Errorf("the attempts have no %q:\n%s", want, attempts)
		}
	}
	if strings.Contains(attempts, "<b>3</b>") {
		t.Errorf("an attempt too many:\n%s", attempts)
	}
	if got := s.get("/api/v1/jobs/" + j.ID + "/log?attempt=11"); got.body != "attempt 11\n" {
		t.Errorf("its log: got %d %q", got.code, got.body)
	}
	var api struct {
		Attempts []struct {
			Attempt  int
			State    jobs.State
			Reason   string
			ExitCode *int `json:"exit_code"`
			Log      string
		}
	}
	if err := json.Unmarshal([]byte(s.get("/api/v1/jobs/"+j.ID).body), &api); err != nil || len(api.Attempts) != 11 {
		t.Fatalf("%v, %d attempts, want 11", err, len(api.Attempts))
	}
	if a := api.Attempts[0]; a.Attempt != 1 || a.State != jobs.Failed || a.Reason != "exit 7" || a.ExitCode == nil || *a.ExitCode != 7 || a.Log == "" {
		t.Errorf("the first attempt is %+v", a)
	}
}

func TestAPIFilters(t *testing.T) {
	s := newSite(t)
	const group = "3f2a91c0-0000-4000-8000-000000000000"
	old := s.add(jobs.Job{SubmittedAt: time.Now().Add(-48 * time.Hour), Labels: map[string]string{"owner": "ada", "n": "1"}})
	swept := s.addAll(jobs.Job{Group: group, Labels: map[string]string{"owner": "bob"}},
		jobs.Job{Group: group, SubmittedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Labels: map[string]string{"eq": "a=b"}})
	one, two := swept[0], swept[1]
	for query, want := range map[string][]string{
		"group=" + group:                          {two.ID, one.ID},
		"group=3F2A&limit=1":                      {two.ID},
		"group=&label=&since=":                    {two.ID, one.ID, old.ID},
		"q=group:3f2a91c0":                        {two.ID, one.ID},
		"label=owner":                             {one.ID, old.ID},
		"label=owner=ada":                         {old.ID},
		"label=owner&label=n=1":                   {old.ID},
		"label=owner=ada&label=owner":             {old.ID},
		"label=owner=bob&label=n=1":               nil,
		"label=eq%3Da%3Db":                        {two.ID},
		"since=24h":                               {one.ID},
		"since=100h":                              {one.ID, old.ID},
		"since=2026-01-02T03:04:05Z":              {two.ID, one.ID, old.ID},
		"since=2026-01-02T04:04:05%2B01:00":       {two.ID, one.ID, old.ID},
		"since=2026-01-02T04:04:05+01:00":         {two.ID, one.ID, old.ID},
		"since=2026-01-02T03:04:06Z":              {one.ID, old.ID},
		"since=2026-01-02T03:04:06Z&group=3f2a91": {one.ID},
	} {
		if got := ids(s.listing("/api/v1/jobs?" + query)); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"group=xyz": "id of a sweep", "group=" + group + "0": "id of a sweep", "label==a": "want key or key=value",
		"label=a=1&label=a=2": "two values at once", "since=yesterday": "2026-12-01T02:00:00Z", "since=-1h": "or a duration",
		"q=group:xyz": "no beginning of an id", "label=" + strings.Repeat("x", 501): "500 bytes",
	} {
		got := s.get("/api/v1/jobs?" + query)
		if got.code != 400 {
			t.Errorf("%s = %d, want 400", query, got.code)
		}
		got.contains(t, want)
	}
}

// The links to older jobs keep every filter.
func TestListKeepsFilters(t *testing.T) {
	s := newSite(t)
	const group = "3f2a91c0-0000-4000-8000-000000000000"
	var list []jobs.Job
	for range 55 {
		list = append(list, jobs.Job{Group: group, Labels: map[string]string{"a": "b=", "c": ""}}, jobs.Job{Labels: map[string]string{"a": "b=", "c": ""}})
	}
	s.addAll(list...)
	got := s.get("/jobs?group=3f2a91c0&label=c&label=a%3Db%3D&since=1h")
	if n := len(got.listed()); n != 50 {
		t.Errorf("the first page has %d rows, want 50", n)
	}
	if n := len(s.get(got.link("next")).listed()); n != 5 {
		t.Errorf("GET %s has %d rows, want 5", got.link("next"), n)
	}
}

func TestAPISchedules(t *testing.T) {
	s := newSite(t)
	if got := s.get("/api/v1/schedules"); got.body != `{"schedules":[]}`+"\n" {
		t.Errorf("none: got %d %q", got.code, got.body)
	}
	next, last := time.Date(2126, 12, 1, 2, 0, 0, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	catalog := &jobs.Catalog{Schedules: []jobs.Schedule{
		{Name: "nightly", Cron: "0 2 * * *", Zone: time.UTC, CatchUp: jobs.CatchUpNone, Overlap: jobs.OverlapSkip,
			Request: &jobs.Request{Type: "train", Args: []string{"1"}, Params: map[string]string{"token": "hush-hush"}, Env: map[string]string{"T": "hush-hush"}},
			Next:    func(time.Time) time.Time { return next }},
		{Name: "often", Every: 90 * time.Minute, Zone: time.UTC, CatchUp: jobs.CatchUpAll, Overlap: jobs.OverlapQueue,
			Request: &jobs.Request{Script: "a.py"}, Next: func(time.Time) time.Time { return next.Add(time.Hour) }},
	}}
	s.opts.Catalog = func() *jobs.Catalog { return catalog }
	j := s.add(jobs.Job{})
	if err := s.queue.PutSchedule(t.Context(), jobs.ScheduleState{Name: "nightly", NextAt: next, LastAt: last, Jobs: []string{j.ID}}); err != nil {
		t.Fatal(err)
	}
	got := s.get("/api/v1/schedules")
	got.lacks(t, "hush-hush")
	got.contains(t, `{"schedules":[{"name":"nightly","cron":"0 2 * * *","tz":"UTC","catch_up":"none","overlap":"skip",`+
		`"next_at":"2126-12-01T02:00:00.000Z","last_at":"2026-01-02T03:04:05.000Z","jobs":["`+j.ID+`"],`,
		`"request":{"type":"train","args":["1"]}`,
		`{"name":"often","every":"1h30m0s","tz":"UTC","catch_up":"all","overlap":"queue","next_at":"2126-12-01T03:00:00.000Z","jobs":[],`,
		`"request":{"script":"a.py","args":[]}`)
}

// With everything that a request can ask for and a command can bring about, a
// page stays in its bounds.
func TestNastyDemandsStayInBounds(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat(nasty+" + ", 400)
	params, slots := map[string]string{}, map[string][]string{}
	for i := range 40 {
		params[fmt.Sprint(nasty, i)] = long
		slots[fmt.Sprint(nasty, i)] = []string{nasty, nasty}
	}
	var many []*jobs.Job
	for range 40 {
		many = append(many, nastyJob(s, jobs.Pending))
	}
	j := *nastyJob(s, jobs.Completed)
	j.Params, j.Group, j.UniqueKey, j.Retries, j.NotBefore = params, long, long, 100, time.Now()
	job := s.addAfter(j, nil, many...)
	s.opts.Status = troubled
	waits := s.get("/jobs/" + job.ID)
	for _, on := range many {
		s.command(jobs.Command{Action: jobs.Cancel, IDs: []string{on.ID}})
	}
	for n := range 14 {
		one := s.job(job.ID)
		s.startWith(one, strings.Repeat(nasty+"\n", 3000), jobs.StartInfo{Limits: long, Script: long}, slots)
		s.write(fmt.Sprintf("logs/%s.%d.log", one.ID, one.Attempt), "x")
		s.end(one, jobs.Ending{State: jobs.Failed, Reason: long, Signal: long, FinishedAt: time.Now()})
		if n < 13 {
			s.command(jobs.Command{Action: jobs.Retry, IDs: []string{one.ID}})
		}
	}
	for i := range 50 {
		s.command(jobs.Command{Action: jobs.Pause, Type: fmt.Sprint(long, i)})
	}
	for name, got := range map[string]answer{"waits": waits, "attempts": s.get("/jobs/" + job.ID), "overview": s.get("/")} {
		t.Logf("%s: %d, %d bytes", name, got.code, len(got.body))
		if len(got.body) > ui.MaxPage || got.code != 200 {
			t.Errorf("%s = %d with %d bytes, want 200 and %d bytes at most", name, got.code, len(got.body), ui.MaxPage)
		}
		got.lacks(t, "<script>", "<img")
		if i := strings.IndexAny(got.body, "\x00\x07\x1b\r\u0085\u009b\u202e\u2028\u2066"); i >= 0 {
			t.Errorf("%s has a raw control character: %q", name, got.body[max(0, i-60):i+10])
		}
	}
}
