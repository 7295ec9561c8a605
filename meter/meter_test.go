package meter_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"jobrunner/jobs"
	"jobrunner/meter"
)

// A job that is over soon is not looked at: no log is opened, nothing is stored.
func TestShortJobsAreLetBe(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		j := w.start("job", 0, jobs.ProcessID{})
		w.print(j, "1\n")
		w.meter.Change(w.now)
		w.pass(time.Second)
		w.end(j, jobs.Completed)
		w.pass(10 * time.Second)
		if w.heard[j.StartedAt.String()] != nil || w.meter.Taken() > 0 || w.stored(j) != nil {
			t.Fatalf("a job of a second was looked at: %d bytes were read, %+v is stored", w.meter.Taken(), w.stored(j))
		}
	}
	j := w.start("job", time.Second, jobs.ProcessID{})
	w.print(j, "1\n")
	w.meter.Change(w.now)
	w.pass(400 * time.Millisecond)
	if w.reading(j) != nil {
		t.Error("a job that has run for 1.4 s is measured")
	}
	w.pass(200 * time.Millisecond)
	if w.reading(j) == nil {
		t.Error("a job that has run for 1.6 s is not measured")
	}
}

// While nothing runs, waits or changes, nothing is due.
func TestIdleMeterRests(t *testing.T) {
	w := newWorld(t)
	w.pass(time.Minute)
	if at := w.meter.Next(w.now); !at.IsZero() {
		t.Errorf("of an empty queue something is due at %v, it is %v", at, w.now)
	}
	j := w.start("job", time.Minute, jobs.ProcessID{})
	w.meter.Change(w.now)
	w.pass(time.Minute)
	if w.meter.Next(w.now).IsZero() {
		t.Error("a job runs, and nothing is due")
	}
	w.end(j, jobs.Completed)
	w.pass(time.Minute)
	w.meter.Change(w.now) // its own writing
	w.pass(time.Minute)
	if at := w.meter.Next(w.now); !at.IsZero() {
		t.Errorf("after the last job something is due at %v, it is %v", at, w.now)
	}
}

// Run wakes up when the queue changes, and by itself only while there is
// something to measure.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, stop := context.WithCancel(bg)
		ended := make(chan error, 1)
		go func() { ended <- w.meter.Run(ctx) }()
		time.Sleep(time.Hour)
		w.now = time.Now()
		j := w.start("job", 0, jobs.ProcessID{})
		w.print(j, "7\n")
		time.Sleep(5 * time.Second)
		r := w.meter.Readings()[j.ID]
		if r == nil || r.Progress == nil || *r.Progress.Percent != 7 {
			t.Errorf("after 5 s the reading is %+v, want 7 %%", r)
		}
		w.print(j, "8\n")
		time.Sleep(600 * time.Millisecond) // somebody asks, so it is looked at more often
		if r := w.meter.Readings()[j.ID]; *r.Progress.Percent != 8 {
			t.Errorf("0.6 s after the first question it is at %v %%, want 8", *r.Progress.Percent)
		}
		w.print(j, "9\n")
		w.now = time.Now()
		if ok, err := w.queue.End(bg, j.ID, 1, jobs.Ending{State: jobs.Completed}); !ok || err != nil {
			t.Fatal(ok, err)
		}
		time.Sleep(time.Second)
		if r := w.stored(j); r == nil || *r.Progress.Percent != 9 {
			t.Errorf("what is stored at the end is %+v, want 9 %%", r)
		}
		if len(w.meter.Readings()) > 0 {
			t.Error("a job that has ended is shown as one that runs")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		samples, err := w.queue.Samples(bg, time.Now().Add(-time.Hour))
		if err != nil || len(samples) != 1 || samples[0].Completed != 1 || samples[0].Slots != 3 {
			t.Errorf("samples %+v, %v", samples, err)
		}
		w.now = time.Now()
	})
}

// What a job tells is stored about once a minute, and the next daemon goes on with
// it: also with what is not to be found any more.
func TestNextDaemonGoesOn(t *testing.T) {
	w := newWorld(t)
	j := w.start("job", time.Minute, jobs.ProcessID{})
	w.print(j, "3\n")
	w.pass(3 * time.Second)
	first := w.stored(j)
	if first == nil || *first.Progress.Percent != 3 {
		t.Fatalf("stored %+v, want 3 %%", first)
	}
	w.print(j, "4\n")
	w.pass(30 * time.Second)
	if got := *w.stored(j).Progress.Percent; got != 3 {
		t.Errorf("stored within the minute: %v %%", got)
	}
	w.pass(35 * time.Second)
	if got := *w.stored(j).Progress.Percent; got != 4 {
		t.Errorf("stored after a minute: %v %%, want 4", got)
	}
	w.print(j, strings.Repeat("nothing\n", meter.MostRead))
	w.pass(3 * time.Second)

	w.next() // as after kill -9: the one before stores nothing more
	w.pass(time.Second)
	r := w.reading(j)
	if r == nil || r.Progress == nil || *r.Progress.Percent != 4 {
		t.Fatalf("the next daemon has %+v, want 4 %%", r)
	}
	w.end(j, jobs.Completed)
	w.pass(time.Second)
	if p := w.job(j.ID).Progress; p == nil || *p.Percent != 4 {
		t.Errorf("a job that told 4 %% last has in the end %+v", p)
	}
}

// A job that ended while no daemon ran has what was stored before.
func TestEndWithoutADaemon(t *testing.T) {
	w := newWorld(t)
	known, unknown := w.start("job", time.Minute, jobs.ProcessID{}), w.start("job", 0, jobs.ProcessID{})
	w.print(known, "3\n")
	w.pass(time.Second)
	w.pass(2 * time.Minute)
	fresh := w.start("job", 0, jobs.ProcessID{})
	for _, j := range []*jobs.Job{known, unknown, fresh} {
		w.print(j, "9\n")
		w.end(j, jobs.Completed)
	}
	w.next()
	w.pass(time.Minute)
	if p := w.job(known.ID).Progress; p == nil || *p.Percent != 3 {
		t.Errorf("progress %+v, want the 3 %% that were seen", p)
	}
	if r := w.stored(fresh); r != nil {
		t.Errorf("of a job that nobody saw run there is %+v", r)
	}
}

// What cannot be stored is said once, and stored later.
func TestStoringFails(t *testing.T) {
	w := newWorld(t)
	db, err := sql.Open("sqlite", filepath.Join(w.state, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TRIGGER no BEFORE INSERT ON readings BEGIN SELECT RAISE(ABORT, 'no room'); END"); err != nil {
		t.Fatal(err)
	}
	j, more := w.start("job", time.Minute, jobs.ProcessID{}), w.start("job", time.Hour, jobs.ProcessID{})
	w.print(j, "5\n")
	w.pass(3 * time.Minute)
	w.end(j, jobs.Completed)
	w.pass(3 * time.Minute)
	if n := strings.Count(w.said.String(), "\n"); n != 1 || !strings.Contains(w.said.String(), "no room") {
		t.Errorf("it is said %d times, want once:\n%s", n, w.said.String())
	}
	if w.reading(more) == nil || w.stored(j) != nil {
		t.Errorf("it is measured: %v; stored: %v", w.reading(more), w.stored(j))
	}
	if _, err := db.Exec("DROP TRIGGER no"); err != nil {
		t.Fatal(err)
	}
	w.pass(2 * time.Minute)
	if r := w.stored(j); r == nil || *r.Progress.Percent != 5 {
		t.Errorf("when there is room again %+v is stored, want 5 %%", r)
	}
}

// Without anything found, earlier runs tell how far a job is, and never too much.
func TestEarlierRunsTell(t *testing.T) {
	w := newWorld(t)
	w.catalog.Types["off"] = &jobs.Type{Name: "off", Progress: jobs.ProgressRule{Off: true}}
	for _, name := range []string{"job", "off", "rare"} {
		for n := range 3 {
			if name == "rare" && n > 1 {
				continue
			}
			w.end(w.start(name, []time.Duration{90, 100, 900}[n]*time.Second, jobs.ProcessID{}), jobs.Completed)
		}
		w.end(w.start(name, time.Second, jobs.ProcessID{}), jobs.Failed)
	}
	early, late := w.start("job", 25*time.Second, jobs.ProcessID{}), w.start("job", 200*time.Second, jobs.ProcessID{})
	tells, off := w.start("job", 40*time.Second, jobs.ProcessID{}), w.start("off", 41*time.Second, jobs.ProcessID{})
	rare := w.start("rare", 42*time.Second, jobs.ProcessID{})
	w.print(tells, "4\n")
	w.print(off, "4\n")
	w.pass(time.Millisecond)
	p := w.reading(early).Progress
	if p == nil || *p.Percent < 24.9 || *p.Percent > 25.5 || p.Text != "usually 1 min 40 (median of 3)" ||
		p.Source != jobs.ProgressHistory || p.ETASource != jobs.ProgressHistory || p.ETA.Round(time.Second) != 75*time.Second {
		t.Errorf("after a quarter of the usual time: %+v", p)
	}
	if p := w.reading(late).Progress; *p.Percent != 95 || p.ETA != nil || p.ETASource != "" {
		t.Errorf("after twice the usual time: %v %%, ETA %v", *p.Percent, p.ETA)
	}
	if p := w.reading(tells).Progress; *p.Percent != 4 || p.Source != jobs.ProgressSaid || p.ETASource != jobs.ProgressHistory {
		t.Errorf("a job that tells its progress alone: %+v", p)
	}
	if p := w.reading(rare).Progress; p != nil {
		t.Errorf("two runs are too few: %+v", p)
	}
	if r := w.reading(off); r == nil || r.Progress != nil || r.OutputAt.Before(off.StartedAt) || w.heard[off.StartedAt.String()] != nil {
		t.Errorf("nothing is to be looked for: %+v", r)
	}
	w.end(early, jobs.Completed)
	w.pass(time.Second)
	if p := w.job(early.ID).Progress; p != nil {
		t.Errorf("a guess is kept: %+v", p)
	}
}

// A run that has just ended counts at once.
func TestLatestRunTells(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		j := w.start("job", time.Minute, jobs.ProcessID{})
		w.meter.Change(w.now)
		w.pass(time.Second)
		if p := w.reading(j).Progress; p != nil {
			t.Errorf("too few runs, and they tell %+v", p)
		}
		w.end(j, jobs.Completed)
		w.pass(time.Second)
	}
	j := w.start("job", 30*time.Second, jobs.ProcessID{})
	w.meter.Change(w.now)
	w.pass(time.Second)
	if p := w.reading(j).Progress; p == nil || p.Source != jobs.ProgressHistory {
		t.Errorf("after three runs: %+v", p)
	}
}

// An output on which a detector panics ends nothing but the search in it.
func TestDetectorPanics(t *testing.T) {
	w := newWorld(t)
	j, other := w.start("job", time.Minute, jobs.ProcessID{}), w.start("job", time.Hour, jobs.ProcessID{})
	w.print(j, "1\n")
	w.print(other, "2\n")
	w.pass(time.Second)
	w.print(j, fatal)
	w.pass(10 * time.Second)
	w.print(other, "3\n")
	w.pass(10 * time.Second)
	if p := w.reading(other).Progress; p == nil || *p.Percent != 3 {
		t.Errorf("another job: %+v", p)
	}
	if r := w.reading(j); r == nil || r.Progress != nil {
		t.Errorf("the job itself: %+v", r)
	}
	if n := strings.Count(w.said.String(), j.ID); n != 1 {
		t.Errorf("it is said %d times, want once:\n%s", n, w.said.String())
	}
	w.end(j, jobs.Completed)
	w.pass(time.Second)
	if w.stored(j) == nil {
		t.Error("nothing of it is stored")
	}
}

// OutputAt is when the output last grew.
func TestOutputAt(t *testing.T) {
	w := newWorld(t)
	silent, prints := w.start("job", time.Hour, jobs.ProcessID{}), w.start("job", time.Minute, jobs.ProcessID{})
	before := time.Now()
	w.print(prints, "x\n")
	w.now = time.Now()
	w.pass(time.Second)
	if got := w.reading(silent).OutputAt; !got.Equal(silent.StartedAt) {
		t.Errorf("a job without output: %v, want its start %v", got, silent.StartedAt)
	}
	got := w.reading(prints).OutputAt
	if got.Before(before.Add(-time.Second)) || got.After(time.Now()) {
		t.Errorf("a job that has just printed: %v, it is %v", got, before)
	}
	w.pass(time.Hour)
	if again := w.reading(prints).OutputAt; !again.Equal(got) {
		t.Errorf("an hour later: %v, want still %v", again, got)
	}
}

// A series spans all of an attempt however long it runs, in few points.
func TestSeriesIsThinned(t *testing.T) {
	start := time.Now()
	var points []jobs.Point
	for n := range 5000 {
		points = append(points, jobs.Point{At: start.Add(time.Duration(n) * 2 * time.Second), CPU: 2, Memory: int64(n)})
	}
	got := meter.Series(points...)
	if len(got) > meter.MostPoints || len(got) < meter.MostPoints/2 {
		t.Fatalf("%d points, want %d at most, and half of them at least", len(got), meter.MostPoints)
	}
	if first, last := got[0].At.Sub(start), points[4999].At.Sub(got[len(got)-1].At); first > 5*time.Minute || last > 5*time.Minute {
		t.Errorf("it begins %v late, and ends %v early", first, last)
	}
	for n := 1; n < len(got); n++ {
		if gap := got[n].At.Sub(got[n-1].At); gap < 45*time.Second || gap > 5*time.Minute || got[n].CPU != 2 {
			t.Errorf("point %d is %+v, %v after the one before", n, got[n], gap)
		}
	}
	spike := append(points[:200:200], points[200:]...)
	spike[100].Memory = 1 << 40
	most := int64(0)
	for _, p := range meter.Series(spike...) {
		most = max(most, p.Memory)
	}
	if most != 1<<40 {
		t.Errorf("a short peak of memory is lost: %d", most)
	}
}
