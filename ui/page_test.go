package ui_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// region cuts one marked region out of a page.
func region(t *testing.T, page, id string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, ` id="`+id+`"`)
	if !ok {
		t.Fatalf("no region %q in:\n%s", id, page)
	}
	if i := strings.Index(rest, "</section>"); i >= 0 {
		return rest[:i]
	}
	return rest
}

func TestOverviewIsEmpty(t *testing.T) {
	s := newSite(t)
	got := s.get("/")
	got.contains(t, "No jobs yet", `echo "countdown.py 25" &gt;&gt; job_queue.txt`, "Jobs on lab", "Nothing runs.", "Nothing waits.",
		"jobrunner 1.2.3, up 26 h", "events: native", `<noscript><meta http-equiv="refresh" content="15"></noscript>`)
	got.lacks(t, "<table", "(no value)", "ZgotmplZ")
}

func TestOverview(t *testing.T) {
	s := newSite(t)
	running := s.add(jobs.Job{Type: "train", Target: "train", Args: []string{"--lr", "0.1"}})
	low := s.add(jobs.Job{Type: "train", Target: "train", Args: []string{"low"}})
	high := s.add(jobs.Job{Args: []string{"high"}, Priority: 5})
	failed := s.add(jobs.Job{Type: "train", Target: "train", Name: "nightly"})
	done := s.add(jobs.Job{})
	s.add(jobs.Job{State: jobs.Rejected, Target: "cuntdown", Args: []string{"line:14"}, Reason: `job_queue.txt:14: unknown type "cuntdown"; did you mean "countdown"?`})
	s.start(failed, "")
	s.end(failed, exited(jobs.Failed, 137))
	s.start(done, "")
	s.end(done, exited(jobs.Completed, 0))
	s.start(running, "")

	got := s.get("/")
	eyes := region(t, got.body, "eyes")
	for _, want := range []string{"FAILED", "exit 137 – 128&#43;9 means SIGKILL", "nightly", "REJECTED", "did you mean &#34;countdown&#34;?", `<time datetime="`} {
		if !strings.Contains(eyes, want) {
			t.Errorf("needs eyes has no %q:\n%s", want, eyes)
		}
	}
	if strings.Contains(eyes, "COMPLETED\n") || strings.Contains(eyes, done.ID) {
		t.Errorf("needs eyes has a job that is well:\n%s", eyes)
	}
	if r := region(t, got.body, "running"); !strings.Contains(r, running.ID) || !strings.Contains(r, "1 of 2") {
		t.Errorf("running:\n%s", r)
	}
	pending := region(t, got.body, "pending")
	if i, j := strings.Index(pending, high.ID), strings.Index(pending, low.ID); i < 0 || j < i {
		t.Errorf("pending is not in the order of start:\n%s", pending)
	}
	if !strings.Contains(pending, "type limit: train 1 of 1 running") {
		t.Errorf("pending does not say why train waits:\n%s", pending)
	}
	if e := region(t, got.body, "ended"); !strings.Contains(e, done.ID) || !strings.Contains(e, failed.ID) || !strings.Contains(e, "exit 0") {
		t.Errorf("ended:\n%s", e)
	}
	got.contains(t, "<title>2✗ 1▶\uFE0E 2◌ lab · jobrunner</title>", `href="/jobs?state=PENDING"><b>2</b>`)
	got.lacks(t, "No jobs yet", "ZgotmplZ")
}

func TestOverviewShowsALongJobThatEndedJustNow(t *testing.T) {
	s := newSite(t)
	old := s.add(jobs.Job{Args: []string{"old"}})
	s.start(old, "")
	for range 60 {
		j := s.add(jobs.Job{})
		s.start(j, "")
		s.end(j, exited(jobs.Completed, 0))
	}
	s.end(old, exited(jobs.Failed, 3))
	for range 3 {
		j := s.add(jobs.Job{})
		s.start(j, "")
		s.end(j, exited(jobs.Completed, 0))
	}
	got := s.get("/").body
	for _, id := range []string{"eyes", "ended"} {
		if r := region(t, got, id); !strings.Contains(r, old.ID) {
			t.Errorf("%s does not have the job that ended just now:\n%s", id, r)
		}
	}
}

func TestProblemsAreShown(t *testing.T) {
	s := newSite(t)
	s.opts.Status = func() ui.Status {
		return ui.Status{
			ConfigError: "jobrunner.yaml:3:1: unknown key \"max_concurent\"\x1b",
			Notes:       []ui.Note{{Level: ui.Warn, Text: "job_queue.txt is held open by vim"}, {Text: "events: polling every 2s"}},
			Ignored:     []ui.Ignored{{Name: "pipe\u202e.yaml", Why: "is a FIFO"}},
		}
	}
	got := s.get("/")
	got.contains(t, "unknown key &#34;max_concurent&#34;?", "not in force", "held open by vim", "polling every 2s", "Ignored:", "pipe?.yaml", "is a FIFO")
}

func TestJobPage(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{
		Type: "train", Target: "train.py", Args: []string{"--lr", "0.1", "a b"}, Name: "nightly", Source: "inbox:train.yaml", Priority: 7,
		Labels: map[string]string{"owner": "ada"}, Env: map[string]string{"TOKEN": "hush-hush", "EPOCHS": "10"},
		Timeout: 2 * time.Hour, Workdir: "runs/a",
	})
	got := s.get("/jobs/" + j.ID)
	got.contains(t, "PENDING", "it has not started.", "jobrunner cancel "+j.ID[:8])
	s.start(j, "epoch 1\n\x1b[32mepoch 2\x1b[0m <b>\n")
	s.end(j, exited(jobs.Failed, 127))
	got = s.get("/jobs/" + j.ID)
	got.contains(t, "FAILED", `exit 127`, "a command in it was not found", "nightly", "owner: ada", "EPOCHS<br>TOKEN", "inbox:train.yaml",
		"2h0m0s", "runs/a", j.ID, "/usr/bin/python3 train.py --lr 0.1 &#39;a b&#39;", "</a>epoch 1</div>", `<i class="f2">epoch 2</i> &lt;b&gt;</div>`, "<small>took ", "jobrunner retry "+j.ID[:8],
		`href="/api/v1/jobs/`+j.ID+`/log"`, "<title>✗ FAILED train.py --lr 0.1")
	got.lacks(t, "hush-hush", "ZgotmplZ", "\x1b")

	for _, prefix := range []string{j.ID[:4], j.ID[:8], strings.ToUpper(j.ID)} {
		got := s.get("/jobs/" + prefix)
		if got.code != 302 || got.header.Get("Location") != "/jobs/"+j.ID {
			t.Errorf("GET /jobs/%s = %d to %q, want 302 to the job", prefix, got.code, got.header.Get("Location"))
		}
	}
	if got := s.get("/jobs/" + j.ID[:3]); got.code != 404 {
		t.Errorf("three letters = %d, want 404", got.code)
	}
	twin := s.add(jobs.Job{ID: j.ID[:35] + string("0123456789abcdef"[(strings.IndexByte("0123456789abcdef", j.ID[35])+1)%16])})
	got = s.get("/jobs/" + j.ID[:8])
	if got.code != 404 {
		t.Errorf("a prefix of two = %d, want 404", got.code)
	}
	got.contains(t, "Which job?", j.ID, twin.ID)
}

// nasty holds what must never reach a page as it is.
const nasty = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>\x1b[31m\x00\x07\u202eevil\u2028\u2066\u0085\u009b\xff\r\n&+`javascript:"

func nastyJob(s *site, state jobs.State) *jobs.Job {
	long := strings.Repeat(nasty+" + ", 400)
	labels, env := map[string]string{}, map[string]string{}
	for i := range 200 {
		labels[fmt.Sprint(nasty, i)] = long[:1000]
		env[fmt.Sprint(nasty, i)] = "hush-hush"
	}
	args := []string{long}
	for i := range 500 {
		args = append(args, fmt.Sprint(nasty, i))
	}
	return s.add(jobs.Job{
		ID: uuid.NewString(), State: state, Type: nasty + long[:2000], Target: nasty + long, Args: args, Name: long, Labels: labels, Env: env,
		Source: "inbox:" + long, Workdir: long, Reason: long,
	})
}

// troubled is a daemon that has much to say, none of it nice.
func troubled() ui.Status {
	long := strings.Repeat(nasty, 500)
	st := ui.Status{Version: long, Node: long, QueueFile: long, ConfigError: long, MaxConcurrent: 3, StartedAt: time.Now()}
	for range 100 {
		st.Notes = append(st.Notes, ui.Note{Level: ui.Error, Text: long}, ui.Note{Level: ui.Info, Text: long})
		st.Ignored = append(st.Ignored, ui.Ignored{Name: long, Why: long})
	}
	return st
}

// nastyReading is a job that tells nothing nice of itself, and has told nothing
// for long.
func nastyReading() *jobs.Reading {
	percent, left := 58.3333333, 300*24*time.Hour
	long := strings.Repeat(nasty, 100)
	return &jobs.Reading{
		Attempt: 1, OutputAt: time.Now().Add(-300 * time.Hour), Usage: &jobs.Usage{CPU: 0.001, Memory: 1 << 50},
		Progress: &jobs.Progress{Percent: &percent, Text: long, ETA: &left, Source: long, ETASource: long},
	}
}

func TestNastyJobsStayInBounds(t *testing.T) {
	s := newSite(t)
	var some *jobs.Job
	for _, state := range []jobs.State{jobs.Failed, jobs.Lost, jobs.Rejected, jobs.Completed, jobs.Pending} {
		for range 15 {
			some = nastyJob(s, state)
		}
	}
	var started *jobs.Job
	readings := map[string]*jobs.Reading{}
	s.opts.Readings = func() map[string]*jobs.Reading { return readings }
	for range 25 {
		started = nastyJob(s, jobs.Pending)
		begun, err := s.queue.Begin(context.Background(), []jobs.Start{{ID: started.ID, Attempt: 1, Instance: nasty}})
		if err != nil || len(begun) != 1 {
			t.Fatalf("Begin = %d, %v", len(begun), err)
		}
		s.write("logs/"+started.ID+".log", strings.Repeat(nasty+"\n", 3000))
		if _, err := s.queue.Started(context.Background(), started.ID, 1, jobs.StartInfo{
			Process: jobs.ProcessID{PID: 1}, Command: started.Args, Log: "logs/" + started.ID + ".log", At: time.Now(),
		}); err != nil {
			t.Fatal(err)
		}
		readings[started.ID] = nastyReading()
	}
	for range 10 { // whose output has a nasty headline
		j := nastyJob(s, jobs.Pending)
		s.start(j, strings.Repeat("Error: "+nasty, 200))
		s.end(j, exited(jobs.Failed, 139))
	}
	s.busyDay(3)
	long := strings.Repeat(nasty, 500)
	s.opts.Status = troubled
	s.opts.Ready = func() error { return fmt.Errorf("%s", long) }
	q := "?q=" + strings.Repeat("%22", 500) + "&type=" + strings.Repeat("%22", 500)
	for _, path := range []string{
		"/", "/jobs", "/jobs" + q, "/jobs?state=PENDING,RUNNING,LOST,FAILED,REJECTED", "/jobs/" + some.ID, "/jobs/" + started.ID,
		"/timeline", "/timeline?window=7d", "/types", "/system", "/types/%3Cscript%3E%1b" + strings.Repeat("%22", 3000),
		"/jobs/%3Cscript%3E%1b%E2%80%AE" + strings.Repeat("%22", 3000), "/%3Cscript%3E%1b%E2%80%AE", "/jobs?state=%3Cscript%3E%1b%E2%80%AE",
	} {
		got := s.get(path)
		t.Logf("%.40s: %d, %d bytes", path, got.code, len(got.body))
		if len(got.body) > ui.MaxPage || got.code >= 500 {
			t.Errorf("GET %.40s = %d with %d bytes, want %d bytes at most", path, got.code, len(got.body), ui.MaxPage)
		}
		got.lacks(t, "<script>", "<img", "hush-hush")
		if i := strings.IndexAny(got.body, "\x00\x07\x1b\r\u0085\u009b\u202e\u2028\u2066"); i >= 0 {
			t.Errorf("GET %.40s has a raw control character: %q", path, got.body[max(0, i-60):i+10])
		}
	}
	if got := s.get("/readyz"); strings.ContainsAny(got.body, "\x00\x1b\u202e") || got.code != 503 {
		t.Errorf("readyz = %d %.80q, want 503 in clean words", got.code, got.body)
	}
}

// The tab of a job's page shows its state.
func TestJobIcon(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	icon := func(name string) {
		t.Helper()
		if page := string(s.get("/jobs/" + j.ID).body); !strings.Contains(page, "/"+name+".svg\"") {
			t.Errorf("%s is not its icon in\n%s", name, page)
		}
	}
	icon("waiting")
	s.start(j, "")
	icon("running")
	s.end(j, exited(jobs.Failed, 1))
	icon("failed")
}
