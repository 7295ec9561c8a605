package meter_test

import (
	"path/filepath"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/meter"
)

// gauge measures what runs in the world through a queue that can only be read.
func (w *world) gauge() *meter.Gauge {
	w.Helper()
	q, err := jobs.OpenReader(filepath.Join(w.state, "jobs.db"))
	if err != nil {
		w.Fatal(err)
	}
	g := meter.NewGauge(meter.Options{StateDir: w.state, Queue: q, Catalog: func() *jobs.Catalog { return w.catalog }, Detect: w.detect})
	w.Cleanup(func() {
		g.Close()
		if err := q.Close(); err != nil {
			w.Error(err)
		}
	})
	return g
}

// percentOf gives what a look has found of a job; -1 if nothing.
func percentOf(all map[string]*jobs.Reading, j *jobs.Job) float64 {
	if r := all[j.ID]; r != nil && r.Progress != nil && r.Progress.Percent != nil {
		return *r.Progress.Percent
	}
	return -1
}

// A gauge tells of the jobs that it is asked about, as far as they have come at
// each look, and stores nothing.
func TestGauge(t *testing.T) {
	w := newWorld(t)
	j, other := w.start("job", 2*time.Second, jobs.ProcessID{}), w.start("job", 3*time.Second, jobs.ProcessID{})
	w.print(j, "4\n")
	w.print(other, "9\n")
	g := w.gauge()
	if got := g.Look(bg, []*jobs.Job{j}, true); percentOf(got, j) != 4 || len(got) != 1 {
		t.Errorf("got %v, want 4 %% of the one that was asked about", got)
	}
	w.print(j, "5\n")
	if got := g.Look(bg, []*jobs.Job{other, j}, false); percentOf(got, j) != 5 || percentOf(got, other) != 9 {
		t.Errorf("got %v, want 5 %% and 9 %%", got)
	}
	if heard := w.ear(j); heard.text.String() != "4\n5\n" {
		t.Errorf("it was read as %q, want each line once", heard.text.String())
	}
	w.end(other, jobs.Completed)
	if got := g.Look(bg, []*jobs.Job{w.job(other.ID), w.job(j.ID)}, false); percentOf(got, j) != 5 || got[other.ID] != nil {
		t.Errorf("got %v, want nothing of the one that has ended", got)
	}
	if w.stored(j) != nil || w.stored(other) != nil {
		t.Error("something was stored")
	}
}

// One look at an output does not tell how fast it goes, so what a daemon has stored
// of the time that is left counts, if it is about the same and young.
func TestGaugeKnowsWhatWasStored(t *testing.T) {
	w := newWorld(t)
	left, percent := time.Hour, 4.0
	for _, c := range []struct {
		source string
		age    time.Duration
		known  bool
	}{
		{jobs.ProgressSaid, 0, true},
		{jobs.ProgressSaid, time.Hour, false},
		{"tqdm", 0, false},
	} {
		j := w.start("job", time.Minute, jobs.ProcessID{})
		w.print(j, "4\n")
		p := &jobs.Progress{Percent: &percent, Text: "4", Source: c.source, ETA: &left, ETASource: jobs.ETARate, At: time.Now().Add(-c.age)}
		if err := w.queue.KeepReadings(bg, []jobs.Measured{{ID: j.ID, Reading: &jobs.Reading{Attempt: 1, Progress: p}}}); err != nil {
			t.Fatal(err)
		}
		got := w.gauge().Look(bg, []*jobs.Job{j}, false)[j.ID].Progress
		if known := got.ETA != nil; known != c.known || known && (*got.ETA > left || *got.ETA < left-time.Minute || got.ETASource != jobs.ETARate) {
			t.Errorf("%s, %s old: got %+v, want the time left known %t", c.source, c.age, got, c.known)
		}
		w.end(j, jobs.Completed)
	}
}
