package ui_test

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

func typesCatalog() *jobs.Catalog {
	limit := 3.5
	nice := 5
	return &jobs.Catalog{MaxConcurrent: 2, Types: map[string]*jobs.Type{
		"train": {
			Name: "train", Description: "Trains <a> model", Command: []string{"python3", "-u", "train.py"}, Env: map[string]string{"TOKEN": "hush-hush"},
			EnvPass: []string{"SSH_AUTH_SOCK"}, EnvAllow: []string{"EPOCHS"}, Timeout: 2 * time.Hour, KillGrace: 10 * time.Second, MaxConcurrent: 1,
			Slots: map[string]int{"gpu": 2}, MaxRetries: 2, RetryDelay: 30 * time.Second, RetryOn: jobs.RetryRules{Codes: []int{75}, Lost: true},
			SuccessCodes: []int{0, 3}, MemoryLimit: 4 << 30, CPULimit: limit, Nice: &nice, Umask: 0o27, Args: jobs.ArgRules{Min: 1, Max: 1, Pattern: regexp.MustCompile(`^(?:[0-9]+)$`)},
			Params: []jobs.Param{{Name: "lr", Kind: jobs.ParamFloat, Default: "0.1", HasDefault: true}, {Name: "key", Kind: jobs.ParamSecret, Default: "hush-hush", HasDefault: true}},
		},
		"quick": {Name: "quick", Interpreter: []string{"python3"}, Scripts: "/srv/scripts", Extensions: []string{".py"}, Args: jobs.ArgRules{Max: -1}, Umask: -1},
	}, Schedules: []jobs.Schedule{
		{Name: "nightly", Cron: "0 2 * * *", Zone: time.UTC, Request: &jobs.Request{Type: "train", Args: []string{"5"}},
			Next: func(now time.Time) time.Time { return now.Add(3 * time.Hour) }},
		{Name: "often", Every: 90 * time.Minute, Request: &jobs.Request{Script: "a.py"}, Next: func(now time.Time) time.Time { return now.Add(time.Hour) }},
	}}
}

func TestTypes(t *testing.T) {
	s := newSite(t)
	s.opts.Catalog = typesCatalog
	s.ranFor(jobs.Job{Type: "train", Target: "train"}, 3*time.Hour, time.Hour, exited(jobs.Completed, 0), nil)
	failed := s.ranFor(jobs.Job{Type: "train", Target: "train"}, 2*time.Hour, time.Minute, exited(jobs.Failed, 1), nil)
	s.ranFor(jobs.Job{Type: "train", Target: "train"}, time.Hour, 0, jobs.Ending{}, nil)
	s.add(jobs.Job{Type: "train", Target: "train"})
	s.add(jobs.Job{Type: "old/<b>"})
	if _, err := s.queue.Execute(t.Context(), jobs.Command{Action: jobs.Pause, Type: "train"}); err != nil {
		t.Fatal(err)
	}
	got := s.get("/types")
	got.contains(t, `<h2><a href="/types/train">train</a> <small class="st warn">paused</small></h2>`, "Trains &lt;a&gt; model", "python3 -u train.py", "python3 SCRIPT",
		`<span class="st s-completed" title="COMPLETED">✓</span><span class="st s-failed" title="FAILED">✗</span>`, "50 % <small>COMPLETED</small>", "1 min 00 … 1 h 00 <small>to run</small>",
		`<a href="/jobs?q=state%3Arunning&#43;type%3Atrain">1 running</a>`, "1 waiting</a>", ">1 failed</a>",
		`<a href="/types/old%2F%3Cb%3E">old/&lt;b&gt;</a> <small class="st warn">not configured any more</small>`)
	got.lacks(t, "hush-hush", "ZgotmplZ")

	got = s.get("/types/train")
	got.contains(t, "<title>Type train lab · jobrunner</title>", `<pre class="cmd">python3 -u train.py</pre>`, "TOKEN", "SSH_AUTH_SOCK", "EPOCHS", "2h0m0s", "2 gpu",
		"2, the first after 30s<br>of exit 75, LOST", "exit 0, 3", "4.0 GiB of memory", "3.5 processors", "nice 5", "umask 0027", "1, each [0-9]&#43;",
		"lr: float, 0.1 unless given<br>key: secret", `<svg class="plot"`, "How long the latest 2 took, up to 1 h 00",
		`href="/jobs/`+failed.ID[:8]+`" title="FAILED, took 1 min 00"`, `<a href="/jobs?q=state%3Afailed&#43;type%3Atrain">1 FAILED</a>`,
		"<b>nightly</b> <code>0 2 * * * UTC</code> train 5 <span>next <time")
	got.lacks(t, "hush-hush", "often", "ZgotmplZ")
	s.get("/types/quick").contains(t, "/srv/scripts", "any number", "None of its jobs has run yet.")
	s.get("/types/old%2F%3Cb%3E").contains(t, "does not have this type any more", "1 PENDING")
	if got := s.get("/types/none"); got.code != 404 {
		t.Errorf("a type that nobody knows = %d, want 404", got.code)
	}
}

// Of many types a page shows as many as it has room for and leads on to the rest.
func TestManyTypes(t *testing.T) {
	s := newSite(t)
	catalog := &jobs.Catalog{Types: map[string]*jobs.Type{}}
	for n := range 120 {
		name := fmt.Sprintf("type%03d", n)
		catalog.Types[name] = &jobs.Type{Name: name, Description: strings.Repeat(nasty, 20), Command: []string{strings.Repeat(nasty, 20)}}
	}
	s.opts.Catalog = func() *jobs.Catalog { return catalog }
	s.opts.Status = troubled
	var states []jobs.Job
	for n := range 40 {
		states = append(states, jobs.Job{Type: "type007", State: []jobs.State{jobs.Completed, jobs.Failed}[n%2]})
	}
	s.addAll(states...)
	s.edit("UPDATE jobs SET started_at = submitted_at, finished_at = submitted_at + 1000")
	seen := map[string]int{}
	pages := 0
	for path := "/types"; path != "" && pages < 20; pages++ {
		got := s.get(path)
		if got.code != 200 || len(got.body) > ui.MaxPage {
			t.Fatalf("GET %s = %d with %d bytes", path, got.code, len(got.body))
		}
		got.lacks(t, "<script>", "\x1b")
		for _, m := range regexp.MustCompile(`<h2><a href="/types/(type\d+)">`).FindAllStringSubmatch(got.body, -1) {
			seen[m[1]]++
		}
		path = ""
		if m := regexp.MustCompile(`<a href="([^"]+)" rel="next">More types</a>`).FindStringSubmatch(got.body); m != nil {
			path = html.UnescapeString(m[1])
		}
	}
	if len(seen) != 120 || pages < 2 {
		t.Errorf("%d pages with %d types, want all 120", pages, len(seen))
	}
	for name, n := range seen {
		if n != 1 {
			t.Errorf("type %s is there %d times", name, n)
		}
	}
	got := s.get("/types/type007")
	if len(got.body) > ui.MaxPage {
		t.Errorf("the page of a type has %d bytes", len(got.body))
	}
}
