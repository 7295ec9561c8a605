package ui_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// site is a page over a real Queue in a folder of its own.
type site struct {
	t     testing.TB
	queue *jobs.Queue
	opts  ui.Options

	handler http.Handler // that remembers from request to request; nil: each has a new one
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Errorf("closing queue: %v", err)
		}
	})
	q.SetCatalog(&jobs.Catalog{Dir: dir, MaxConcurrent: 2, Types: map[string]*jobs.Type{
		"train": {Name: "train", Command: []string{"true"}, MaxConcurrent: 1},
		"quick": {Name: "quick", Command: []string{"true"}},
	}})
	return &site{t: t, queue: q, opts: ui.Options{
		Queue: q, StateDir: dir, Listen: "127.0.0.1:8080", Log: zerolog.Nop(),
		Status: func() ui.Status {
			return ui.Status{
				Version: "1.2.3", Node: "lab", MaxConcurrent: 2, StartedAt: time.Now().Add(-26*time.Hour - 30*time.Minute),
				Notes: []ui.Note{{Level: ui.Info, Text: "events: native"}},
			}
		},
	}}
}

// add takes a job in and gives it as it then is. Zero fields get values that
// the watcher would have given.
func (s *site) add(j jobs.Job) *jobs.Job {
	s.t.Helper()
	return s.addAll(j)[0]
}

// addAll puts jobs into the queue at once, as those of a sweep come.
func (s *site) addAll(list ...jobs.Job) (added []*jobs.Job) {
	s.t.Helper()
	var in jobs.Intake
	for _, j := range list {
		in.Entries = append(in.Entries, jobs.Entry{Job: filled(j)})
	}
	out, err := s.queue.Accept(context.Background(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range out {
		added = append(added, o.Job)
	}
	return added
}

// filled gives j what every job has.
func filled(j jobs.Job) *jobs.Job {
	if j.ID == "" {
		j.ID = uuid.NewString()
	}
	if j.State == "" {
		j.State = jobs.Pending
	}
	if j.Type == "" && j.State != jobs.Rejected {
		j.Type = "quick"
	}
	if j.Target == "" && j.State != jobs.Rejected {
		j.Target = j.Type
	}
	if j.Source == "" {
		j.Source = "queue:job_queue.txt"
	}
	j.Attempt = 1
	if j.SubmittedAt.IsZero() {
		j.SubmittedAt = time.Now()
	}
	return &j
}

// start brings a job to RUNNING with that much output.
func (s *site) start(j *jobs.Job, output string) {
	s.t.Helper()
	s.startWith(j, output, jobs.StartInfo{}, nil)
}

// startWith is start for a job of which more is known.
func (s *site) startWith(j *jobs.Job, output string, info jobs.StartInfo, slots map[string][]string) {
	s.t.Helper()
	ctx := context.Background()
	begun, err := s.queue.Begin(ctx, []jobs.Start{{ID: j.ID, Attempt: j.Attempt, Instance: "test", Slots: slots}})
	if err != nil || len(begun) != 1 {
		s.t.Fatalf("Begin(%s) = %d jobs, %v; want 1", j.ID, len(begun), err)
	}
	s.write("logs/"+j.ID+".log", output)
	info.Process, info.At = jobs.ProcessID{PID: 4711, Start: "1", Boot: "b"}, time.Now()
	info.Command, info.Log = append([]string{"/usr/bin/python3", j.Target}, j.Args...), "logs/"+j.ID+".log"
	ok, err := s.queue.Started(ctx, j.ID, j.Attempt, info)
	if err != nil || !ok {
		s.t.Fatalf("Started(%s) = %v, %v; want true", j.ID, ok, err)
	}
}

func (s *site) end(j *jobs.Job, e jobs.Ending) {
	s.t.Helper()
	if ok, err := s.queue.End(context.Background(), j.ID, j.Attempt, e); err != nil || !ok {
		s.t.Fatalf("End(%s) = %v, %v; want true", j.ID, ok, err)
	}
}

func (s *site) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.opts.StateDir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func exited(state jobs.State, code int) jobs.Ending {
	return jobs.Ending{State: state, Reason: fmt.Sprintf("exit %d", code), ExitCode: &code, FinishedAt: time.Now()}
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask sends one request; header holds pairs of name and value, "Host" among
// them.
func (s *site) ask(method, target string, header ...string) answer {
	s.t.Helper()
	h := s.handler
	if h == nil {
		h = ui.Handler(s.opts)
	}
	return ask(s.t, h, method, target, header...)
}

func (s *site) get(target string, header ...string) answer {
	s.t.Helper()
	return s.ask(http.MethodGet, target, header...)
}

func ask(t testing.TB, h http.Handler, method, target string, header ...string) answer {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:8080"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{w.Code, w.Result().Header, string(body)}
}

func (a answer) contains(t *testing.T, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(a.body, want) {
			t.Errorf("got no %q in:\n%s", want, a.body)
		}
	}
}

func (a answer) lacks(t *testing.T, unwanted ...string) {
	t.Helper()
	for _, u := range unwanted {
		if strings.Contains(a.body, u) {
			t.Errorf("got %q in:\n%s", u, a.body)
		}
	}
}
