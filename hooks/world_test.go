package hooks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/hooks"
	"jobrunner/jobs"
)

var bg = context.Background()

// world is a queue, hooks over it, and a courier that may run.
type world struct {
	*testing.T
	queue   *jobs.Queue
	courier *hooks.Courier
	log     lockedBuffer
	stop    func()

	mu      sync.Mutex // guards catalog
	catalog *jobs.Catalog
}

func newWorld(t *testing.T, list ...jobs.Hook) *world {
	t.Helper()
	dir := t.TempDir()
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, queue: q, stop: func() {}}
	w.configure(&jobs.Catalog{Dir: dir, OnFinish: list})
	t.Cleanup(func() {
		w.stop()
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) configure(c *jobs.Catalog) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Dir == "" {
		c.Dir = w.catalog.Dir
	}
	w.catalog = c
}

func (w *world) current() *jobs.Catalog {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.catalog
}

// start runs a courier as a new daemon would; it goes on until stop.
func (w *world) start() {
	w.Helper()
	w.startWith(hooks.Options{Pause: time.Millisecond})
}

func (w *world) startWith(o hooks.Options) {
	w.Helper()
	w.stop()
	o.Queue, o.Catalog, o.Log = w.queue, w.current, zerolog.New(&w.log)
	w.courier = hooks.New(o)
	if err := w.courier.Prepare(bg); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(bg)
	done := make(chan error, 1)
	go func() { done <- w.courier.Run(ctx) }()
	w.stop = func() {
		w.stop = func() {}
		cancel()
		if err := <-done; err != nil {
			w.Errorf("Run: %v", err)
		}
	}
}

// job takes a new job in.
func (w *world) job(typ string) *jobs.Job {
	w.Helper()
	out, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: &jobs.Job{
		ID: uuid.NewString(), Type: typ, Target: typ, Args: []string{"<1>"}, Source: "inbox:a.yaml", State: jobs.Pending,
	}}}})
	if err != nil {
		w.Fatal(err)
	}
	return out[0].Job
}

// begin takes a job to RUNNING.
func (w *world) begin(j *jobs.Job) {
	w.Helper()
	begun, err := w.queue.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: j.Attempt, Instance: "i"}})
	if err != nil || len(begun) != 1 {
		w.Fatalf("beginning: %d jobs, %v", len(begun), err)
	}
}

// run takes a new job to its end with that exit status.
func (w *world) run(typ string, code int) *jobs.Job {
	w.Helper()
	j := w.job(typ)
	w.begin(j)
	w.end(j, code)
	return j
}

func (w *world) end(j *jobs.Job, code int) {
	w.Helper()
	e := jobs.Ending{State: jobs.Completed, ExitCode: &code, Reason: fmt.Sprintf("exit %d", code)}
	if code != 0 {
		e.State = jobs.Failed
	}
	if ok, err := w.queue.End(bg, j.ID, j.Attempt, e); err != nil || !ok {
		w.Fatalf("ending: %t, %v", ok, err)
	}
}

func (w *world) execute(action jobs.Action, j *jobs.Job) {
	w.Helper()
	out, err := w.queue.Execute(bg, jobs.Command{Action: action, IDs: []string{j.ID}})
	if err != nil || out.State != jobs.Completed {
		w.Fatalf("%s: %v, %v", action, out, err)
	}
}

// await blocks until something is so.
func (w *world) await(what string, is func() bool) {
	w.Helper()
	changed, unsubscribe := w.queue.Changed()
	defer unsubscribe()
	late := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond) // not all of it comes from the queue
	defer tick.Stop()
	for !is() {
		select {
		case <-changed:
		case <-tick.C:
		case <-late:
			w.Fatalf("%s does not come; the log says\n%s", what, w.log.String())
		}
	}
}

// noted are the reasons of hook events, oldest first, and their jobs.
func (w *world) noted() (words, ids []string) {
	w.Helper()
	events, err := w.queue.Events(bg, 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == jobs.EventHook {
			words, ids = append(words, e.Reason), append(ids, e.Job)
		}
	}
	return words, ids
}

// call is one request that a server got.
type call struct {
	path, method string
	header       http.Header
	body         []byte
}

// job is the job that was told of.
func (c call) job(t testing.TB) (id, state string) {
	t.Helper()
	var j struct{ ID, State string }
	if err := json.Unmarshal(c.body, &j); err != nil {
		t.Errorf("body %q: %v", c.body, err)
	}
	return j.ID, j.State
}

// server keeps what it is told and answers as it was set to.
type server struct {
	*httptest.Server
	mu    sync.Mutex // guards calls
	calls []call
}

// newServer answers as answer says; nil answers 204.
func newServer(t testing.TB, answer http.HandlerFunc) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		s.calls = append(s.calls, call{r.URL.Path, r.Method, r.Header.Clone(), body})
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) got() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call(nil), s.calls...)
}

// reached says when a server has been called n times.
func (s *server) reached(n int) func() bool { return func() bool { return len(s.got()) >= n } }

// webhook is a hook for every end.
func webhook(url string) jobs.Hook {
	return jobs.Hook{URL: url, On: jobs.HookStates(), At: jobs.Position{File: "jobrunner.yaml", Line: 7}, Timeout: 20 * time.Second, Retries: 5}
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// lockedBuffer takes a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
