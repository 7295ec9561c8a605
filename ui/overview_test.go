package ui_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// holds fails unless a region of the overview has all of these.
func (a answer) holds(t *testing.T, id string, wants ...string) {
	t.Helper()
	r := region(t, a.body, id)
	for _, want := range wants {
		if !strings.Contains(r, want) {
			t.Errorf("%s has no %q:\n%s", id, want, r)
		}
	}
}

func TestOverviewOfABusyDay(t *testing.T) {
	s := newSite(t)
	busyJobs(s, 3)
	got := s.get("/")
	got.holds(t, "eyes", "exit 137 – 128&#43;9 means SIGKILL", `<code class="line">RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB`,
		`<code class="line">convert.sh: line 3: ffmpeg: command not found</code>`, "12 min ago, took 2 h 59")
	got.holds(t, "running", "3 of 2", "3 h 02", `<progress max="100" value="4" aria-label="Progress"></progress> <b>4 %</b> <span class="said">epoch 1/10</span>`,
		`title="found in its output, as tqdm writes it"`, "2 h 11 left <small>(<time datetime=", "310 %", "9.0 GiB",
		`<span class="bar guess" title="by how long earlier runs took; the job itself tells nothing">`, "≈ 28 %", "usually 25 s (median of 40)", "~18 s left",
		"no output for 47 min – may be stuck")
	got.holds(t, "pending", "16 waiting", `<a href="/jobs?state=PENDING">all 16</a>`, "limit: 3 of 3 running", "in about ", "held", "cannot be said", `data-short>`)
	got.holds(t, "counts", ">10</b>", "in 24 h", "of 2", ">16</b>")
	got.holds(t, "day", "Waiting <b>16</b>", "failed</small>", "of 3 at once", "<summary>As numbers</summary>", `<th scope="row"><time datetime=`, `class="bars c-bad"`, "24 h ago")
	got.contains(t, "<title>3✗ 3▶\uFE0E 16◌ lab · jobrunner</title>", "/failed.svg")
}

// What ended counts at once, before anybody has taken a sample, and a request
// that was refused counts as failed.
func TestOverviewCountsWhatEnded(t *testing.T) {
	s := newSite(t)
	for _, state := range []jobs.State{jobs.Completed, jobs.Failed, jobs.Timeout, jobs.Cancelled, jobs.Completed} {
		j := s.add(jobs.Job{})
		s.start(j, "")
		s.end(j, exited(state, 3))
	}
	s.add(jobs.Job{State: jobs.Rejected, Reason: "why"})
	want := []string{"<b>3</b> <span class=\"st s-failed\"", "<b>2</b> <span class=\"st s-completed\"", "<b>1</b> <span class=\"st s-cancelled\""}
	s.get("/").holds(t, "counts", want...)
	if _, err := s.queue.TakeSample(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	got := s.get("/")
	got.holds(t, "counts", want...)
	got.holds(t, "day", "Ended <b>2</b> <small>completed, 2 failed</small>")
}

// Of a job that is not measured, or whose reading is of an earlier attempt,
// nothing is said; and a guess never says that it is done.
func TestOverviewSaysOnlyWhatIsKnown(t *testing.T) {
	s := newSite(t)
	j, other := s.add(jobs.Job{}), s.add(jobs.Job{})
	s.start(j, "")
	s.start(other, "")
	all, none := 99.97, time.Duration(0)
	s.opts.Readings = func() map[string]*jobs.Reading {
		return map[string]*jobs.Reading{
			j.ID:     {Attempt: 1, Progress: &jobs.Progress{Percent: &all, ETA: &none, ETASource: jobs.ETARate, Source: jobs.ProgressSaid}},
			other.ID: {Attempt: 7, Progress: &jobs.Progress{Text: "of another attempt"}},
		}
	}
	got := s.get("/")
	got.holds(t, "running", `value="99.9"`, "<b>99 %</b>", "any moment", `title="by how fast it went lately"`, "as the job says in its output")
	got.lacks(t, "of another attempt", "100 %", "no output")
}

func TestOverviewShowsTheFirstOfMany(t *testing.T) {
	s := newSite(t)
	for i := range 40 {
		j := s.add(jobs.Job{Args: []string{fmt.Sprint("bad", i)}})
		s.start(j, "")
		s.end(j, exited(jobs.Failed, 3))
		s.start(s.add(jobs.Job{Args: []string{"runs"}}), "")
	}
	got := s.get("/")
	got.holds(t, "eyes", "25&#43; more</a>")
	got.holds(t, "running", "all 40</a>")
	got.contains(t, "<title>30&#43;✗ 40▶")
	if n := strings.Count(region(t, got.body, "eyes"), "<tr "); n != 6 {
		t.Errorf("%d rows need eyes, want 5 and their heading", n)
	}
}
