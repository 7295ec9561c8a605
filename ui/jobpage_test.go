package ui_test

import (
	"context"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// series is a usage that was measured once a second.
func series(begin time.Time, n int) (points []jobs.Point) {
	for i := range n {
		points = append(points, jobs.Point{At: begin.Add(time.Duration(i) * time.Second), CPU: float64(i % 3), Memory: int64(i) << 20})
	}
	return points
}

func TestJobPageSaysWhyItFailed(t *testing.T) {
	s := newSite(t)
	j, path := s.logged(numberedLines(100) + "Traceback (most recent call last):\n  File \"x.py\", line 1\nRuntimeError: CUDA <out> of memory\nbye\n")
	got := s.get("/jobs/" + j.ID)
	got.contains(t, `<code>RuntimeError: CUDA &lt;out&gt; of memory</code> <a href="`+path+`?line=103#L103">line 103</a>`,
		`<div id="L103"><a href="`+path+`?line=103#L103">103</a>RuntimeError: CUDA &lt;out&gt; of memory</div>`, `<div id="L104">`, "the end of ",
		`<a href="`+path+`">All of it, search (2.`, `<a href="`+path+`?errors=1">`)
	got.lacks(t, `id="L40"`)
	s.get(path+"?line=103").contains(t, `<div id="L103" class="here">`)

	killed := s.add(jobs.Job{})
	s.start(killed, "epoch 1\n")
	s.end(killed, jobs.Ending{State: jobs.Failed, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL", FinishedAt: time.Now()})
	s.get("/jobs/"+killed.ID).contains(t, "probably out of memory", "<code>epoch 1</code>")
	proven := s.add(jobs.Job{})
	s.start(proven, "")
	s.end(proven, jobs.Ending{State: jobs.Failed, Reason: "signal 9 (SIGKILL): out of memory, limit 4GiB", Signal: "SIGKILL", FinishedAt: time.Now()})
	got = s.get("/jobs/" + proven.ID)
	got.contains(t, "out of memory, limit 4GiB", "It wrote nothing.")
	got.lacks(t, "probably", "line 1<")
}

func TestJobPageShowsProgressAndUsage(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{Type: "train", Target: "train"})
	s.start(j, "58%\n")
	percent, left := 58.0, 2*time.Hour+10*time.Minute
	now := time.Now()
	r := &jobs.Reading{
		Attempt:  1,
		Progress: &jobs.Progress{Percent: &percent, Text: "epoch <6>/10", ETA: &left, Source: "tqdm", ETASource: "tqdm", At: now},
		Usage:    &jobs.Usage{CPU: 3.1, CPUTime: 90 * time.Minute, Memory: 9 << 30, PeakMemory: 10 << 30, Processes: 4},
		OutputAt: now.Add(-47 * time.Minute), Series: series(now.Add(-5*time.Minute), 300),
	}
	r.Progress.At = r.OutputAt
	s.opts.Readings = func() map[string]*jobs.Reading { return map[string]*jobs.Reading{j.ID: r} }
	got := s.get("/jobs/" + j.ID)
	got.contains(t, `<progress max="100" value="58"`, "epoch &lt;6&gt;/10", "2 h 10 left", "no output for 47 min", "<h2>What it takes", "processor time 1 h 30, 4 processes",
		"<b>310 %</b>", "<b>9.0 GiB</b>", "at most 10.0 GiB", "runs for ", "jobrunner cancel "+j.ID[:8])
	got.lacks(t, "it may be stuck", "<p class=\"reason s-running\">process", "reached")
	if n := strings.Count(got.body, "<svg"); n != 2 {
		t.Errorf("%d charts, want 2", n)
	}
	idle := *r
	idle.Usage = &jobs.Usage{Processes: 1}
	s.opts.Readings = func() map[string]*jobs.Reading { return map[string]*jobs.Reading{j.ID: &idle} }
	s.get("/jobs/"+j.ID).contains(t, "it may be stuck", ", 1 process<")

	if err := s.queue.KeepReadings(context.Background(), []jobs.Measured{{ID: j.ID, Reading: r}}); err != nil {
		t.Fatal(err)
	}
	s.opts.Readings = nil
	e := exited(jobs.Failed, 1)
	e.FinishedAt = now.Add(time.Hour)
	s.end(j, e)
	got = s.get("/jobs/" + j.ID)
	got.contains(t, "reached <span", `value="58"`, "<h2>What it took", "at most 10.0 GiB", "on average", "took 1 h 00")
	got.lacks(t, " left", "no output for", "4 processes")

	done := s.add(jobs.Job{Type: "train"})
	s.start(done, "")
	if err := s.queue.KeepReadings(context.Background(), []jobs.Measured{{ID: done.ID, Reading: &jobs.Reading{Attempt: 1, Progress: r.Progress}}}); err != nil {
		t.Fatal(err)
	}
	s.end(done, exited(jobs.Completed, 0))
	s.get("/jobs/"+done.ID).lacks(t, "<progress", "What it took")
}

func TestJobPageShowsItsFolder(t *testing.T) {
	s := newSite(t)
	dir := t.TempDir()
	s.opts.Catalog = func() *jobs.Catalog {
		return &jobs.Catalog{Types: map[string]*jobs.Type{"train": {Name: "train", Command: []string{"true"}, Workdir: dir}}}
	}
	for workdir, want := range map[string]string{"": dir, "runs/a": filepath.Join(dir, "runs", "a"), dir: dir} {
		j := s.add(jobs.Job{Type: "train", Workdir: workdir})
		s.get("/jobs/"+j.ID).contains(t, "<dt>Folder</dt><dd>"+html.EscapeString(want)+"</dd>")
	}
	j := s.add(jobs.Job{Type: "gone", Workdir: "runs/b"})
	s.get("/jobs/"+j.ID).contains(t, "<dt>Folder</dt><dd>"+filepath.FromSlash("runs/b")+"</dd>")
}

func TestJobPageShowsItsKin(t *testing.T) {
	s := newSite(t)
	first := s.add(jobs.Job{})
	s.get("/jobs/"+first.ID).lacks(t, "Same type")
	for i := range 25 {
		j := s.add(jobs.Job{})
		s.start(j, "")
		e := exited(jobs.Completed, 0)
		if i%5 == 0 {
			e = exited(jobs.Failed, 1)
		}
		e.FinishedAt = time.Now().Add(time.Duration(i) * time.Minute)
		s.end(j, e)
	}
	s.start(first, "")
	s.end(first, exited(jobs.Completed, 0))
	last := s.add(jobs.Job{})
	s.start(last, "")
	s.end(last, exited(jobs.Failed, 3))
	got := s.get("/jobs/" + last.ID)
	got.contains(t, "Same type, last 20", "of the last 27 COMPLETED", `<a href="/jobs?type=quick">all quick jobs</a>`,
		fmt.Sprintf(`<a class="s-failed" href="/jobs/%s"`, last.ID), `aria-current="true"`)
	marks := regexp.MustCompile(`<p class="marks">(.*)</p>`).FindString(got.body)
	if n := strings.Count(marks, "<a "); n != 20 || !strings.HasSuffix(marks, "✗</a></p>") {
		t.Errorf("%d marks, want 20, this job's the last: %s", n, marks)
	}
}
