//go:build unix

package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// After a crawl of every route with every method the folder's bytes are the
// same: job_queue.txt, inbox, outbox, and the state folder with the database.
//
// One file is not compared: jobs.db-shm, in which the processes that have the
// database open tell each other what they read. It holds nothing, and is made
// anew from the -wal file.
func TestPageChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"fail.sh": "echo RuntimeError: no; exit 3"})
	w.write("jobrunner.yaml", "listen: unix:"+w.path("page.sock")+`
types:
  say: {command: [echo], max_retries: 1}
  fail: {command: [sh, fail.sh]}
schedules: [{name: nightly, cron: 0 2 * * *, request: {type: say, args: [x]}}]
`)
	w.start()
	client := socketClient(t, w.path("page.sock"))
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.run("add", "--wait", "say", "a <b>&\x1b[31m")
	w.try("add", "--wait", "fail")
	w.try("add", "no-such-type")
	w.run("add", "--wait", "--foreach", "n=1,2", "--label", "owner=bob", "say", "{n}")
	held := strings.TrimSpace(w.run("add", "--hold", "say", "never"))
	w.run("cancel", held)
	w.write("inbox/left.alone", "x")
	// What is measured waits up to a minute to be stored, but not over an end.
	w.end(syscall.SIGTERM)
	w.start()
	before := w.settled()
	c := &crawl{world: w, client: client, seen: map[string]bool{}}
	c.all()
	after := w.sums()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if after[name] != before[name] {
			t.Errorf("%s is not as it was before %d requests", name, c.requests)
		}
	}
	for name := range after {
		if before[name] == "" {
			t.Errorf("%s was not there before", name)
		}
	}
	if c.pages < 30 || c.requests < 1000 {
		t.Errorf("only %d pages and %d requests: the crawl went wrong", c.pages, c.requests)
	}
	t.Logf("%d pages, %d requests", c.pages, c.requests)
}

// sums gives the sum of the content of each file, and the mode and the times of
// the others, but for the daemon's log.
func (w *world) sums() map[string]string {
	w.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(w.dir, path)
		if err != nil || name == "serve.log" || strings.HasSuffix(name, "-shm") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		all[name] = fmt.Sprint(info.Mode(), info.ModTime())
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(path)
			all[name] += fmt.Sprintf(" %x", sha256.Sum256(text))
			return err
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// settled waits until the daemon has written all that it had to, and gives the
// sums.
func (w *world) settled() (all map[string]string) {
	w.Helper()
	since := time.Now()
	w.until("nothing is written any more", func() error {
		now := w.sums()
		if !maps.Equal(now, all) {
			all, since = now, time.Now()
		}
		if time.Since(since) < 4*time.Second { // longer than a daemon needs to begin all its work
			return errors.New("it may still be writing")
		}
		return nil
	})
	return all
}

// crawl goes through all that can be reached.
type crawl struct {
	*world
	client          *http.Client
	seen            map[string]bool
	pages, requests int
}

// oddQueries are put behind every path.
var oddQueries = []string{"?", "?q=%00%ff", "?q=state:failed+%22", "?state=bogus&type=x&limit=-1", "?limit=99999999999999999999", "?cursor=x&before=1&after=2",
	"?attempt=2&tail=0", "?%zz", "?page=/jobs&last=1", "?since=1h", "?at=5&from=0&q='%3B+DROP+TABLE+jobs%3B--"}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "get"}

// all goes from what is known on through every link.
func (c *crawl) all() {
	c.Helper()
	todo := []string{"/", "/jobs", "/timeline", "/types", "/system", "/live?page=/", "/api/v1/events", "/api/v1/jobs", "/api/v1/jobs?limit=1", "/api/v1/stats",
		"/api/v1/samples", "/api/v1/schedules", "/api/v1/types", "/api/v1/system", "/metrics", "/openapi.json", "/healthz", "/readyz", "/favicon.ico",
		"/robots.txt", "/static/", "/../../etc/passwd", "/jobs/..%2f..%2fjobs.db", "/api", "/api/v1/", "/%00", "/jobs/"}
	q := c.queue()
	list, err := q.ListActive(c.Context(), 100)
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("%d jobs are unfinished", len(list))
	}
	q.Close()
	if err != nil {
		c.Fatal(err)
	}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		if c.seen[path] || len(c.seen) > 400 {
			continue
		}
		c.seen[path] = true
		c.pages++
		body := ""
		for _, method := range methods {
			answer := c.ask(method, path)
			if method == "GET" {
				body = answer
			}
		}
		for _, odd := range oddQueries {
			c.ask("GET", strings.SplitN(path, "?", 2)[0]+odd)
		}
		for _, m := range regexp.MustCompile(`(?:href|src|action)="(/[^"#]*)`).FindAllStringSubmatch(body, -1) {
			todo = append(todo, html.UnescapeString(m[1]))
		}
		for _, m := range regexp.MustCompile(`"id":"([0-9a-f-]{36})"`).FindAllStringSubmatch(body, -1) {
			todo = append(todo, "/api/v1/jobs/"+m[1], "/api/v1/jobs/"+m[1]+"/log", "/api/v1/jobs/"+m[1]+"/series")
		}
	}
}

// ask asks once; what is neither GET nor HEAD must be refused.
func (c *crawl) ask(method, path string) string {
	c.Helper()
	c.requests++
	at, err := url.Parse("http://localhost")
	if err != nil {
		c.Fatal(err)
	}
	at.Opaque = path // as it is, whatever that is
	r := &http.Request{Method: method, URL: at, Host: "localhost", Header: http.Header{}}
	if method == "POST" || method == "PUT" || method == "PATCH" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("action=cancel")), 13
	}
	answer, err := c.client.Do(r)
	if err != nil {
		c.Errorf("%s %s: %v", method, path, err)
		return ""
	}
	defer answer.Body.Close()
	if method != "GET" && method != "HEAD" && (answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD") {
		c.Errorf("%s %s = %s, Allow %q", method, path, answer.Status, answer.Header.Get("Allow"))
	}
	if answer.StatusCode >= 500 {
		c.Errorf("%s %s = %s", method, path, answer.Status)
	}
	if answer.Header.Get("Content-Type") == "text/event-stream" {
		part := make([]byte, 8) // it goes on for ever
		_, _ = io.ReadFull(answer.Body, part)
		return ""
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Errorf("%s %s: %v", method, path, err)
	}
	return string(body)
}
