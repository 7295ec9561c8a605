package ui_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"jobrunner/jobs"
	"jobrunner/ui"
)

const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types jr"

func TestMethods(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, "hello\n")
	routes := []struct {
		path string
		want int
	}{
		{"/", 200}, {"/jobs", 200}, {"/jobs/" + j.ID, 200}, {"/jobs/" + j.ID[:8], 302}, {"/jobs/" + j.ID + "/log", 200},
		{"/api/v1/jobs", 200}, {"/api/v1/jobs/" + j.ID, 200}, {"/api/v1/jobs/" + j.ID + "/log", 200},
		{"/timeline", 200}, {"/types", 200}, {"/types/quick", 200}, {"/system", 200},
		{"/api/v1/jobs/" + j.ID + "/series", 200}, {"/api/v1/samples", 200}, {"/api/v1/schedules", 200},
		{"/api/v1/system", 200}, {"/api/v1/types", 200}, {"/openapi.json", 200},
		{"/api/v1/stats", 200}, {"/healthz", 200}, {"/readyz", 200}, {stylesheet(t, s), 200},
		// What is not there, among it what other runners have.
		{"/nothing", 404}, {"/jobs/", 404}, {"/api", 404}, {"/api/v1", 404}, {"/api/v1/nothing", 404},
		{"/events", 404}, {"/metrics", 404}, {"/types/nothing", 404},
		{"/static/", 404}, {"/static/style.css", 404}, {"/static/0123456789ab/style.css", 404},
	}
	for _, route := range routes {
		got, head := s.get(route.path), s.ask("HEAD", route.path)
		if got.code != route.want || head.code != route.want {
			t.Errorf("GET %s = %d, HEAD = %d, want %d", route.path, got.code, head.code, route.want)
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"} {
			got := s.ask(method, route.path)
			if allow := got.header.Get("Allow"); got.code != 405 || allow != "GET, HEAD" {
				t.Errorf("%s %s = %d, Allow %q; want 405, %q", method, route.path, got.code, allow, "GET, HEAD")
			}
		}
	}
	if got, err := s.queue.Job(t.Context(), j.ID); err != nil || got.State != jobs.Running {
		t.Errorf("the job is now %v, %v; want it RUNNING as before", got, err)
	}
}

func TestHeaders(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, "hello\n")
	for _, path := range []string{"/", "/jobs", "/jobs?state=nonsense", "/timeline", "/types", "/types/quick", "/system", "/jobs/" + j.ID, "/jobs/ffffffff", "/nothing"} {
		got := s.get(path)
		want := map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": pagePolicy,
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
		}
		for name, value := range want {
			if got.header.Get(name) != value {
				t.Errorf("%s: %s = %q, want %q", path, name, got.header.Get(name), value)
			}
		}
		for _, inline := range []string{" style=", "<style", " onclick=", " onload=", "javascript:", "http://", "https://"} {
			if strings.Contains(got.body, inline) {
				t.Errorf("%s has %q", path, inline)
			}
		}
		if n := strings.Count(got.body, "<h1"); n != 1 {
			t.Errorf("%s has %d h1, want 1", path, n)
		}
		if n := strings.Count(got.body, "<script"); n != 1 {
			t.Errorf("%s has %d scripts, want 1", path, n)
		}
	}
	for _, path := range []string{"/api/v1/jobs", "/api/v1/jobs/" + j.ID, "/api/v1/jobs/" + j.ID + "/log", "/healthz", "//jobs"} {
		got := s.get(path)
		if v := got.header.Get("X-Content-Type-Options"); v != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options = %q, want nosniff", path, v)
		}
		if v := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(v, "default-src 'none'") {
			t.Errorf("%s: Content-Security-Policy = %q, want default-src 'none' first", path, v)
		}
	}
}

// Of a page that comes in the clear from another machine browsers complain if it
// has a policy that they cannot heed there.
func TestOpenerPolicy(t *testing.T) {
	s := newSite(t)
	s.opts.AllowedHosts = func() []string { return []string{"lab.example"} }
	for _, tt := range []struct{ host, proto, want string }{
		{"localhost:8080", "", "same-origin"}, {"lab.example", "", ""}, {"lab.example", "http", ""}, {"lab.example", "https", "same-origin"},
	} {
		if got := s.get("/", "Host", tt.host, "X-Forwarded-Proto", tt.proto).header.Get("Cross-Origin-Opener-Policy"); got != tt.want {
			t.Errorf("Host %s, X-Forwarded-Proto %q: %q, want %q", tt.host, tt.proto, got, tt.want)
		}
	}
}

// stylesheet is the path of the style sheet as the page names it.
func stylesheet(t *testing.T, s *site) string {
	t.Helper()
	body := s.get("/").body
	_, rest, ok := strings.Cut(body, `<link rel="stylesheet" href="`)
	path, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 {
		t.Fatalf("no style sheet in:\n%s", body)
	}
	return path
}

func TestStatic(t *testing.T) {
	s := newSite(t)
	css := stylesheet(t, s)
	for _, tt := range []struct {
		name, contentType string
		limit             int
	}{
		{"style.css", "text/css; charset=utf-8", 12 << 10},
		{"page.js", "text/javascript; charset=utf-8", 12_000},
		{"icon.svg", "image/svg+xml", 500}, {"ok.svg", "image/svg+xml", 500}, {"failed.svg", "image/svg+xml", 500},
		{"running.svg", "image/svg+xml", 500}, {"waiting.svg", "image/svg+xml", 500}, {"warn.svg", "image/svg+xml", 500},
	} {
		path := strings.TrimSuffix(css, "style.css") + tt.name
		got := s.get(path)
		if got.code != 200 || got.header.Get("Content-Type") != tt.contentType {
			t.Errorf("GET %s = %d, %q; want 200, %q", path, got.code, got.header.Get("Content-Type"), tt.contentType)
		}
		if want := "public, max-age=31536000, immutable"; got.header.Get("Cache-Control") != want {
			t.Errorf("%s: Cache-Control = %q, want %q", path, got.header.Get("Cache-Control"), want)
		}
		if len(got.body) > tt.limit {
			t.Errorf("%s has %d bytes, want %d at most", tt.name, len(got.body), tt.limit)
		}
	}
	s.get("/").contains(t, css, strings.TrimSuffix(css, "style.css")+"page.js", strings.TrimSuffix(css, "style.css")+"ok.svg")
	s.get("/jobs").contains(t, strings.TrimSuffix(css, "style.css")+"icon.svg")
}

func TestNotFoundSpeaksTheRoutesForm(t *testing.T) {
	s := newSite(t)
	if got := s.get("/api/v1/nothing"); got.body != `{"error":"there is no such route"}`+"\n" {
		t.Errorf("got %q", got.body)
	}
	if got := s.get("/no\u202ething<b>"); strings.ContainsAny(got.body, "\u202e") || strings.Contains(got.body, "<b>") {
		t.Errorf("the path came back raw:\n%s", got.body)
	}
	got := s.get("/jobs/00000000-0000-4000-8000-000000000000")
	got.contains(t, "No such job", "All jobs")
}

func TestHealth(t *testing.T) {
	s := newSite(t)
	if got := s.get("/healthz"); got.code != 200 || got.body != "ok\n" {
		t.Errorf("healthz = %d %q, want 200 ok", got.code, got.body)
	}
	if got := s.get("/readyz"); got.code != 200 || got.body != "ready\n" {
		t.Errorf("readyz = %d %q, want 200 ready", got.code, got.body)
	}
	s.opts.Ready = func() error { return errors.New("writing jobs.db: no space\x1b left") }
	got := s.get("/readyz")
	if want := "not ready: writing jobs.db: no space? left\n"; got.code != 503 || got.body != want {
		t.Errorf("readyz = %d %q, want 503 %q", got.code, got.body, want)
	}
	if got := s.get("/healthz"); got.code != 200 {
		t.Errorf("healthz = %d while not ready, want 200", got.code)
	}
}

func TestPanicIsOneAnswer(t *testing.T) {
	s := newSite(t)
	broken := true
	s.opts.Status = func() ui.Status {
		if broken {
			panic("no status")
		}
		return ui.Status{}
	}
	h := ui.Handler(s.opts)
	got := ask(t, h, http.MethodGet, "/")
	if got.code != 500 || strings.Contains(got.body, "no status") || strings.Contains(got.body, "goroutine") {
		t.Errorf("GET / = %d %q, want 500 without what is inside", got.code, got.body)
	}
	broken = false
	if got := ask(t, h, http.MethodGet, "/"); got.code != 200 {
		t.Errorf("GET / = %d afterwards, want 200", got.code)
	}
}

func TestHost(t *testing.T) {
	s := newSite(t)
	allowed := []string{"Lab.Example", "other.example:9090"}
	s.opts.AllowedHosts = func() []string { return allowed }
	const loopback, wild, name, unix = "127.0.0.1:8080", "0.0.0.0:8080", "srv.example:8080", "unix:/run/jobrunner.sock"
	tests := []struct {
		listen, host string
		want         int
	}{
		{loopback, "127.0.0.1:8080", 200}, {loopback, "127.0.0.1", 200}, {loopback, "127.0.0.1:9999", 200},
		{loopback, "localhost:8080", 200}, {loopback, "LOCALHOST.", 200}, {loopback, "[::1]:8080", 200}, {loopback, "[::1]", 200},
		{loopback, "127.8.9.10", 200}, {loopback, "[::ffff:127.0.0.1]:8080", 200},
		{loopback, "lab.example", 200}, {loopback, "LAB.example:8080", 200}, {loopback, "other.example", 200},
		{loopback, "192.168.1.5:8080", 421}, {loopback, "evil.example", 421}, {loopback, "localhost.evil.example", 421},
		{loopback, "evil.lab.example", 421}, {loopback, "127.0.0.1.evil.example:8080", 421}, {loopback, "", 421},
		{"localhost:8080", "127.0.0.1:8080", 200}, {"localhost:8080", "10.0.0.1", 421}, {"[::1]:8080", "[::1]:8080", 200},
		{wild, "192.168.1.5:8080", 200}, {wild, "[fe80::1]:8080", 200}, {wild, "0.0.0.0:8080", 200}, {wild, "localhost", 200},
		{wild, "evil.example:8080", 421}, {wild, "lab.example", 200}, {":8080", "10.1.2.3", 200}, {":8080", "", 421},
		{name, "srv.example:8080", 200}, {name, "SRV.example", 200}, {name, "10.0.0.1", 200}, {name, "srv2.example", 421},
		{unix, "", 200}, {unix, "localhost", 200}, {unix, "lab.example", 200}, {unix, "evil.example", 421}, {unix, "10.0.0.1", 421},
	}
	for _, tt := range tests {
		s.opts.Listen = tt.listen
		for _, path := range []string{"/", "/api/v1/stats"} {
			if got := s.get(path, "Host", tt.host); got.code != tt.want {
				t.Errorf("listen %s, Host %q: GET %s = %d, want %d", tt.listen, tt.host, path, got.code, tt.want)
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if got := s.get(path, "Host", tt.host); got.code != 200 {
				t.Errorf("listen %s, Host %q: GET %s = %d, want 200", tt.listen, tt.host, path, got.code)
			}
		}
	}

	s.opts.Listen = loopback
	h := ui.Handler(s.opts)
	got := ask(t, h, "GET", "/api/v1/jobs", "Host", "new.example:8080")
	want := `{"error":"this page does not answer to the name \"new.example\"; if it should, add it to allowed_hosts in jobrunner.yaml"}` + "\n"
	if got.code != 421 || got.body != want {
		t.Errorf("got %d %q, want 421 %q", got.code, got.body, want)
	}
	if got := ask(t, h, "GET", "//jobs", "Host", "new.example:8080"); got.code != 421 {
		t.Errorf("a path to be put right: got %d, want 421", got.code)
	}
	allowed = append(allowed, "new.example")
	if got := ask(t, h, "GET", "/api/v1/jobs", "Host", "new.example:8080"); got.code != 200 {
		t.Errorf("got %d once the configuration allows it, want 200", got.code)
	}
}
