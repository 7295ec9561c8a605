package ui_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// The first page as a file needs no server and leads to none.
func TestSnapshotPage(t *testing.T) {
	s := newSite(t)
	running := s.add(jobs.Job{Args: []string{"--lr", "0.1", "<b>"}})
	s.start(running, "hello\n")
	s.add(jobs.Job{Args: []string{"next"}})
	failed := s.add(jobs.Job{Type: "train"})
	s.start(failed, "RuntimeError: CUDA out of memory\n")
	s.end(failed, exited(jobs.Failed, 7))
	s.opts.Enter = func(*http.Request) (int, time.Duration) { return 401, 0 }
	page, err := ui.NewSnapshots(s.opts).Page(t.Context(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{body: string(page)}
	got.contains(t, "<!doctype html>", "</html>", "--lr 0.1", "&lt;b&gt;", running.ID[:8], failed.ID[:8], "FAILED", "exit 7", "next",
		`<meta http-equiv="refresh" content="5">`, "Written <time datetime=", time.Now().Format(time.DateOnly+" "), "If that was longer ago, it does not run.", `<main id="main"`)
	got.lacks(t, "<script", "<noscript", "<link", "<form", "<img", "<iframe", "/static/", "://", " style=", " onclick=", `aria-label="Pages"`)
	for _, m := range regexp.MustCompile(`(?i)\b(?:href|src|action)=("[^"]*"|\S*)`).FindAllStringSubmatch(got.body, -1) {
		if !strings.HasPrefix(m[1], `"#`) {
			t.Errorf("it leads to %s", m[1])
		}
	}
	for _, name := range []string{"a", "table", "section", "p", "style", "main", "svg", "nav"} {
		opened := len(regexp.MustCompile(`<`+name+`[ >]`).FindAllString(got.body, -1))
		if closed := strings.Count(got.body, "</"+name+">"); opened != closed {
			t.Errorf("%d <%s> and %d ends of it", opened, name, closed)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(got.body)
	policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`).FindStringSubmatch(got.body)
	if style == nil || policy == nil {
		t.Fatalf("no style, or no policy, in\n%s", got.body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if policy[1] != want {
		t.Errorf("policy %q, want %q", policy[1], want)
	}
	if strings.Index(got.body, policy[0]) > strings.Index(got.body, "<style>") {
		t.Error("the policy stands behind what it is for")
	}
}

// What is in the head is put there once, although pictures have titles, and what is
// left out goes with all that is in it.
func TestStandalone(t *testing.T) {
	const page = `<!doctype html><html><head><meta charset="utf-8"><title>T</title><link rel="icon" href="/i.svg"><script src="/x.js"></script></head>` +
		`<body data-every="5" class="b"><nav aria-label="Pages"><nav>in</nav><a href="/jobs">Jobs</a></nav><nav aria-label="Jobs"><a id="n" href="/jobs?a=1&amp;b=2">n</a></nav>` +
		`<form action="/jobs"><input name="q"><form></form></form><main id="main"><svg viewBox="0 0 1 1"><title>Depth</title><path d="M0 0"/></svg>` +
		`<a href="#end">down</a> a &lt; b</main></body></html>`
	got, err := ui.Standalone([]byte(page), time.Now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?s)<meta http-equiv.*</style>\n`).ReplaceAllString(string(got), "HEAD ")
	text = regexp.MustCompile(`(?s)<p id="snapshot">.*?</p>\n`).ReplaceAllString(text, "SAID ")
	want := `<!doctype html><html><head><meta charset="utf-8">HEAD <title>T</title></head><body class="b"><nav aria-label="Jobs"><a id="n">n</a></nav>` +
		`SAID <main id="main"><svg viewBox="0 0 1 1"><title>Depth</title><path d="M0 0"/></svg><a href="#end">down</a> a &lt; b</main></body></html>`
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for _, broken := range []string{"", "no page", "<title>x</title><script>"} {
		if got, err := ui.Standalone([]byte(broken), time.Now(), time.Minute); err == nil {
			t.Errorf("%q gives %q", broken, got)
		}
	}
}

// The counts as a file are those of the API, and when that was.
func TestSnapshotStats(t *testing.T) {
	s := newSite(t)
	shots := ui.NewSnapshots(s.opts)
	if _, running, err := shots.Stats(t.Context()); running || err != nil {
		t.Errorf("running %v, %v of nothing", running, err)
	}
	j := s.add(jobs.Job{})
	s.start(j, "")
	s.add(jobs.Job{})
	before := time.Now().Truncate(time.Millisecond)
	body, running, err := shots.Stats(t.Context())
	if err != nil || !running {
		t.Fatalf("running %v, %v", running, err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if err := json.Unmarshal([]byte(s.get("/api/v1/stats").body), &want); err != nil {
		t.Fatal(err)
	}
	word, _ := got["time"].(string)
	if at, err := time.Parse(jobs.TimeFormat, word); err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("time %q, %v", word, err)
	}
	delete(got, "time")
	gotText, _ := json.Marshal(got)
	wantText, _ := json.Marshal(want)
	if string(gotText) != string(wantText) || !strings.HasSuffix(string(body), "}\n") {
		t.Errorf("got %s\nwant %s", gotText, wantText)
	}
}
