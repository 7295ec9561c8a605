package ui_test

import (
	"cmp"
	"fmt"
	"html"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// BenchmarkRoutes asks every route of a page, over 10,000 jobs that have ended
// and over 1,000,000 of them, with 10,000 that wait and 3 that run. first-ms is what
// the first request takes; p50-ms and p99-ms are of those after it, and cpu-ms is
// the processor's time of one, which other programs on the machine change less.
//
//	go test ./ui -run '^$' -bench Routes -benchtime 100x
func BenchmarkRoutes(b *testing.B) {
	for _, ended := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(ended), func(b *testing.B) {
			s := crowd{ended, 10_000, 3}.site(b)
			paths, names := s.everyRoute()
			for _, path := range paths {
				b.Run(names.Replace(path), func(b *testing.B) { benchRoute(b, s, path) })
			}
		})
	}
}

func benchRoute(b *testing.B, s *site, path string) {
	h := ui.Handler(s.opts)
	ask := func() time.Duration {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = "127.0.0.1:8080"
		w := httptest.NewRecorder()
		began := time.Now()
		h.ServeHTTP(w, r)
		took := time.Since(began)
		if w.Code != 200 {
			b.Fatalf("%s = %d %.300s", path, w.Code, w.Body)
		}
		return took
	}
	first := ask()
	var all []time.Duration
	began := processorTime()
	for b.Loop() {
		all = append(all, ask())
	}
	used := (processorTime() - began) / time.Duration(len(all))
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(first), "first-ms")
	b.ReportMetric(ms(all[len(all)/2]), "p50-ms")
	b.ReportMetric(ms(all[(len(all)*99+99)/100-1]), "p99-ms")
	b.ReportMetric(ms(used), "cpu-ms")
	b.ReportMetric(0, "ns/op")
}

// everyRoute are the routes, and for those that search what is dear to find. names
// puts words in the place of what is another each time.
func (s *site) everyRoute() (all []string, names *strings.Replacer) {
	list := func(f jobs.Filter) *jobs.Job {
		found, err := s.queue.List(s.t.Context(), f)
		if err != nil || len(found) == 0 {
			s.t.Fatal(found, err)
		}
		return found[0]
	}
	failed := list(jobs.Filter{States: []jobs.State{jobs.Failed}, Limit: 1})
	running := list(jobs.Filter{States: []jobs.State{jobs.Running}, Limit: 1})
	waiting := list(jobs.Filter{States: []jobs.State{jobs.Pending}, Limit: 1})
	old := list(jobs.Filter{Before: 300_000, Limit: 1})
	found, err := s.queue.List(s.t.Context(), jobs.Filter{Limit: 500})
	if err != nil {
		s.t.Fatal(err)
	}
	member := found[slices.IndexFunc(found, func(j *jobs.Job) bool { return j.Group != "" })]
	all = []string{
		"/", "/jobs", "/timeline", "/types", "/types/train", "/system",
		"/jobs/" + failed.ID, "/jobs/" + running.ID, "/jobs/" + waiting.ID, "/jobs/" + old.ID,
		"/jobs/" + failed.ID + "/log", "/jobs/" + running.ID + "/log",
		"/api/v1/jobs/" + failed.ID, "/api/v1/jobs/" + running.ID, "/api/v1/jobs/" + waiting.ID,
		"/api/v1/jobs/" + failed.ID + "/log?tail=10", "/api/v1/jobs/" + failed.ID + "/log", "/api/v1/jobs/" + failed.ID + "/series",
		"/api/v1/stats", "/api/v1/samples", "/api/v1/samples?since=744h", "/api/v1/types", "/api/v1/schedules", "/api/v1/system",
		"/metrics", "/openapi.json", "/healthz", "/readyz",
	}
	words := []string{failed.ID, "FAILED", running.ID, "RUNNING", waiting.ID, "PENDING", old.ID, "OLD", member.Group, "SWEEP"}
	for _, m := range regexp.MustCompile(`(?:href|src)="((/static/)([^"/]+/)[^"]+|/timeline\?(?:end=([^"&]+)&amp;)?[^"]+)"`).
		FindAllStringSubmatch(s.get("/timeline").body+s.get("/").body, -1) {
		if path := html.UnescapeString(m[1]); !slices.Contains(all, path) {
			all = append(all, path)
			words = append(words, path, strings.Replace(m[2]+path[len(m[2]+m[3]):], cmp.Or(m[4], "-"), "EARLIER", 1))
		}
	}
	names = strings.NewReplacer(words...)
	for _, base := range []string{"/jobs", "/api/v1/jobs"} {
		for _, q := range []string{
			"state=FAILED", "state=PENDING", "state=COMPLETED&type=train", "type=cleanup", "q=nothing+has+this+word", "q=state:pending+nothing",
			"q=exit:137", "q=exit:3", "q=nightly", "q=lr+0.42", "q=type:export+state:lost", "q=label:owner=ada", "q=label:nobody", "q=name:none",
			"q=source:request-4711.yaml", "q=" + old.ID, "group=" + member.Group, "q=group:ffff", "since=1h&q=word", "since=2000h",
		} {
			all = append(all, base+"?"+q)
		}
	}
	all = append(all, "/api/v1/jobs?limit=500", "/api/v1/jobs?cursor=300000&limit=500", "/api/v1/jobs?cursor=300000&q=nothing+has+this+word")
	return all, names
}

// A crowd is made as a database has it that has lived.
func TestCrowd(t *testing.T) {
	c := crowd{2000, 50, 3}
	s := c.site(t)
	stats, err := s.queue.Stats(t.Context())
	if err != nil || stats.States[jobs.Pending] != c.pending || stats.States[jobs.Running] != c.running || stats.States[jobs.Failed] < 50 || len(stats.Types) != len(crowdTypes) {
		t.Errorf("%+v, %v", stats, err)
	}
	paths, _ := s.everyRoute()
	for _, path := range paths {
		if got := s.get(path); got.code != 200 {
			t.Errorf("%s = %d %.200s", path, got.code, got.body)
		}
	}
}
