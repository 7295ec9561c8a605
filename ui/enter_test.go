package ui_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// routesOf are routes of all kinds.
func routesOf(j *jobs.Job, style string) []string {
	return []string{
		"/", "/jobs", "/jobs/" + j.ID, "/timeline", "/types", "/types/quick", "/system", "/metrics", style, "/nothing", "//jobs",
		"/api/v1/jobs", "/api/v1/jobs/" + j.ID, "/api/v1/jobs/" + j.ID + "/log", "/api/v1/stats", "/api/v1/schedules",
		"/api/v1/events", "/live", "/api/v1/nothing", "/openapi.json",
	}
}

// With a password nothing is shown without it but the daemon's health.
func TestPassword(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{Args: []string{"shibboleth"}})
	s.start(j, "shibboleth\n")
	style := stylesheet(t, s)
	code, after := 0, time.Duration(0)
	s.opts.Enter = func(r *http.Request) (int, time.Duration) {
		if name, password, _ := r.BasicAuth(); name == "ada" && password == "secret" {
			return 0, 0
		}
		return code, after
	}
	for _, path := range routesOf(j, style) {
		code, after = http.StatusUnauthorized, 0
		got := s.get(path)
		if got.code != 401 || got.header.Get("WWW-Authenticate") != `Basic realm="jobrunner", charset="UTF-8"` || strings.Contains(got.body, "shibboleth") {
			t.Errorf("GET %s = %d, %q\n%s", path, got.code, got.header.Get("WWW-Authenticate"), got.body)
		}
		if strings.HasPrefix(path, "/api/") && got.body != `{"error":"this page asks for a name and a password"}`+"\n" {
			t.Errorf("GET %s: %q", path, got.body)
		}
		code, after = http.StatusTooManyRequests, 1500*time.Millisecond
		if got := s.get(path); got.code != 429 || got.header.Get("Retry-After") != "2" || got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("GET %s = %d, Retry-After %q, want 429 and 2", path, got.code, got.header.Get("Retry-After"))
		}
		if got := s.get(path, "Host", "evil.example"); got.code != 421 {
			t.Errorf("GET %s of another host = %d, want 421", path, got.code)
		}
		if got := s.ask("POST", path); got.code != 405 {
			t.Errorf("POST %s = %d, want 405", path, got.code)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := s.get(path, "Host", "evil.example"); got.code != 200 {
			t.Errorf("GET %s = %d, want 200", path, got.code)
		}
	}
	const right = "Basic YWRhOnNlY3JldA=="
	for _, path := range []string{"/", "/jobs/" + j.ID, style, "/api/v1/stats"} {
		if got := s.get(path, "Authorization", right); got.code != 200 || got.header.Get("WWW-Authenticate") != "" {
			t.Errorf("GET %s with the password = %d, want 200", path, got.code)
		}
	}
}

// Pages of other sites may link to ours, and not ask for data.
func TestOtherSites(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, "hello\n")
	s.opts.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, site := range []string{"cross-site", "same-site", "same-origin", "none", ""} {
		for path, data := range map[string]bool{
			"/": false, "/jobs": false, "/jobs/" + j.ID: false, stylesheet(t, s): false, "/healthz": false,
			"/metrics": true, "/api/v1/stats": true, "/api/v1/jobs": true, "/api/v1/jobs/" + j.ID + "/log": true, "/api/v1/schedules": true,
		} {
			want := 200
			if data && site == "cross-site" {
				want = 403
			}
			if got := s.get(path, "Sec-Fetch-Site", site); got.code != want {
				t.Errorf("GET %s, Sec-Fetch-Site %q = %d, want %d", path, site, got.code, want)
			}
		}
	}
	for _, path := range []string{"/live", "/live?path=/", "/api/v1/events", "/api/v1/nothing"} {
		if got := s.get(path, "Sec-Fetch-Site", "cross-site"); got.code != 403 {
			t.Errorf("GET %s from another site = %d, want 403", path, got.code)
		}
	}
	search := "/jobs/" + j.ID + "/log?grep=secret"
	for _, tt := range []struct {
		path, site, dest string
		want             int
	}{
		{search, "cross-site", "document", 200}, {search, "cross-site", "empty", 403}, {search, "cross-site", "iframe", 403},
		{stylesheet(t, s), "cross-site", "image", 403}, {stylesheet(t, s), "same-origin", "style", 200}, {"/healthz", "cross-site", "image", 200},
		{search, "none", "document", 200}, {search, "same-origin", "empty", 200},
	} {
		if got := s.get(tt.path, "Sec-Fetch-Site", tt.site, "Sec-Fetch-Dest", tt.dest); got.code != tt.want {
			t.Errorf("GET %s from %s for %s = %d, want %d", tt.path, tt.site, tt.dest, got.code, tt.want)
		}
	}
}
