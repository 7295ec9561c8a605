package hooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/hooks"
	"jobrunner/jobs"
)

// One that hangs for good, or a command that does, leaves room for the others.
func TestHangingHook(t *testing.T) {
	hang := make(chan struct{})
	slow := newServer(t, func(w http.ResponseWriter, r *http.Request) { <-hang })
	fast := newServer(t, nil)
	h := webhook(slow.URL)
	h.Timeout = time.Hour
	w := newWorld(t, h, webhook(fast.URL))
	t.Cleanup(func() { close(hang) })
	w.startWith(hooks.Options{Grace: time.Millisecond})
	w.run("train", 0)
	w.await("the first calls", func() bool { return slow.reached(1)() && fast.reached(1)() })
	for range 20 {
		w.run("train", 0)
	}
	w.await("all calls of the other", fast.reached(21))
	w.stop()
	same(t, "calls of the one that hangs", len(slow.got()), 2)
}

// One that ended, was retried and ended again in the same state is told of as
// it ended each time.
func TestRetriedToTheSameEnd(t *testing.T) {
	s := newServer(t, nil)
	w := newWorld(t, webhook(s.URL))
	w.start()
	w.stop()
	j := w.job("train")
	for _, act := range []func(){func() { w.end(j, 3) }, func() { w.end(j, 4) }, func() { w.execute(jobs.Cancel, j) }} {
		if j.Attempt < 3 {
			w.begin(j)
		}
		act()
		w.execute(jobs.Retry, j)
		j, _ = w.queue.Job(bg, j.ID)
	}
	w.begin(j)
	w.end(j, 5)
	w.start()
	w.await("the calls", s.reached(4))
	w.stop()
	told := map[string]string{}
	for _, c := range s.got() {
		var j struct {
			State, Reason string
			Attempt       int
			FinishedAt    time.Time `json:"finished_at"`
			ExitCode      *int      `json:"exit_code"`
		}
		if err := json.Unmarshal(c.body, &j); err != nil {
			t.Fatal(err)
		}
		code := -1
		if j.ExitCode != nil {
			code = *j.ExitCode
		}
		told[c.header.Get("X-Jobrunner-Delivery")] = fmt.Sprint(j.Attempt, " ", j.State, " ", j.Reason, " ", code)
	}
	var list []string
	for _, words := range told {
		list = append(list, words)
	}
	slices.Sort(list)
	same(t, "told", strings.Join(list, ", "), "1 FAILED exit 3 3, 2 FAILED exit 4 4, 3 CANCELLED cancelled by request -1, 4 FAILED exit 5 5")
}

// One that was cancelled while it waited, and retried, is told of as CANCELLED.
func TestRetriedAfterCancel(t *testing.T) {
	s := newServer(t, nil)
	w := newWorld(t, webhook(s.URL))
	w.start()
	w.stop()
	j := w.job("train")
	w.execute(jobs.Cancel, j)
	w.execute(jobs.Retry, j)
	w.start()
	w.await("the call", s.reached(1))
	w.stop()
	var told struct {
		State, Reason string
		Attempt       int
	}
	if err := json.Unmarshal(s.got()[0].body, &told); err != nil {
		t.Fatal(err)
	}
	same(t, "told", told, "{CANCELLED cancelled by request 1}")
}
