package hooks_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/hooks"
	"jobrunner/jobs"
)

// tells are the ids and states that a server was told of, in that order.
func (s *server) tells(t testing.TB) map[string][]string {
	t.Helper()
	told := map[string][]string{}
	for _, c := range s.got() {
		if c.header.Get("X-Jobrunner-Event") == "job" {
			id, state := c.job(t)
			told[id] = append(told[id], state)
		}
	}
	return told
}

// Each hook is told of the ends that it asks for, once, whatever brought them about.
func TestEnds(t *testing.T) {
	s := newServer(t, nil)
	w := newWorld(t, webhook(s.URL))
	w.start()

	completed, failed := w.run("train", 0), w.run("train", 1)
	cancelled := w.job("train")
	w.execute(jobs.Cancel, cancelled)
	w.execute(jobs.Cancel, cancelled) // does nothing
	ended := w.job("train")
	w.begin(ended)
	w.execute(jobs.Cancel, ended)
	if _, err := w.queue.End(bg, ended.ID, 1, jobs.Ending{State: jobs.Cancelled, Reason: "cancelled by request"}); err != nil {
		t.Fatal(err)
	}
	w.execute(jobs.Cancel, ended) // does nothing
	again := w.job("train")
	w.execute(jobs.Hold, again)
	w.execute(jobs.Release, again)
	w.execute(jobs.Rerun, completed)
	history := &jobs.Job{ID: "6f640ce6-5a3a-4161-8135-fc62bd573897", Target: "x.py", State: jobs.Completed}
	bad := &jobs.Job{ID: "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2", Target: "x.py", State: jobs.Rejected, Reason: "bad"}
	_, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: history}, {Job: bad}}})
	if err != nil {
		t.Fatal(err)
	}
	last := w.run("train", 0)
	w.await("the last call", func() bool { return s.tells(t)[last.ID] != nil })
	w.stop()

	told := s.tells(t)
	want := map[string]string{completed.ID: "COMPLETED", failed.ID: "FAILED", cancelled.ID: "CANCELLED",
		ended.ID: "CANCELLED", last.ID: "COMPLETED"}
	same(t, "jobs told of", len(told), len(want))
	for id, state := range want {
		same(t, "told of "+id, told[id], []string{state})
	}
}

// Jobs that end because of another are told of too.
func TestEndsBecauseOfAnother(t *testing.T) {
	s := newServer(t, nil)
	w := newWorld(t, webhook(s.URL))
	w.start()
	first := w.job("train")
	second := &jobs.Job{ID: "6f640ce6-5a3a-4161-8135-fc62bd573897", Type: "train", Target: "train", State: jobs.Pending}
	_, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: second, Waits: []jobs.Wait{{On: first.ID}}}}})
	if err != nil {
		t.Fatal(err)
	}
	w.execute(jobs.Cancel, first)
	third := &jobs.Job{ID: "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2", Type: "train", Target: "train", State: jobs.Pending}
	_, err = w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: third, Waits: []jobs.Wait{{On: first.ID}}}}})
	if err != nil {
		t.Fatal(err)
	}
	w.await("the calls", s.reached(3))
	w.stop()
	told := s.tells(t)
	same(t, "calls", len(s.got()), 3)
	same(t, "told", []any{told[first.ID], told[second.ID], told[third.ID]}, []any{[]string{"CANCELLED"}, []string{"FAILED"}, []string{"FAILED"}})
}

// A job that goes on by itself has not ended; one that was retried by hand is
// told of as it ended.
func TestRetriedJobs(t *testing.T) {
	hang := make(chan struct{})
	var first atomic.Bool
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			<-hang
		}
	})
	h := webhook(s.URL)
	h.On = []jobs.State{jobs.Failed}
	w := newWorld(t, h)
	w.start()

	out, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: &jobs.Job{
		ID: "6f640ce6-5a3a-4161-8135-fc62bd573897", Type: "train", Target: "train", State: jobs.Pending, Retries: 1}}}})
	if err != nil {
		t.Fatal(err)
	}
	j := out[0].Job
	w.begin(j)
	one, two := 1, 2
	_, err = w.queue.End(bg, j.ID, 1, jobs.Ending{State: jobs.Failed, Reason: "exit 1", ExitCode: &one, RetryAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.queue.Wake(bg, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if j, err = w.queue.Job(bg, j.ID); err != nil {
		t.Fatal(err)
	}
	w.begin(j)
	_, err = w.queue.End(bg, j.ID, 2, jobs.Ending{State: jobs.Failed, Reason: "exit 2", ExitCode: &two, RetryAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	w.await("the call", s.reached(1))
	close(hang)
	w.stop()
	// With no courier at hand it is retried, and the next one, which begins at
	// the first event, tells how it ended.
	if err := w.queue.PutMeta(bg, "hooks.cursor", strings.Replace(meta(w), ":", ":-", 1)); err != nil {
		t.Fatal(err)
	}
	w.execute(jobs.Retry, j)
	w.start()
	w.await("the second call", s.reached(2))
	w.stop()

	for _, c := range s.got() {
		var told struct {
			State, Reason string
			Attempt       int
			ExitCode      *int `json:"exit_code"`
		}
		if err := json.Unmarshal(c.body, &told); err != nil || told.ExitCode == nil {
			t.Fatalf("body %s: %v", c.body, err)
		}
		same(t, "told", []any{told.State, told.Reason, told.Attempt, *told.ExitCode}, []any{"FAILED", "exit 2", 2, 2})
	}
	same(t, "calls", len(s.got()), 2)
}

func meta(w *world) string {
	w.Helper()
	text, err := w.queue.Meta(bg, "hooks.cursor")
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// A type's hooks are run beside those of all, for its jobs alone; each for the
// states that it names.
func TestScopes(t *testing.T) {
	all, train, rejected := newServer(t, nil), newServer(t, nil), newServer(t, nil)
	w := newWorld(t)
	bad := webhook(rejected.URL)
	bad.On = []jobs.State{jobs.Rejected}
	failed := webhook(train.URL)
	failed.On = []jobs.State{jobs.Failed}
	w.configure(&jobs.Catalog{
		OnFinish: []jobs.Hook{webhook(all.URL), bad},
		Types:    map[string]*jobs.Type{"train": {Name: "train", OnFinish: []jobs.Hook{failed}}, "other": {Name: "other"}},
	})
	w.start()
	w.run("other", 1)
	w.run("train", 0)
	told := w.run("train", 1)
	_, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: &jobs.Job{
		ID: "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2", Target: "x.py", State: jobs.Rejected, Reason: "bad"}}}})
	if err != nil {
		t.Fatal(err)
	}
	w.await("the calls", func() bool { return all.reached(3)() && train.reached(1)() && rejected.reached(1)() })
	w.stop()
	same(t, "calls for every job", len(all.got()), 3)
	same(t, "told for the type", train.tells(t), map[string][]string{told.ID: {"FAILED"}})
	same(t, "calls for what is rejected", len(rejected.got()), 1)
}

// The end of all is told once, after the last job, whatever waited meanwhile.
func TestAllDone(t *testing.T) {
	s := newServer(t, nil)
	h := webhook(s.URL)
	h.On, h.AllDone = nil, true
	w := newWorld(t, h)
	w.start()
	first, second := w.job("train"), w.job("train")
	w.execute(jobs.Hold, second)
	w.begin(first)
	w.end(first, 0)
	w.stop() // what there was to tell is told
	same(t, "calls while a job waits", len(s.got()), 0)
	w.start()
	w.execute(jobs.Cancel, second)
	w.await("the call", s.reached(1))
	w.run("train", 1)
	w.await("the second call", s.reached(2))
	w.stop()
	w.start() // nothing has ended since
	w.stop()

	calls := s.got()
	same(t, "calls", len(calls), 2)
	same(t, "event", calls[0].header.Get("X-Jobrunner-Event"), "all_done")
	var body struct {
		Event  string
		States map[string]int
	}
	if err := json.Unmarshal(calls[1].body, &body); err != nil {
		t.Fatal(err)
	}
	same(t, "body", []any{body.Event, body.States["COMPLETED"], body.States["CANCELLED"], body.States["FAILED"], body.States["PENDING"]},
		[]any{"all_done", 1, 1, 1, 0})
}

// A first start floods nobody, nor does a hook that is new; later nothing is
// told twice, and what ended while no courier ran is told by the next one.
func TestFromWhereOn(t *testing.T) {
	s := newServer(t, nil)
	w := newWorld(t, webhook(s.URL+"/a"))
	w.run("train", 0)
	w.start()
	first := w.run("train", 0)
	w.await("the first call", s.reached(1))
	w.stop()
	second := w.run("train", 0)
	w.start()
	w.await("the second call", s.reached(2))
	w.stop()
	w.start()
	w.stop()
	told := s.tells(t)
	same(t, "calls", len(s.got()), 2)
	same(t, "told", []any{told[first.ID], told[second.ID]}, []any{[]string{"COMPLETED"}, []string{"COMPLETED"}})

	w.configure(&jobs.Catalog{OnFinish: []jobs.Hook{webhook(s.URL + "/b"), webhook(s.URL + "/a")}})
	w.start()
	w.run("train", 0)
	w.await("a call each", s.reached(4))
	w.stop()
	same(t, "calls with a new hook", len(s.got()), 4)

	w.configure(&jobs.Catalog{})
	w.start()
	w.run("train", 0)
	w.stop()
	w.configure(&jobs.Catalog{OnFinish: []jobs.Hook{webhook(s.URL + "/a")}})
	w.start()
	w.stop()
	same(t, "calls of a hook that was away", len(s.got()), 4)
}

func TestReload(t *testing.T) {
	s := newServer(t, nil)
	w := newWorld(t)
	w.start()
	w.run("train", 0)
	w.configure(&jobs.Catalog{OnFinish: []jobs.Hook{webhook(s.URL + "/a")}})
	w.courier.Reload()
	w.await("the hook", func() bool { return strings.Contains(meta(w), ":") })
	w.run("train", 0)
	w.await("the call", s.reached(1))

	h := webhook(s.URL + "/a")
	h.On = []jobs.State{jobs.Failed}
	w.configure(&jobs.Catalog{OnFinish: []jobs.Hook{h, webhook(s.URL + "/b")}})
	w.courier.Reload()
	w.await("the other hook", func() bool { return strings.Count(meta(w), ":") == 2 })
	w.run("train", 0)
	w.await("its call", s.reached(2))

	w.configure(&jobs.Catalog{})
	w.courier.Reload()
	w.await("no hook", func() bool { return meta(w) == "{}" })
	w.run("train", 0)
	w.stop()
	var paths []string
	for _, c := range s.got() {
		paths = append(paths, c.path)
	}
	same(t, "calls", paths, []string{"/a", "/b"})
}

// An end point that hangs is in nobody's way for long.
func TestSlowEndpoint(t *testing.T) {
	hang := make(chan struct{})
	slow := newServer(t, func(w http.ResponseWriter, r *http.Request) { <-hang })
	fast := newServer(t, nil)
	h := webhook(slow.URL)
	h.Timeout, h.Retries = 20*time.Millisecond, 1
	w := newWorld(t, h, webhook(fast.URL+"/a"), webhook(fast.URL+"/b"))
	w.start()
	for range 60 {
		w.run("train", 0)
	}
	w.await("all calls of the others", fast.reached(120))
	w.await("what is given up", func() bool { words, _ := w.noted(); return len(words) == 60 })
	w.stop()
	close(hang)
	words, _ := w.noted()
	if want := "no answer within 20ms (2 tries)"; !strings.HasSuffix(words[0], want) {
		t.Errorf("note: got %q, want one that ends in %q", words[0], want)
	}
}

// Over all hooks, four calls are under way at once.
func TestAtOnce(t *testing.T) {
	release := make(chan struct{})
	var mu sync.Mutex // guards now and most
	now, most := 0, 0
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		<-release
		mu.Lock()
		now--
		mu.Unlock()
	})
	w := newWorld(t, webhook(s.URL+"/a"), webhook(s.URL+"/b"))
	w.start()
	for range 20 {
		w.run("train", 0)
	}
	w.await("four calls", s.reached(4))
	close(release)
	w.await("all calls", s.reached(40))
	w.stop()
	mu.Lock()
	defer mu.Unlock()
	same(t, "calls at once", most, 4)
}

// What is under way when the courier is to end may go on for the grace; what
// has not come to its end then is delivered again.
func TestEndOfCourier(t *testing.T) {
	answer := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-answer:
		case <-r.Context().Done():
		}
	})
	w := newWorld(t, webhook(s.URL))
	w.startWith(hooks.Options{Grace: time.Minute})
	first := w.run("train", 0)
	w.await("the first call", s.reached(1))
	stopped := make(chan struct{})
	go func() { defer close(stopped); w.stop() }()
	answer <- struct{}{}
	<-stopped
	w.startWith(hooks.Options{Grace: time.Millisecond})
	second := w.run("train", 0)
	w.await("the second call", s.reached(2))
	w.stop()
	close(answer)
	w.start()
	w.await("the third call", s.reached(3))
	w.stop()
	told := s.tells(t)
	same(t, "told of what came to its end", told[first.ID], []string{"COMPLETED"})
	same(t, "told of what did not", told[second.ID], []string{"COMPLETED", "COMPLETED"})
	words, _ := w.noted()
	same(t, "noted", words, []string{})
}

// The last job of a drain is told of although the courier is to end with it.
func TestLastJob(t *testing.T) {
	s := newServer(t, nil)
	h := webhook(s.URL)
	h.AllDone = true
	w := newWorld(t, h)
	w.start()
	w.run("train", 0)
	w.await("both calls of a job, so that the courier is at work", s.reached(2))
	w.run("train", 0)
	w.stop()
	calls := s.got()
	same(t, "calls", len(calls), 4)
	if first := calls[2].header.Get("X-Jobrunner-Delivery"); first == calls[3].header.Get("X-Jobrunner-Delivery") {
		t.Errorf("both calls are delivery %s", first)
	}
}
