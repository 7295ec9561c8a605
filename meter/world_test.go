package meter_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
	"jobrunner/meter"
)

var bg = context.Background()

// patience bounds everything that a test waits for.
const patience = 2 * time.Minute

// world is a state folder with a queue, and a meter whose clock the test sets.
type world struct {
	*testing.T
	state   string
	queue   *jobs.Queue
	catalog *jobs.Catalog
	meter   *meter.Meter
	now     time.Time
	heard   map[string]*ear // by the start of the attempt that they listen to
	said    lockedBuffer    // the meter's log
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, state: t.TempDir(), now: time.Now(), heard: map[string]*ear{}}
	w.catalog = &jobs.Catalog{MaxConcurrent: 3, Types: map[string]*jobs.Type{"job": {Name: "job"}}}
	if err := os.Mkdir(filepath.Join(w.state, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.queue, err = jobs.Open(filepath.Join(w.state, "jobs.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.queue.Close(); err != nil {
			t.Error(err)
		}
	})
	w.next()
	return w
}

// next gives the world a new meter, as a new daemon has one.
func (w *world) next() {
	w.meter = meter.New(meter.Options{
		StateDir: w.state, Queue: w.queue, Catalog: func() *jobs.Catalog { return w.catalog },
		Detect: w.detect, Log: zerolog.New(&w.said),
	})
	w.meter.Begin()
	w.Cleanup(func() { w.meter.End(bg, w.now) })
}

// ear notes what a detector is given, and tells as progress the last line of it
// that reads as a number.
type ear struct {
	text    bytes.Buffer
	at      time.Time
	skipped int
	file    string
}

func (w *world) detect(_ jobs.ProgressRule, startedAt time.Time) meter.Detector {
	e := &ear{}
	w.heard[startedAt.String()] = e
	return e
}

// fatal is what an ear cannot bear.
const fatal = "fatal\n"

func (e *ear) Write(p []byte, at time.Time) {
	if string(p) == fatal {
		panic("an output that nobody had thought of")
	}
	e.text.Write(p)
	e.at = at
}

func (e *ear) Skip() { e.skipped++ }
func (e *ear) File(content []byte, _ time.Time) {
	e.file = string(content)
}

func (e *ear) Progress(now time.Time) *jobs.Progress {
	lines := strings.Fields(e.text.String())
	if len(lines) == 0 || strings.Trim(lines[len(lines)-1], "0123456789") != "" {
		return nil
	}
	p := &jobs.Progress{Text: lines[len(lines)-1], Source: jobs.ProgressSaid, At: now}
	if len(p.Text) <= 2 {
		percent := float64(p.Text[0] - '0')
		p.Percent = &percent
	}
	return p
}

// start brings a job of the type to RUNNING that began so long ago, with that
// process.
func (w *world) start(name string, ago time.Duration, process jobs.ProcessID) *jobs.Job {
	w.Helper()
	id := uuid.NewString()
	w.accept(&jobs.Job{ID: id, Type: name, Target: name, Source: "inbox:a.yaml", State: jobs.Pending, Attempt: 1, SubmittedAt: w.now})
	return w.begin(id, 1, ago, process)
}

func (w *world) accept(j *jobs.Job) {
	w.Helper()
	if _, err := w.queue.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) begin(id string, attempt int, ago time.Duration, process jobs.ProcessID) *jobs.Job {
	w.Helper()
	if begun, err := w.queue.Begin(bg, []jobs.Start{{ID: id, Attempt: attempt, Instance: "test"}}); err != nil || len(begun) != 1 {
		w.Fatal(begun, err)
	}
	if process.PID == 0 {
		process = jobs.ProcessID{PID: 1 << 30, Start: "1", Boot: "b"}
	}
	ok, err := w.queue.Started(bg, id, attempt, jobs.StartInfo{Process: process, Log: "logs/" + id + ".log", At: w.now.Add(-ago)})
	if err != nil || !ok {
		w.Fatal(ok, err)
	}
	return w.job(id)
}

func (w *world) job(id string) *jobs.Job {
	w.Helper()
	j, err := w.queue.Detail(bg, id)
	if err != nil {
		w.Fatal(err)
	}
	return j
}

func (w *world) end(j *jobs.Job, state jobs.State) {
	w.Helper()
	if ok, err := w.queue.End(bg, j.ID, j.Attempt, jobs.Ending{State: state, FinishedAt: w.now}); err != nil || !ok {
		w.Fatal(ok, err)
	}
	w.meter.Change(w.now)
}

// print appends to the output of a job.
func (w *world) print(j *jobs.Job, text string) {
	w.Helper()
	f, err := os.OpenFile(filepath.Join(w.state, j.Log), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		w.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		w.Fatal(err)
	}
}

// ear gives what was heard of a job.
func (w *world) ear(j *jobs.Job) *ear {
	w.Helper()
	e := w.heard[j.StartedAt.String()]
	if e == nil {
		w.Fatal("nobody listens to the job")
	}
	return e
}

// pass lets time pass, and the meter do what is due then.
func (w *world) pass(d time.Duration) {
	for until := w.now.Add(d); ; {
		at := w.meter.Next(w.now)
		if at.IsZero() || at.After(until) {
			w.now = until
			return
		}
		if at.After(w.now) {
			w.now = at
		}
		w.meter.Turn(bg, w.now)
	}
}

// reading gives what is shown of a job; nil if nothing is.
func (w *world) reading(j *jobs.Job) *jobs.Reading { return w.meter.Shown()[j.ID] }

// stored gives what is stored of an attempt; nil if nothing is.
func (w *world) stored(j *jobs.Job) *jobs.Reading {
	r, err := w.queue.Reading(bg, j.ID, j.Attempt)
	if err != nil {
		return nil
	}
	return r
}

// lockedBuffer is a buffer that many may use.
type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
