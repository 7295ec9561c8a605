package ui_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/jobs"
)

func TestLog(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	text := "<script>alert(1)</script>\n\x1b[31mtwo\x1b[0m\nthree\nfour\n"
	s.start(j, text)
	path := "/api/v1/jobs/" + j.ID + "/log"

	got := s.get(path)
	if got.code != 200 || got.body != text {
		t.Errorf("got %d %q, want every byte as it was written", got.code, got.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
		"Accept-Ranges": "bytes", "Cache-Control": "no-store", "Content-Disposition": `inline; filename="quick-` + j.ID[:8] + `.log"`,
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.header.Get(name), want)
		}
	}
	tests := []struct {
		query, span string
		code        int
		want        string
	}{
		{"?tail=2", "", 200, "three\nfour\n"},
		{"?tail=0", "", 200, ""},
		{"?tail=100", "", 200, text},
		{"?attempt=1", "", 200, text},
		{"?attempt=1&tail=1", "", 200, "four\n"},
		{"", "bytes=0-7", 206, "<script>"},
		{"", "bytes=-5", 206, "four\n"},
		{"", "bytes=39-", 206, "three\nfour\n"},
		{"?tail=2", "bytes=1-4", 206, "hree"},
	}
	for _, tt := range tests {
		got := s.get(path+tt.query, "Range", tt.span)
		if got.code != tt.code || got.body != tt.want {
			t.Errorf("%s Range %q = %d %q, want %d %q", tt.query, tt.span, got.code, got.body, tt.code, tt.want)
		}
	}
	if got := s.get(path, "Range", "bytes=9999-"); got.code != 416 || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("Range behind the end = %d, want 416 with nosniff", got.code)
	}
	head := s.ask("HEAD", path)
	if head.code != 200 || head.header.Get("Content-Length") != "50" || head.body != "" {
		t.Errorf("HEAD = %d, length %q, %q; want 200, 50, no body", head.code, head.header.Get("Content-Length"), head.body)
	}

	etag := got.header.Get("ETag")
	if got := s.get(path, "If-None-Match", etag); got.code != 304 {
		t.Errorf("the same log again = %d, want 304", got.code)
	}
	s.write("logs/"+j.ID+".log", text+"five\n")
	if got := s.get(path, "If-None-Match", etag); got.code != 200 || !strings.HasSuffix(got.body, "five\n") {
		t.Errorf("a log that grew = %d %q, want 200 and the new line", got.code, got.body)
	}
}

func TestLogOfAttempts(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	j := s.add(jobs.Job{})
	path := "/api/v1/jobs/" + j.ID + "/log"
	s.start(j, "first\n")
	s.end(j, exited(jobs.Failed, 1))
	if out, err := s.queue.Execute(ctx, jobs.Command{Action: jobs.Retry, IDs: []string{j.ID}}); err != nil || out.State != jobs.Completed {
		t.Fatalf("retry = %+v, %v", out, err)
	}
	got := s.get(path)
	if got.code != 404 || !strings.Contains(got.body, "?attempt=1") {
		t.Errorf("before the second attempt: %d %q, want 404 that names attempt 1", got.code, got.body)
	}
	if got := s.get(path + "?attempt=1"); got.body != "first\n" {
		t.Errorf("attempt 1 before the second: %d %q, want its log", got.code, got.body)
	}
	page := s.get("/jobs/" + j.ID)
	page.contains(t, "Attempt 2 has not started.", "log?attempt=1")

	logs := filepath.Join(s.opts.StateDir, "logs")
	if err := os.Rename(filepath.Join(logs, j.ID+".log"), filepath.Join(logs, j.ID+".1.log")); err != nil {
		t.Fatal(err)
	}
	s.start(&jobs.Job{ID: j.ID, Attempt: 2, Target: "quick"}, "second\n")
	for query, want := range map[string]string{"": "second\n", "?attempt=2": "second\n", "?attempt=1": "first\n"} {
		if got := s.get(path + query); got.body != want {
			t.Errorf("%q: %d %q, want %q", query, got.code, got.body, want)
		}
	}
	if err := os.Remove(filepath.Join(logs, j.ID+".1.log")); err != nil {
		t.Fatal(err)
	}
	if got := s.get(path + "?attempt=1"); got.code != 404 {
		t.Errorf("a removed log = %d, want 404", got.code)
	}
	s.get("/jobs/"+j.ID).lacks(t, "attempt=1")
}

func TestLogIsARegularFileOfTheStateFolder(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, "")
	name := filepath.Join(s.opts.StateDir, "logs", j.ID+".log")
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hush-hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, name); err != nil {
		t.Skipf("no links here: %v", err)
	}
	for _, path := range []string{"/api/v1/jobs/" + j.ID + "/log", "/jobs/" + j.ID} {
		got := s.get(path)
		got.contains(t, "not a regular file")
		got.lacks(t, "hush-hush")
	}
}
