package ui_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// ranFor adds a job that started so long ago and ran for a while.
func (s *site) ranFor(j jobs.Job, ago, took time.Duration, e jobs.Ending, slots map[string][]string) *jobs.Job {
	s.t.Helper()
	now := time.Now()
	j.SubmittedAt = now.Add(-ago - 10*time.Minute)
	job := s.add(j)
	s.startWith(job, "", jobs.StartInfo{}, slots)
	if took > 0 {
		e.FinishedAt = now.Add(-ago + took)
		s.end(job, e)
	}
	s.edit("UPDATE jobs SET started_at = ? WHERE id = ?", now.Add(-ago).UnixMilli(), job.ID)
	s.edit("UPDATE attempts SET started_at = ? WHERE job = ?", now.Add(-ago).UnixMilli(), job.ID)
	return job
}

// lane gives the bars of a place on the timeline.
func lane(t *testing.T, page, label string) string {
	t.Helper()
	m := regexp.MustCompile(`(?s)<div class="lane"><span>` + regexp.QuoteMeta(label) + `</span><svg>(.*?)</svg></div>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no lane %q in:\n%s", label, page)
	}
	return m[1]
}

func TestTimeline(t *testing.T) {
	s := newSite(t)
	s.get("/timeline").contains(t, "Nothing ran in this time.", `<a href="/timeline?window=24h" aria-current="true">24h</a>`)

	gpu := map[string][]string{"gpu": {"0"}}
	trained := s.ranFor(jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", "<0.1>"}}, 5*time.Hour, 2*time.Hour, exited(jobs.Failed, 7), gpu)
	training := s.ranFor(jobs.Job{Type: "train", Target: "train.py"}, time.Hour, 0, jobs.Ending{}, gpu)
	both := s.ranFor(jobs.Job{}, 3*time.Hour, 30*time.Minute, exited(jobs.Completed, 0), map[string][]string{"gpu": {"0", "1"}})
	one := s.ranFor(jobs.Job{}, 10*time.Hour, 2*time.Hour, exited(jobs.Completed, 0), nil)
	beside := s.ranFor(jobs.Job{}, 9*time.Hour, time.Hour, jobs.Ending{State: jobs.Cancelled, Reason: "cancelled by request"}, nil)
	later := s.ranFor(jobs.Job{}, 7*time.Hour, time.Hour, exited(jobs.Completed, 0), nil)
	old := s.ranFor(jobs.Job{}, 30*time.Hour, time.Hour, exited(jobs.Completed, 0), nil)
	waiting := s.add(jobs.Job{Args: []string{"soon"}})

	got := s.get("/timeline?window=24h")
	first := lane(t, got.body, "gpu 0")
	for _, want := range []string{
		`<a class="s-failed" href="/jobs/` + trained.ID[:8] + `" tabindex="-1"><title>✗ FAILED train.py --lr &#39;&lt;0.1&gt;&#39;: `, "took 2 h 00 after a wait of 10 min 00</title>",
		`fill="url(#hatch)"`, `class="s-running" href="/jobs/` + training.ID[:8], "running for 1 h", "/jobs/" + both.ID[:8],
		`<text x="4" y="66%">✗ train.py --lr`, `<rect class="w" x=`,
	} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q on the lane of gpu 0:\n%s", want, first)
		}
	}
	if l := lane(t, got.body, "gpu 1"); !strings.Contains(l, both.ID[:8]) || strings.Contains(l, trained.ID[:8]) {
		t.Errorf("the lane of gpu 1:\n%s", l)
	}
	if l := lane(t, got.body, "1"); !strings.Contains(l, one.ID[:8]) || !strings.Contains(l, later.ID[:8]) || strings.Contains(l, beside.ID[:8]) {
		t.Errorf("the first place:\n%s", l)
	}
	if l := lane(t, got.body, "2"); !strings.Contains(l, beside.ID[:8]) || !strings.Contains(l, `fill="url(#dots)"`) {
		t.Errorf("the second place:\n%s", l)
	}
	if l := lane(t, got.body, "next"); !strings.Contains(l, waiting.ID[:8]) || !strings.Contains(l, "◌ PENDING quick soon: waits for") {
		t.Errorf("what waits:\n%s", l)
	}
	got.contains(t, `<a class="what" href="/jobs/`+both.ID[:8]+`">quick</a> <small>on gpu 0, gpu 1</small> exit 0`, "cancelled by request")
	got.lacks(t, "ZgotmplZ", "Later →", "(no value)", old.ID[:8])
	if n := strings.Count(got.body, both.ID[:8]); n != 3 {
		t.Errorf("a job with two tokens is there %d times, want two bars and one row", n)
	}

	// What is drawn can be moved back in time, and then has no present.
	path := got.link("prev")
	earlier := s.get(path)
	earlier.contains(t, "Later →", old.ID[:8])
	earlier.lacks(t, waiting.ID[:8], training.ID[:8], one.ID[:8])
	if l := s.get(earlier.link("next")); !strings.Contains(l.body, training.ID[:8]) {
		t.Errorf("the way back to the present (%s) does not lead there", earlier.link("next"))
	}
	s.get("/timeline?window=6h").lacks(t, one.ID[:8])
	s.get("/timeline?window=1h&end=8h").contains(t, one.ID[:8], beside.ID[:8])
	for query, want := range map[string]string{
		"window=2h": "want one of 1h, 6h, 24h, 7d", "end=yesterday": "End is &#34;yesterday&#34;, want a time", "window=%zz": "cannot be read", "end=0001-01-01": "want a time",
	} {
		bad := s.get("/timeline?" + query)
		if bad.code != 400 {
			t.Errorf("GET /timeline?%s = %d, want 400", query, bad.code)
		}
		bad.contains(t, want)
	}
}

// However much ran, the page stays within its bound and says what it leaves out.
func TestTimelineOfMuchStaysInBounds(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat(nasty, 50)
	var some *jobs.Job
	for n := range 60 {
		some = s.ranFor(jobs.Job{Target: long, Args: []string{long}}, time.Duration(n)*20*time.Minute, time.Duration(1+n%5)*25*time.Minute,
			jobs.Ending{State: []jobs.State{jobs.Failed, jobs.Completed, jobs.Timeout}[n%3], Reason: long}, nil)
	}
	crowd := func(n int) {
		s.edit(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT OR IGNORE INTO attempts (job, attempt, state, reason, started_at, finished_at, signal, slots, log)
			SELECT ?, i + 1, iif(i % 7 = 0, 'FAILED', 'COMPLETED'), '', ? - i * 20000 - 5000, ? - i * 20000, '', iif(i % 5, '', '{"gpu":["' || (i % 40) || '"]}'), '' FROM n`,
			n, some.ID, time.Now().UnixMilli(), time.Now().UnixMilli())
	}
	s.opts.Status = troubled
	for _, n := range []int{200, 4000} {
		crowd(n)
		for _, window := range []string{"1h", "6h", "24h", "7d"} {
			got := s.get("/timeline?window=" + window)
			t.Logf("%d, %s: %d, %d bytes, %d bars", n, window, got.code, len(got.body), strings.Count(got.body, "<title>"))
			if got.code != 200 || len(got.body) > ui.MaxPage {
				t.Errorf("GET /timeline?window=%s = %d with %d bytes, want %d at most", window, got.code, len(got.body), ui.MaxPage)
			}
			got.lacks(t, "<script>", "<img", "\x1b", "\u202e")
		}
	}
	got := s.get("/timeline?window=24h")
	got.contains(t, "Shown one by one are the longest; ", "shorter ones, ", "The table has the latest 40 of ")
}

func TestTimelineMergesWhatIsTooShort(t *testing.T) {
	s := newSite(t)
	for n := range 30 {
		e := exited(jobs.Completed, 0)
		if n == 7 {
			e = exited(jobs.Failed, 1)
		}
		s.ranFor(jobs.Job{Args: []string{fmt.Sprint(n)}}, 5*time.Hour-time.Duration(n)*2*time.Second, time.Second, e, nil)
	}
	got := s.get("/timeline?window=7d")
	l := lane(t, got.body, "1")
	for _, want := range []string{"<title>30 short ones from ", ": 29 COMPLETED, 1 FAILED</title>", `<g class="s-failed"><rect class="b"`} {
		if !strings.Contains(l, want) {
			t.Errorf("no %q on the lane:\n%s", want, l)
		}
	}
	if n := strings.Count(got.body, `<tr role="row"><td`); n != 30 {
		t.Errorf("the table has %d rows, want each of the 30", n)
	}
}

// Jobs that share a token lie below each other.
func TestTimelineOfASharedToken(t *testing.T) {
	s := newSite(t)
	shared := map[string][]string{"gpu": {"0"}}
	one := s.ranFor(jobs.Job{}, 5*time.Hour, 2*time.Hour, exited(jobs.Completed, 0), shared)
	two := s.ranFor(jobs.Job{}, 4*time.Hour, 2*time.Hour, exited(jobs.Completed, 0), shared)
	got := s.get("/timeline").body
	if l := lane(t, got, "gpu 0"); !strings.Contains(l, one.ID[:8]) || strings.Contains(l, two.ID[:8]) {
		t.Errorf("the first lane:\n%s", l)
	}
	if l := lane(t, got, "… 2"); !strings.Contains(l, two.ID[:8]) {
		t.Errorf("the lane beside it:\n%s", l)
	}
}
