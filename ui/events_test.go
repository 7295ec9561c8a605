package ui_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

const eventsPath = "/api/v1/events"

// follow serves the site and follows its jobs.
func (s *site) follow(header ...string) (c *subscriber, url string) {
	s.t.Helper()
	ln, _ := serving(s.t.(*testing.T), "127.0.0.1:0", ui.Handler(s.opts))
	url = "http://" + ln.Addr().String() + eventsPath
	return subscribe(s.t, url, header...), url
}

// job gives the next event, which must be of that name, as an object.
func (c *subscriber) object(name string) (id int64, data map[string]any) {
	c.t.Helper()
	m, ok := c.next()
	if !ok || m.name != name {
		c.t.Fatalf("got %q, %v, want an event %q", m, ok, name)
	}
	if strings.Contains(m.data, "\n") {
		c.t.Errorf("%q is more than one line", m.data)
	}
	if err := json.Unmarshal([]byte(m.data), &data); err != nil {
		c.t.Fatalf("%q: %v", m.data, err)
	}
	id, _ = strconv.ParseInt(m.id, 10, 64)
	return id, data
}

// begun waits until the stream has begun: what changes from now on is told.
func (c *subscriber) begun() *subscriber {
	c.t.Helper()
	if line, err := c.in.ReadString('\n'); err != nil || line != "retry: 2000\n" || c.resp.StatusCode != 200 {
		c.t.Fatalf("%d: the stream begins with %q, %v", c.resp.StatusCode, line, err)
	}
	return c
}

// Each change of a job comes as an event, in order, with the job as the API
// shows it at that moment.
func TestEventsOfALife(t *testing.T) {
	s := newSite(t)
	s.add(jobs.Job{Args: []string{"before"}})
	c, url := s.follow()
	if got := c.begun().resp.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type is %q", got)
	}
	var last int64
	expect := func(id string, state jobs.State, reason string) {
		t.Helper()
		event, got := c.object("job")
		if event <= last {
			t.Errorf("event %d comes after %d", event, last)
		}
		last = event
		if got["id"] != id || got["state"] != string(state) || got["reason"] != reason {
			t.Fatalf("got %v, want %s %s %q", got, id, state, reason)
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(s.get("/api/v1/jobs/"+id).body), &want); err != nil {
			t.Fatal(err)
		}
		delete(want, "attempts")
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("event %d has\n%v, the API\n%v", event, got, want)
		}
	}
	j := s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"5", "a\nb\u2028"}, Labels: map[string]string{"owner": "ada"}})
	expect(j.ID, jobs.Pending, "")
	if _, err := s.queue.Begin(context.Background(), []jobs.Start{{ID: j.ID, Attempt: 1, Instance: "x"}}); err != nil {
		t.Fatal(err)
	}
	expect(j.ID, jobs.Running, "")
	info := jobs.StartInfo{Process: jobs.ProcessID{PID: 7}, Command: []string{"x"}, Log: "logs/x.log"}
	if _, err := s.queue.Started(context.Background(), j.ID, 1, info); err != nil {
		t.Fatal(err)
	}
	expect(j.ID, jobs.Running, "")
	s.end(j, exited(jobs.Failed, 7))
	expect(j.ID, jobs.Failed, "exit 7")
	bad := s.add(jobs.Job{State: jobs.Rejected, Reason: "job_queue.txt:3: unknown type"})
	expect(bad.ID, jobs.Rejected, "job_queue.txt:3: unknown type")

	c.quit()
	again := subscribe(t, url, "Last-Event-ID", fmt.Sprint(last-2))
	for _, want := range []jobs.State{jobs.Failed, jobs.Rejected} {
		if _, got := again.object("job"); got["state"] != string(want) {
			t.Errorf("asked again from event %d: got %v, want %s", last-2, got, want)
		}
	}
}

func TestEventsFromTheOneSeenLast(t *testing.T) {
	s := newSite(t)
	for range 3 {
		s.add(jobs.Job{})
	}
	ln, _ := serving(t, "127.0.0.1:0", ui.Handler(s.opts))
	url := "http://" + ln.Addr().String() + eventsPath
	for _, tt := range []struct {
		query, header string
		want          int64
	}{
		{"?last_event_id=0", "", 1},
		{"", "0", 1},
		{"?last_event_id=1", "", 2},
		{"?last_event_id=1", "2", 3}, // a browser that asks again repeats its address
	} {
		var header []string
		if tt.header != "" {
			header = []string{"Last-Event-ID", tt.header}
		}
		if got, _ := subscribe(t, url+tt.query, header...).object("job"); got != tt.want {
			t.Errorf("%q and header %q: the first is %d, want %d", tt.query, tt.header, got, tt.want)
		}
	}
	c := subscribe(t, url, "Last-Event-ID", "9000")
	if id, data := c.object("reset"); id != 3 || !strings.Contains(fmt.Sprint(data["reason"]), "another database") {
		t.Errorf("a number that is not known yet: event %d, %v", id, data)
	}
	s.add(jobs.Job{})
	if id, _ := c.object("job"); id != 4 {
		t.Errorf("after the reset came event %d, want 4", id)
	}
	for _, bad := range []string{"x", "-1", "1.5", "99999999999999999999"} {
		if got := s.get(eventsPath, "Last-Event-ID", bad); got.code != 400 || !strings.HasPrefix(got.body, `{"error":"Last-Event-ID is`) {
			t.Errorf("Last-Event-ID %q = %d %q", bad, got.code, got.body)
		}
		if got := s.get(eventsPath + "?last_event_id=" + bad); got.code != 400 {
			t.Errorf("last_event_id=%s = %d", bad, got.code)
		}
	}
	if got := s.ask(http.MethodHead, eventsPath); got.code != 200 || got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD = %d, %v", got.code, got.header)
	}
}

// A burst reaches all who follow, in order and whole, also one that reads only
// when it is over.
func TestEventsOfABurst(t *testing.T) {
	const burst = 5000
	s := newSite(t)
	fast, url := s.follow()
	fast.begun()
	slow := subscribe(t, url).begun()
	go func() {
		list := make([]jobs.Job, 500)
		for i := range list {
			list[i].Args = []string{strings.Repeat("x", 1000)} // more than any buffer on the way holds
		}
		for range burst / len(list) {
			s.addAll(list...)
		}
	}()
	for _, c := range []*subscriber{fast, slow} {
		for want := range int64(burst) {
			m, ok := c.next()
			for !ok { // it stood still for too long, and asks again as a browser does
				c = subscribe(t, url, "Last-Event-ID", fmt.Sprint(want))
				m, ok = c.next()
			}
			if m.name != "job" || m.id != fmt.Sprint(want+1) {
				t.Fatalf("after %d came %q %s", want, m.name, m.id)
			}
		}
	}
}

func TestEventsOfPrunedJobs(t *testing.T) {
	s := newSite(t)
	gone := s.add(jobs.Job{})
	s.start(gone, "")
	s.end(gone, exited(jobs.Completed, 0))
	stays := s.add(jobs.Job{})
	if err := s.queue.PlaceLines(context.Background(), []jobs.Placement{{ID: gone.ID, At: jobs.LineLeft}}); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	p, err := s.queue.Pruner(context.Background(), jobs.PruneOptions{Now: later})
	if err != nil {
		t.Fatal(err)
	}
	if step, err := p.Next(context.Background()); err != nil || step.Jobs != 1 {
		t.Fatalf("%+v, %v, want one job pruned", step, err)
	}
	if _, err := s.queue.PruneEvents(context.Background(), 0, 100, later, later); err != nil {
		t.Fatal(err)
	}
	c, _ := s.follow("Last-Event-ID", "2")
	if id, data := c.object("reset"); id != 2 || !strings.Contains(fmt.Sprint(data["reason"]), "no longer kept") {
		t.Errorf("event %d %v", id, data)
	}
	if id, data := c.object("job"); id != 5 || data["id"] != stays.ID {
		t.Errorf("then event %d %v, want 5 of %s", id, data, stays.ID)
	}
}

// How far jobs have come is told when it moves, and of none that is over.
func TestEventsOfProgress(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, "")
	var readings atomic.Pointer[map[string]*jobs.Reading]
	read := func(percent float64) {
		readings.Store(&map[string]*jobs.Reading{
			j.ID: {Attempt: 1, Progress: &jobs.Progress{Percent: &percent, Text: "3/4"}, Usage: &jobs.Usage{CPU: 1.5, Processes: 2}},
		})
	}
	read(75)
	s.opts.Readings = func() map[string]*jobs.Reading { return *readings.Load() }
	c, _ := s.follow()
	for _, percent := range []float64{75, 76} {
		read(percent)
		_, data := c.object("progress")
		progress := data["progress"].(map[string]any)
		if data["id"] != j.ID || progress["percent"] != percent || progress["text"] != "3/4" || data["usage"].(map[string]any)["processes"] != 2.0 {
			t.Errorf("got %v, want %v %%", data, percent)
		}
		if got := s.get("/api/v1/jobs/" + j.ID); !strings.Contains(got.body, fmt.Sprintf(`"progress":{"percent":%v,"text":"3/4"},"usage":{"cpu":1.5`, percent)) {
			t.Errorf("the API has %s", got.body)
		}
		s.get("/api/v1/jobs").contains(t, fmt.Sprintf(`"percent":%v`, percent))
	}
	s.end(j, exited(jobs.Completed, 0))
	if _, data := c.object("job"); data["state"] != "COMPLETED" || data["progress"] != nil {
		t.Errorf("got %v", data)
	}
	read(77) // of the same attempt, which is over
	other := s.add(jobs.Job{})
	s.start(other, "")
	for range 3 {
		c.object("job")
	}
	percent := 1.0
	readings.Store(&map[string]*jobs.Reading{j.ID: (*readings.Load())[j.ID], other.ID: {Attempt: 1, Progress: &jobs.Progress{Percent: &percent}}})
	if _, data := c.object("progress"); data["id"] != other.ID {
		t.Errorf("got %v, want the progress of %s", data, other.ID)
	}
}
