package ui_test

import (
	"database/sql"
	"fmt"
	"math"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// edit changes the database behind the queue's back, for what only time brings.
func (s *site) edit(query string, args ...any) {
	s.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.opts.StateDir, "jobs.db")+"?_pragma=busy_timeout(5000)")
	if err == nil {
		_, err = db.Exec(query, args...)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// began makes a RUNNING job one that has run for that long.
func (s *site) began(j *jobs.Job, ago time.Duration) {
	s.edit("UPDATE jobs SET started_at = ?, submitted_at = min(submitted_at, ?) WHERE id = ?", time.Now().Add(-ago).UnixMilli(), time.Now().Add(-ago-time.Minute).UnixMilli(), j.ID)
}

// finished makes an ended job one that ended so long ago, after so long.
func (s *site) finished(j *jobs.Job, ago, took time.Duration) {
	end := time.Now().Add(-ago)
	s.edit("UPDATE jobs SET submitted_at = ?, started_at = ?, finished_at = ? WHERE id = ?",
		end.Add(-took-time.Minute).UnixMilli(), end.Add(-took).UnixMilli(), end.UnixMilli(), j.ID)
}

// busyDay leaves samples of a day behind.
func (s *site) busyDay(slots int) {
	at := time.Now().Add(-24 * time.Hour).Truncate(jobs.SamplePeriod)
	for i := 0; at.Before(time.Now()); i++ {
		wave := 1 + math.Sin(float64(i)/40)
		running := min(slots, int(wave*float64(slots)*0.8))
		failed := 0
		if i%37 == 0 {
			failed = 1
		}
		s.edit("INSERT INTO samples VALUES (?,?,?,?,?,?,?)", at.UnixMilli(), int(wave*9), running, slots, int(wave*2), failed, 0)
		at = at.Add(jobs.SamplePeriod)
	}
}

// busyJobs are what a group of people has on a good day: jobs of every kind, as
// they are measured.
func busyJobs(s *site, running int) {
	q := s.queue
	catalog := &jobs.Catalog{Dir: s.opts.StateDir, MaxConcurrent: max(3, running), Types: map[string]*jobs.Type{}}
	for _, name := range []string{"train", "quick", "convert", "sweep", "countdown"} {
		catalog.Types[name] = &jobs.Type{Name: name, Command: []string{"true"}}
	}
	q.SetCatalog(catalog)
	readings := map[string]*jobs.Reading{}
	s.opts.Readings = func() map[string]*jobs.Reading { return readings }
	now := time.Now()
	for i, took := range []time.Duration{150, 12, 25, 25, 26} {
		j := s.add(jobs.Job{Type: []string{"train", "convert", "countdown"}[min(i, 2)]})
		s.start(j, "")
		s.end(j, exited(jobs.Completed, 0))
		s.finished(j, time.Duration(3+i)*time.Hour, took*[]time.Duration{time.Minute, time.Second, time.Second}[min(i, 2)])
	}
	for i := range running {
		j := s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", fmt.Sprint(0.01 * float64(i+1)), "--epochs", "10"}})
		percent, left := float64(4+(i*37)%95), time.Duration(131-6*i)*time.Minute
		p := &jobs.Progress{Percent: &percent, Text: fmt.Sprintf("epoch %d/10", 1+int(percent/10)), ETA: &left, Source: "tqdm", ETASource: "tqdm", At: now}
		r := &jobs.Reading{Attempt: 1, Progress: p, OutputAt: now, Usage: &jobs.Usage{CPU: 3.1 - 0.13*float64(i), Memory: 9<<30 + int64(i)<<27}}
		switch i % 5 {
		case 1:
			median := 18 * time.Second
			percent = 28
			p.Source, p.ETASource, p.ETA, p.Text = jobs.ProgressHistory, jobs.ProgressHistory, &median, "usually 25 s (median of 40)"
			r.Usage = &jobs.Usage{CPU: 0.001, Memory: 8 << 20}
			s.edit("UPDATE jobs SET target = 'countdown.py', args = '[\"25\"]', type = 'countdown' WHERE id = ?", j.ID)
		case 2:
			r.Progress, r.OutputAt = nil, now.Add(-47*time.Minute)
			r.Usage = &jobs.Usage{CPU: 0, Memory: 2 << 30}
			s.edit("UPDATE jobs SET target = 'sweep.py', args = '[\"--fold\",\"3\"]', name = 'cross-validation', type = 'sweep' WHERE id = ?", j.ID)
		case 3:
			p.Percent, p.ETA, p.Text = nil, nil, "12,480 lines read"
			s.edit("UPDATE jobs SET args = ? WHERE id = ?", `["--data","/srv/data/`+strings.Repeat("averylongfoldername/", 8)+`","--out","model.pt"]`, j.ID)
		}
		s.start(j, "")
		s.began(j, time.Duration(182-9*i)*time.Minute+12*time.Second)
		readings[j.ID] = r
	}
	fails := []struct {
		j      jobs.Job
		code   int
		output string
		ago    time.Duration
	}{
		{jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", "0.1", "--batch", "512"}, Name: "nightly"}, 137, "Traceback (most recent call last):\n  File \"train.py\", line 48\nRuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 31.74 GiB total capacity; 30.12 GiB already allocated)\n", 12 * time.Minute},
		{jobs.Job{Type: "convert", Target: "convert.sh", Args: []string{"clip7.mov", "clip7.mp4"}}, 127, "convert.sh: line 3: ffmpeg: command not found\n", 64 * time.Minute},
		{jobs.Job{Type: "quick", Target: "report.py", Args: []string{"--month", "2026-11"}}, 1, "Traceback (most recent call last):\n  File \"report.py\", line 9\nFileNotFoundError: [Errno 2] No such file or directory: 'sales.csv'\n", 26 * time.Hour},
	}
	for _, f := range fails {
		j := s.add(f.j)
		s.start(j, f.output)
		s.end(j, exited(jobs.Failed, f.code))
		s.finished(j, f.ago, 3*time.Hour-f.ago/30)
	}
	for i := range 14 {
		j := jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", fmt.Sprint(0.001 * float64(i+1))}, Priority: -i}
		switch i {
		case 1:
			j.Name = "eval of nightly"
			j.Target = "evaluate.py"
		case 3:
			j.Hold = true
		}
		s.add(j)
	}
	s.busyDay(max(3, running))
}

// The overview as it is to be seen on a good day, and on a full one.
func TestGallery(t *testing.T) {
	ctx := browser(t)
	for name, running := range map[string]int{"day": 3, "full": 22} {
		s := newSite(t)
		busyJobs(s, running)
		status := s.opts.Status
		s.opts.Status = func() ui.Status {
			st := status()
			st.Node, st.MaxConcurrent = "lab-srv2", max(3, running)
			return st
		}
		srv := httptest.NewServer(ui.Handler(s.opts))
		t.Cleanup(func() {
			srv.CloseClientConnections()
			srv.Close()
		})
		b := newTab(t, ctx)
		b.cleanConsole()
		b.look(srv.URL, map[string]string{name: "/"})
	}
}
