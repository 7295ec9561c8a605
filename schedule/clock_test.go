package schedule_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
	"jobrunner/schedule"
)

var bg = context.Background()

// world is a queue, the schedules over it, and a clock that may run.
type world struct {
	*testing.T
	queue   *jobs.Queue
	catalog atomic.Pointer[jobs.Catalog]
	clock   *schedule.Clock
	log     bytes.Buffer // to be read once the clock is stopped
	stop    func()
}

// newWorld must be called inside of a synctest bubble if time is to fly.
func newWorld(t *testing.T, list ...jobs.Schedule) *world {
	t.Helper()
	dir := t.TempDir()
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, queue: q, stop: func() {}}
	w.catalog.Store(catalog(dir, list...))
	t.Cleanup(func() {
		w.stop()
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	w.clock = schedule.New(schedule.Options{
		StateDir: dir, Queue: q, Catalog: w.catalog.Load, Log: zerolog.New(&w.log),
	})
	return w
}

func catalog(dir string, list ...jobs.Schedule) *jobs.Catalog {
	return &jobs.Catalog{
		Dir: dir, MaxConcurrent: 1, Schedules: list,
		Types: map[string]*jobs.Type{
			"train": {Name: "train", Command: []string{"train"}, Args: jobs.ArgRules{Max: -1}, Workdir: dir},
			"copy": {Name: "copy", Interpreter: []string{"sh"}, Scripts: dir, Extensions: []string{".sh"},
				Args: jobs.ArgRules{Max: -1}, Workdir: dir, OnChange: jobs.OnChangeCopy},
		},
	}
}

// start runs the clock; it goes on until stop.
func (w *world) start() {
	w.Helper()
	w.stop()
	ctx, cancel := context.WithCancel(bg)
	done := make(chan error, 1)
	go func() { done <- w.clock.Run(ctx) }()
	w.stop = func() {
		w.stop = func() {}
		cancel()
		if err := <-done; err != nil {
			w.Errorf("Run: %v", err)
		}
	}
}

// configure puts other schedules in force.
func (w *world) configure(list ...jobs.Schedule) {
	w.catalog.Store(catalog(w.catalog.Load().Dir, list...))
	w.clock.Reload()
}

// made are the jobs that there are, oldest first.
func (w *world) made() []*jobs.Job {
	w.Helper()
	list, err := w.queue.List(bg, jobs.Filter{Limit: 500})
	if err != nil {
		w.Fatal(err)
	}
	slices.Reverse(list)
	return list
}

func (w *world) state(name string) jobs.ScheduleState {
	w.Helper()
	states, err := w.queue.Schedules(bg)
	if err != nil {
		w.Fatal(err)
	}
	for _, s := range states {
		if s.Name == name {
			return s
		}
	}
	return jobs.ScheduleState{}
}

// finish ends all jobs that wait.
func (w *world) finish() {
	w.Helper()
	for _, j := range w.made() {
		if !j.State.Ended() {
			if _, err := w.queue.Execute(bg, jobs.Command{Action: jobs.Cancel, IDs: []string{j.ID}}); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// skips are the reasons for times that were left out.
func (w *world) skips() []string {
	w.Helper()
	events, err := w.queue.Events(bg, 0, 500)
	if err != nil {
		w.Fatal(err)
	}
	var words []string
	for _, e := range events {
		if e.Kind == jobs.EventSchedule {
			words = append(words, e.Reason)
		}
	}
	return words
}

func every(d time.Duration) jobs.Schedule {
	return jobs.Schedule{
		Name: "poll", Every: d, CatchUp: jobs.CatchUpNone, Overlap: jobs.OverlapQueue,
		Request: &jobs.Request{Type: "train", Args: []string{"1"}},
		Next:    func(t time.Time) time.Time { return t.Add(d) },
	}
}

func cron(t *testing.T, expression, zone string) jobs.Schedule {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	s := every(0)
	s.Cron, s.Zone = expression, z
	if s.Next, err = jobs.ParseCron(expression, z); err != nil {
		t.Fatal(err)
	}
	return s
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		w := newWorld(t, every(15*time.Minute))
		w.start()
		time.Sleep(14*time.Minute + 59*time.Second)
		same(t, "jobs before the first time", len(w.made()), 0)
		time.Sleep(46 * time.Minute)
		made := w.made()
		same(t, "jobs of an hour", len(made), 4)
		for n, j := range made {
			due := begin.Add(time.Duration(n+1) * 15 * time.Minute)
			same(t, "made at", j.SubmittedAt, due.UTC())
			same(t, "job", []any{j.State, j.Type, j.Args, j.Source}, []any{jobs.Pending, "train", []string{"1"}, "schedule:poll"})
			same(t, "id", j.ID, uuid.NewSHA1(uuid.MustParse(w.queue.StateID()),
				[]byte("schedule:poll "+due.UTC().Format(jobs.TimeFormat))))
		}
		s := w.state("poll")
		same(t, "last time", s.LastAt, begin.Add(time.Hour).UTC())
		same(t, "next time", s.NextAt, begin.Add(75*time.Minute).UTC())
		same(t, "jobs of the last time", s.Jobs, []string{made[3].ID})
	})
}

func TestCron(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := cron(t, "30 2 * * *", "Europe/Berlin")
		w := newWorld(t, s)
		time.Sleep(time.Until(time.Date(2000, 3, 24, 12, 0, 0, 0, s.Zone)))
		w.start()
		time.Sleep(3 * 24 * time.Hour)
		w.stop()
		time.Sleep(time.Until(time.Date(2000, 10, 27, 12, 0, 0, 0, s.Zone)))
		w.start()
		time.Sleep(3 * 24 * time.Hour)
		var got []string
		for _, j := range w.made() {
			got = append(got, j.SubmittedAt.In(s.Zone).Format("01-02 15:04 MST"))
		}
		same(t, "times over both changes of the clock", strings.Join(got, ", "), "03-25 02:30 CET, 03-26 03:00 CEST, 03-27 02:30 CEST, "+
			"10-28 02:30 CEST, 10-29 02:30 CEST, 10-30 02:30 CET")
	})
}

// A daemon that was away leaves out, makes up for one, or for all.
func TestCatchUp(t *testing.T) {
	for _, tt := range []struct {
		catchUp jobs.CatchUp
		away    time.Duration
		made    int
		skip    string
	}{
		{jobs.CatchUpNone, 65 * time.Minute, 0, "poll: 3 missed times are left out (catch_up: none)"},
		{jobs.CatchUpNone, 25 * time.Minute, 0, "poll: 1 missed time is left out (catch_up: none)"},
		{jobs.CatchUpNone, 20*time.Minute + 30*time.Second, 1, ""}, // late, but not missed
		{jobs.CatchUpNone, 60*time.Minute + 30*time.Second, 1, "poll: 2 missed times are left out (catch_up: none)"},
		{jobs.CatchUpOne, 65 * time.Minute, 1, "poll: 2 missed times are left out (catch_up: one)"},
		{jobs.CatchUpOne, 25 * time.Minute, 1, ""},
		{jobs.CatchUpOne, 40*time.Minute + 30*time.Second, 2, ""},
		{jobs.CatchUpAll, 24*time.Hour + 5*time.Minute, 72, ""},
		{jobs.CatchUpAll, 1010*20*time.Minute + 5*time.Minute, 1000, "poll: 10 missed times are left out (catch_up: all)"},
	} {
		t.Run(fmt.Sprintf("%s %v", tt.catchUp, tt.away), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := every(20 * time.Minute)
				s.CatchUp = tt.catchUp
				if tt.catchUp == jobs.CatchUpAll {
					s.Overlap = jobs.OverlapSkip // all means all
				}
				w := newWorld(t, s)
				w.start()
				synctest.Wait()
				w.stop()
				begin := w.state("poll").NextAt
				time.Sleep(tt.away)
				w.start()
				time.Sleep(time.Second)
				w.stop()
				stats, err := w.queue.Stats(bg)
				if err != nil {
					t.Fatal(err)
				}
				same(t, "jobs made", stats.States[jobs.Pending], tt.made)
				same(t, "left out", strings.Join(w.skips(), " | "), tt.skip)
				next := w.state("poll").NextAt
				if !next.After(time.Now()) || next.Sub(begin)%(20*time.Minute) != 0 {
					t.Errorf("goes on at %v, began at %v", next, begin)
				}
			})
		})
	}
}

// A log is read in UTC, whatever the zone of a schedule.
func TestLogsUTC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cron(t, "0 2 * * *", "Asia/Tokyo"))
		w.start()
		time.Sleep(25 * time.Hour)
		w.stop()
		for line := range strings.Lines(w.log.String()) {
			var e struct{ Due, Next *time.Time }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			for _, at := range []*time.Time{e.Due, e.Next} {
				if at != nil && at.Location() != time.UTC {
					t.Errorf("a time of another zone is logged: %s", line)
				}
			}
		}
		same(t, "times that are logged as dropped", strings.Count(w.log.String(), `"due"`), 1)
	})
}
