package ui

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// progressEvery is the least time between two messages of the progress of a job.
const progressEvery = time.Second

// apiEvents follows the jobs: each change is an event "job" that bears the
// number of the change, and how far running jobs have come are events "progress"
// in between.
func (s *server) apiEvents(w http.ResponseWriter, r *http.Request) {
	f := &follower{s: s, moved: map[string]move{}, over: map[string]int{}}
	err := f.begin(r)
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	s.serveStream(w, r, silentBeat, func(ctx context.Context, out *stream) error {
		f.out = out
		return f.run(ctx)
	})
}

// lastEventID reads the number of the change that the client has seen last, -1
// if it names none. What a browser sends when it asks again comes first.
func lastEventID(r *http.Request) (int64, error) {
	query, err := parseQuery(r)
	if err != nil {
		return 0, err
	}
	v := cmp.Or(r.Header.Get("Last-Event-ID"), query.Get("last_event_id"))
	if v == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 {
		return 0, badRequest(fmt.Sprintf("Last-Event-ID is %q, want the id of an event, or 0 for all that are kept", fit(v, 60)))
	}
	return n, nil
}

// follower is a client that follows the jobs.
type follower struct {
	s    *server
	out  *stream
	last int64 // the change up to which it knows all

	lost      string          // why it cannot go on from where it was, to be told first
	short     bool            // it was told that changes are missing
	moved     map[string]move // what it was told of running jobs
	movedNext time.Time       // not before is it told again
	over      map[string]int  // attempts that it knows are over, of jobs that are still measured
}

// move is what was told of a job that runs.
type move struct {
	reading *jobs.Reading
	data    []byte
}

// run tells the client all that happens until ctx ends.
func (f *follower) run(ctx context.Context) error {
	changed, stop := f.s.Changed()
	defer stop()
	if f.lost != "" {
		if err := f.reset(f.lost); err != nil {
			return err
		}
	}
	timer := time.NewTimer(progressEvery)
	defer timer.Stop()
	for {
		some, err := f.tellJobs(ctx)
		if err == nil {
			err = f.tellProgress()
		}
		if err != nil {
			return err
		}
		if some {
			continue
		}
		timer.Reset(time.Until(f.movedNext))
		if !f.out.wait(changed, timer.C) {
			return nil
		}
	}
}

// begin finds where to begin, before the answer does: whoever has seen that
// begin misses no change. Numbers that are newer than any are those of a database
// that is no more.
func (f *follower) begin(r *http.Request) error {
	asked, err := lastEventID(r)
	if err != nil {
		return err
	}
	newest, err := f.s.Queue.LastEvent(r.Context())
	if err != nil {
		return err
	}
	f.last = newest
	switch {
	case asked > newest:
		f.lost = fmt.Sprintf("event %d is newer than the newest one: this is another database", asked)
	case asked >= 0:
		f.last = asked
	}
	return nil
}

// reset tells the client that it has missed something, and from where it goes on.
func (f *follower) reset(why string) error {
	data, err := json.Marshal(map[string]any{"after": f.last, "reason": why + "; read /api/v1/jobs to know what is"})
	if err != nil {
		return err
	}
	return f.out.send(message{strconv.FormatInt(f.last, 10), "reset", data})
}

// tellJobs tells the next changes, and reports whether there were any.
func (f *follower) tellJobs(ctx context.Context) (some bool, err error) {
	l, err := f.s.feed.after(ctx, f.last)
	if err != nil || l.last == f.last {
		return false, err
	}
	if l.gone && !f.short {
		f.short = true
		if err := f.reset("changes of jobs that were pruned are no longer kept"); err != nil {
			return false, err
		}
	}
	messages := make([]message, len(l.list))
	for i, n := range l.list {
		messages[i] = n.message
		f.over[n.job] = n.over
	}
	f.last = l.last
	return true, f.out.send(messages...)
}

// tellProgress tells how far running jobs have come, if they have moved.
func (f *follower) tellProgress() error {
	now := f.s.now()
	if now.Before(f.movedNext) {
		return nil
	}
	f.movedNext = now.Add(progressEvery)
	readings := f.s.Readings()
	gone := func(id string) bool { return readings[id] == nil }
	maps.DeleteFunc(f.moved, func(id string, _ move) bool { return gone(id) })
	maps.DeleteFunc(f.over, func(id string, _ int) bool { return gone(id) })
	var messages []message
	for _, id := range slices.Sorted(maps.Keys(readings)) {
		r, told := readings[id], f.moved[id]
		if r == told.reading || r.Progress == nil && r.Usage == nil || r.Attempt <= f.over[id] {
			continue
		}
		data, err := json.Marshal(progressNews{id, r.Progress, r.Usage})
		if err != nil {
			return err
		}
		f.moved[id] = move{r, data}
		if !bytes.Equal(data, told.data) {
			messages = append(messages, message{name: "progress", data: data})
		}
	}
	if messages == nil {
		return nil
	}
	return f.out.send(messages...)
}

// progressNews is the data of an event "progress".
type progressNews struct {
	ID       string         `json:"id"`
	Progress *jobs.Progress `json:"progress,omitempty"`
	Usage    *jobs.Usage    `json:"usage,omitempty"`
}
