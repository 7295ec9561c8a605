package ui_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// asks gives the answer to one request, whose query is taken as it is.
func asks(s *site, h http.Handler, path, query string) answer {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host, r.URL.RawQuery = "127.0.0.1:8080", query
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Result().Header, w.Body.String()}
}

// checkPage holds a page against what every browser relies on.
func checkPage(t *testing.T, a answer) {
	t.Helper()
	if a.code != 200 && a.code != 302 && a.code != 400 && a.code != 404 {
		t.Errorf("answered %d:\n%s", a.code, a.body)
	}
	if len(a.body) > ui.MaxPage {
		t.Errorf("the page has %d bytes, want %d at most", len(a.body), ui.MaxPage)
	}
	if !utf8.ValidString(a.body) {
		t.Error("the page is not UTF-8")
	}
	text := html.UnescapeString(a.body)
	if bare := strings.NewReplacer("\n", "", "\t", "").Replace(text); jobs.Sanitize(bare) != bare {
		t.Errorf("the page holds a control character: %q", a.body)
	}
}

// queryJobs are jobs of every kind to be found.
func queryJobs(s *site) (all int) {
	for i := range 7 {
		s.add(jobs.Job{Args: []string{fmt.Sprint(i), "a b"}, Name: "nightly", Labels: map[string]string{"owner": "ada"}, Hold: i == 1})
	}
	s.start(s.add(jobs.Job{Type: "train"}), "hello\n")
	s.add(jobs.Job{State: jobs.Rejected, Reason: `job_queue.txt:1: unknown type "x"`})
	return 9
}

// Whatever is asked, the list is the jobs as it was asked for, each once, or
// what is wrong in words; and the page says the same.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"", "q=nightly", "q=state:pending+type:train", "q=exit:0&state=FAILED,RUNNING", "q=label:owner=ada&limit=2", "limit=500&cursor=3", "q=%22a+b%22",
		"limit=0", "limit=-1", "limit=99999999999999999999", "cursor=0", "cursor=x", "cursor=9223372036854775807", "state=nope", "q=id:zz", "q=nope:1",
		"q=" + strings.Repeat("x", 501), "q=%", "q=%00", "q=%ff", "q=\x1b", "q=%25_%5c", "group=3f2a", "since=24h", "since=2026-12-01T02:00:00+01:00", "label=a=b&label=a=c",
		"type=%3Cscript%3E", "state=pending&state=&state=", "limit=3;cursor=4", "before=2", "q='+OR+1=1--",
	} {
		f.Add(s)
	}
	s := newSite(f)
	all := queryJobs(s)
	h := ui.Handler(s.opts)
	f.Fuzz(func(t *testing.T, query string) {
		begin := time.Now()
		a := asks(s, h, "/api/v1/jobs", query)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		var got struct {
			Error string
			Next  string
			Jobs  []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatalf("%d %q: %v", a.code, a.body, err)
		}
		switch {
		case a.code == 400 && got.Error != "" && got.Jobs == nil:
		case a.code != 200 || got.Error != "" || got.Jobs == nil || len(got.Jobs) > all:
			t.Errorf("answered %d %s", a.code, a.body)
		}
		seen := map[string]bool{}
		for _, j := range got.Jobs {
			if seen[j.ID] {
				t.Errorf("%s stands twice", j.ID)
			}
			seen[j.ID] = true
		}
		checkPage(t, asks(s, h, "/jobs", query))
	})
}

// Whatever a job writes, its page is bounded and harmless, and the API gives
// the end of it to the byte.
func FuzzLog(f *testing.F) {
	for _, s := range []string{
		"", "hello\n", "10%\r20%\r\n", "\x1b[31mred\x1b[0m\n", "\x1b]0;title\x07", "</pre><script>alert(1)</script>", "\x00\x00\x00", "\xff\xfe", "\u202e\u2028", "&amp;+\"'",
		strings.Repeat("x", 70_000), strings.Repeat("<\n", 20_000), strings.Repeat("\x1b", 5000), "\x1bP" + strings.Repeat("a", 5000), "\t\t\n\n\n",
	} {
		f.Add([]byte(s), 3)
	}
	s := newSite(f)
	j := s.add(jobs.Job{})
	s.start(j, "")
	path := filepath.Join(s.opts.StateDir, "logs", j.ID+".log")
	h := ui.Handler(s.opts)
	f.Fuzz(func(t *testing.T, log []byte, tail int) {
		if err := os.WriteFile(path, log, 0o600); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		page := asks(s, h, "/jobs/"+j.ID, "")
		checkPage(t, page)
		if page.code != 200 {
			t.Errorf("the page is answered with %d", page.code)
		}
		for _, query := range []string{
			"", fmt.Sprintf("from=%d", uint32(tail)), fmt.Sprintf("near=%d", uint32(tail)), fmt.Sprintf("to=%d", uint32(tail)),
			fmt.Sprintf("line=%d", uint32(tail)), "errors=1", "grep=" + url.QueryEscape(string(log[:min(len(log), 3)])),
		} {
			page := asks(s, h, "/jobs/"+j.ID+"/log", query)
			checkPage(t, page)
			checkLogPage(t, page)
		}
		a := asks(s, h, "/api/v1/jobs/"+j.ID+"/log", fmt.Sprintf("tail=%d", tail))
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
		if tail < 0 || tail > 1<<30 {
			if a.code != 400 {
				t.Errorf("tail=%d is answered with %d", tail, a.code)
			}
			return
		}
		if want := lastLines(string(log), tail); a.code != 200 || a.body != want {
			t.Errorf("tail=%d of %q: %d %q, want %q", tail, log, a.code, a.body, want)
		}
		if got := a.header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
			t.Errorf("the log is %s", got)
		}
	})
}

// lastLines gives the last n lines of a text.
func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
