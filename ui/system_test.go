package ui_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

func TestSystem(t *testing.T) {
	s := newSite(t)
	s.opts.Catalog = typesCatalog
	s.opts.Ready = func() error { return errors.New("starting <or> stopping") }
	s.opts.Status = func() ui.Status {
		return ui.Status{
			Version: "1.2.3", Node: "lab", MaxConcurrent: 2, StartedAt: time.Now().Add(-26*time.Hour - 30*time.Minute),
			Notes: []ui.Note{{Level: ui.Warn, Text: "job_queue.txt is only read"}}, Ignored: []ui.Ignored{{Name: "notes.md", Why: "its name"}},
			System: ui.System{
				PID: 4711, Supervisor: "pid 4712, speaks protocol 3", Database: 5 << 20, Retention: "ended jobs stay for ever", Events: "polling every 2s",
				QueueFile: "job_queue.txt is only read",
				Config: ui.ConfigState{Path: "/srv/jobrunner.yaml", LoadedAt: time.Now().Add(-90 * time.Minute),
					Faults: []string{`jobrunner.yaml:3:1: unknown key "<a>"`, "jobrunner.yaml:4:1: second"}},
				Settings: []ui.Setting{{Name: "inbox", Value: "/srv/inbox", Next: "/srv/new"}},
				Places:   []ui.Place{{What: "state folder", Path: "/srv/.jobrunner", Free: 1 << 30, Total: 4 << 30}, {What: "inbox", Path: "/srv/inbox"}},
			},
		}
	}
	j := s.add(jobs.Job{Args: []string{"a b"}})
	s.start(j, "")
	s.end(j, exited(jobs.Failed, 7))
	refused := s.add(jobs.Job{State: jobs.Rejected, Target: "cuntdown", Reason: `job_queue.txt:14: unknown type "cuntdown"`})
	got := s.get("/system")
	got.contains(t, "no: starting &lt;or&gt; stopping", "1.2.3", "go1.", "pid 4711", "26 h ago", "pid 4712, speaks protocol 3", "0 of 2 at once", "<dt>Jobs known</dt><dd>2</dd>",
		"5.0 MiB", "ended jobs stay for ever", "polling every 2s", "job_queue.txt is only read", "/srv/jobrunner.yaml", "1 h ago",
		"jobrunner.yaml:3:1: unknown key &#34;&lt;a&gt;&#34;", "jobrunner.yaml:4:1: second", "<code>inbox</code> /srv/inbox <small>from the next start on: /srv/new</small>",
		`<progress max="100" value="75"`, "1.0 GiB free of 4.0 GiB", "notes.md", "<b>often</b> <code>every 1h30m0s</code> a.py",
		`<a class="what" href="/jobs/`+refused.ID+`">cuntdown</a>`, "job_queue.txt:14: unknown type",
		`<a class="what" href="/jobs/`+j.ID[:8]+`">quick &#39;a b&#39;</a> <small>exit 7</small>`, "started <a", "accepted <a")
	got.lacks(t, "ZgotmplZ", "(no value)", "hush-hush")
	if strings.Index(got.body, "exit 7</small>") > strings.Index(got.body, "started <a") {
		t.Error("the latest event is not on top")
	}
}

func TestSystemSaysLittleOfWhatItDoesNotKnow(t *testing.T) {
	s := newSite(t)
	s.opts.Status = nil
	got := s.get("/system")
	got.contains(t, "<dt>Takes requests</dt><dd>yes</dd>", "none is connected", "Nothing yet.", "None.")
	got.lacks(t, "<h2>Places</h2>", "<h2>Schedules</h2>", "Settings in force", "pid 0", "<dt>Database</dt>", "not in force")
}

func TestSystemStaysInBounds(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat(nasty, 100)
	s.opts.Status = func() ui.Status {
		st := troubled()
		st.System = ui.System{PID: 1, Supervisor: long, Retention: long, Events: long, QueueFile: long, Config: ui.ConfigState{Path: long}}
		for range 40 {
			st.System.Config.Faults = append(st.System.Config.Faults, long)
			st.System.Places = append(st.System.Places, ui.Place{What: long, Path: long, Free: 1, Total: 2})
			st.System.Settings = append(st.System.Settings, ui.Setting{Name: long, Value: long, Next: long})
		}
		return st
	}
	catalog := &jobs.Catalog{}
	for range 60 {
		catalog.Schedules = append(catalog.Schedules, jobs.Schedule{Name: long[:60], Cron: long, Request: &jobs.Request{Script: long, Args: []string{long}},
			Next: func(now time.Time) time.Time { return now }})
	}
	s.opts.Catalog = func() *jobs.Catalog { return catalog }
	for range 30 {
		nastyJob(s, jobs.Rejected)
		nastyJob(s, jobs.Pending)
	}
	got := s.get("/system")
	t.Logf("%d bytes", len(got.body))
	if got.code != 200 || len(got.body) > ui.MaxPage {
		t.Errorf("GET /system = %d with %d bytes, want %d at most", got.code, len(got.body), ui.MaxPage)
	}
	got.lacks(t, "<script>", "\x1b", "\u202e")
}
