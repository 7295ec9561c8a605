package ui_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

type listAnswer struct {
	Jobs []map[string]any `json:"jobs"`
	Next string           `json:"next"`
}

func (s *site) listing(target string) listAnswer {
	s.t.Helper()
	got := s.get(target)
	var out listAnswer
	if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.code != 200 {
		s.t.Fatalf("GET %s = %d %q, %v", target, got.code, got.body, err)
	}
	return out
}

func ids(l listAnswer) []string {
	var out []string
	for _, j := range l.Jobs {
		out = append(out, j["id"].(string))
	}
	return out
}

func TestAPIListWalk(t *testing.T) {
	s := newSite(t)
	if got := s.get("/api/v1/jobs"); got.body != `{"jobs":[]}`+"\n" {
		t.Errorf("no jobs: got %q", got.body)
	}
	var want []string
	for i := range 7 {
		j := s.add(jobs.Job{Args: []string{fmt.Sprint(i)}})
		want = append(want, j.ID)
	}
	slices.Reverse(want) // newest first
	var walked []string
	next := ""
	for page := 0; ; page++ {
		l := s.listing("/api/v1/jobs?limit=3&cursor=" + url.QueryEscape(next))
		walked = append(walked, ids(l)...)
		if page == 0 { // neither a new job nor a new state disturbs a walk
			s.add(jobs.Job{})
			s.start(&jobs.Job{ID: want[4], Attempt: 1}, "")
		}
		if next = l.Next; next == "" {
			break
		}
	}
	if !slices.Equal(walked, want) {
		t.Errorf("walked %v, want %v", walked, want)
	}
	if l := s.listing("/api/v1/jobs?limit=8"); len(l.Jobs) != 8 || l.Next != "" {
		t.Errorf("limit of all: %d jobs, next %q; want 8 and none", len(l.Jobs), l.Next)
	}
}

func TestAPIListFilters(t *testing.T) {
	s := newSite(t)
	pending := s.add(jobs.Job{Type: "train", Target: "train", Args: []string{"--lr", "0.1"}})
	running := s.add(jobs.Job{Type: "train", Target: "train"})
	s.start(running, "")
	failed := s.add(jobs.Job{})
	s.start(failed, "")
	s.end(failed, exited(jobs.Failed, 7))
	tests := []struct {
		query string
		want  []string
	}{
		{"", []string{failed.ID, running.ID, pending.ID}},
		{"state=RUNNING", []string{running.ID}},
		{"state=running&state=Failed", []string{failed.ID, running.ID}},
		{"state=pending,failed", []string{failed.ID, pending.ID}},
		{"state=pending,&state=", []string{pending.ID}},
		{"state=&type=&q=&limit=&cursor=", []string{failed.ID, running.ID, pending.ID}},
		{"type=train", []string{running.ID, pending.ID}},
		{"type=train&state=pending", []string{pending.ID}},
		{"type=none", nil},
		{"q=0.1", []string{pending.ID}},
		{"q=state:failed+exit:7", []string{failed.ID}},
	}
	for _, tt := range tests {
		if got := ids(s.listing("/api/v1/jobs?" + tt.query)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.query, got, tt.want)
		}
	}
}

func TestAPIErrors(t *testing.T) {
	s := newSite(t)
	a := s.add(jobs.Job{ID: "abcd1111-0000-4000-8000-000000000001"})
	s.add(jobs.Job{ID: "abcd2222-0000-4000-8000-000000000002"})
	tests := []struct {
		path string
		code int
		want string // part of the words
	}{
		{"/jobs?limit=0", 400, "limit"}, {"/jobs?limit=501", 400, "from 1 to 500"}, {"/jobs?limit=ten", 400, "ten"},
		{"/jobs?limit=-1", 400, "limit"}, {"/jobs?limit=1e2", 400, "limit"}, {"/jobs?limit=99999999999999999999", 400, "limit"},
		{"/jobs?cursor=x", 400, "cursor"}, {"/jobs?cursor=0", 400, "cursor"}, {"/jobs?cursor=-5", 400, "cursor"},
		{"/jobs?cursor=9223372036854775808", 400, "cursor"},
		{"/jobs?state=runing", 400, "RUNNING"}, {"/jobs?state=RUNNING,x", 400, "unknown state"},
		{"/jobs?q=" + strings.Repeat("x", 501), 400, "500 bytes"}, {"/jobs?q=%zz", 400, "query"},
		{"/jobs?q=state:runing", 400, "state:runing"},
		{"/jobs/" + strings.Repeat("0", 36), 404, "no job"}, {"/jobs/abcd", 400, "several"}, {"/jobs/abc", 404, "no job"},
		{"/jobs/%00%1b", 404, "no job"}, {"/jobs/abcd1111/nothing", 404, "no such route"},
		{"/jobs/ffff/log", 404, "no job"}, {"/jobs/abcd1111/log", 404, "not started"},
		{"/jobs/abcd1111/log?tail=-1", 400, "tail"}, {"/jobs/abcd1111/log?tail=x", 400, "tail"},
		{"/jobs/abcd1111/log?attempt=0", 400, "attempt"}, {"/jobs/abcd1111/log?attempt=2", 404, "no attempt 2"},
	}
	for _, tt := range tests {
		got := s.get("/api/v1" + tt.path)
		var out map[string]string
		err := json.Unmarshal([]byte(got.body), &out)
		if err != nil || got.code != tt.code || len(out) != 1 || !strings.Contains(out["error"], tt.want) {
			t.Errorf("%s = %d %q, want %d and an error with %q", tt.path, got.code, got.body, tt.code, tt.want)
		}
	}
	for _, path := range []string{a.ID, strings.ToUpper(a.ID), "abcd1", "ABCD1111"} {
		if got := s.get("/api/v1/jobs/" + path); got.code != 200 || !strings.Contains(got.body, a.ID) {
			t.Errorf("%s = %d %q, want the job", path, got.code, got.body)
		}
	}
}

func TestAPIJob(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{
		Type: "train", Target: "train.py", Args: []string{"<b>", "a b"}, Name: "nightly", Priority: 5, Source: "inbox:train.yaml",
		Labels: map[string]string{"owner": "ada"}, Env: map[string]string{"TOKEN": "hush-hush"},
		SubmittedAt: time.Date(2026, 11, 21, 9, 2, 11, 5e6, time.FixedZone("", 3600)),
	})
	s.start(j, "")
	got := s.get("/api/v1/jobs/" + j.ID)
	if name, err := os.Hostname(); err == nil {
		got.contains(t, `"node":"`+name+`"`)
	}
	got.contains(t, `"submitted_at":"2026-11-21T08:02:11.005Z"`, `"state":"RUNNING"`, `"pid":4711`, `"labels":{"owner":"ada"}`,
		`"args":["\u003cb\u003e","a b"]`, `"source":"inbox:train.yaml"`, `"name":"nightly"`, `"priority":5`, `"attempt":1`)
	got.lacks(t, "hush-hush", "exit_code", "finished_at")
	s.end(j, jobs.Ending{State: jobs.Failed, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL", FinishedAt: time.Now()})
	got = s.get("/api/v1/jobs/" + j.ID)
	got.contains(t, `"signal":"SIGKILL"`, `"finished_at"`)
	got.lacks(t, `"pid"`, "exit_code")
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type = %q, want application/json", ct)
	}
}

func TestAPIStats(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{Type: "train", Target: "train"})
	s.start(j, "")
	s.add(jobs.Job{Type: "train", Target: "train"})
	want := `{"states":{"CANCELLED":0,"COMPLETED":0,"FAILED":0,"LOST":0,"PENDING":1,"REJECTED":0,"RUNNING":1,"TIMEOUT":0},` +
		`"types":{"train":{"PENDING":1,"RUNNING":1}},"running":1,"max_concurrent":2,"runs":{}}` + "\n"
	if got := s.get("/api/v1/stats"); got.body != want {
		t.Errorf("got  %s want %s", got.body, want)
	}
	s.end(j, exited(jobs.Failed, 1))
	s.get("/api/v1/stats").contains(t, `"runs":{"train":{"runs":1,"completed":0,"run_p50_seconds":`, `"wait_p95_seconds":`)
}

// A walk through all samples sees each once.
func TestAPISamplesWalk(t *testing.T) {
	s := crowd{50, 0, 0}.site(t)
	var walked []string
	pages := 0
	for since := "2000-01-01T00:00:00Z"; since != ""; pages++ {
		var page struct {
			Samples []struct{ At string }
			Next    string
		}
		got := s.get("/api/v1/samples?since=" + url.QueryEscape(since))
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.code != 200 {
			t.Fatal(got.code, err)
		}
		for _, one := range page.Samples {
			walked = append(walked, one.At)
		}
		since = page.Next
	}
	all, err := s.queue.Samples(t.Context(), time.Now().Add(-jobs.SampleAge))
	if err != nil {
		t.Fatal(err)
	}
	if len(walked) < len(all)-1 || len(walked) > len(all) || !slices.IsSorted(walked) || len(slices.Compact(walked)) < len(all)-1 || pages < 4 {
		t.Errorf("%d samples in %d pages, want %d", len(walked), pages, len(all))
	}
}
