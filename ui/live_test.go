package ui_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// watching opens a stream of what changes on a page, as the page's script does.
func watching(t testing.TB, base, page, last string, header ...string) *subscriber {
	t.Helper()
	return subscribe(t, base+"/live?"+url.Values{"page": {page}, "last": {last}}.Encode(), header...)
}

// until reads until a fragment holds that text, and gives what came on the way.
func (s *subscriber) until(text string) (all []sent) {
	s.t.Helper()
	for {
		m, ok := s.next()
		if !ok {
			s.t.Fatalf("the stream ended before %q came: %v", text, all)
		}
		if all = append(all, m); strings.Contains(m.data, text) {
			return all
		}
	}
}

// fragments gives the newest of each of the elements that were sent.
func fragments(t testing.TB, all []sent) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, m := range all {
		if m.name != "frag" {
			continue
		}
		var f struct{ ID, HTML string }
		if err := json.Unmarshal([]byte(m.data), &f); err != nil {
			t.Fatalf("%v in %s", err, m.data)
		}
		out[f.ID] = f.HTML
	}
	return out
}

var eventID = regexp.MustCompile(`data-event="([0-9a-f]+-[0-9]+)"`)

// loaded gives the id of the last difference that a page as loaded holds.
func loaded(t testing.TB, a answer) string {
	t.Helper()
	m := eventID.FindStringSubmatch(a.body)
	if m == nil {
		t.Fatalf("the page has no id to go on from:\n%s", a.body)
	}
	return m[1]
}

func TestLiveSendsWhatChanged(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{Args: []string{"first"}})
	s.add(jobs.Job{Args: []string{"second"}})
	h := ui.Handler(s.opts)
	ln, _ := serving(t, "127.0.0.1:0", h)
	c := watching(t, "http://"+ln.Addr().String(), "/", loaded(t, ask(t, h, "GET", "/")))
	if m, _ := c.next(); m.name != "beat" {
		t.Errorf("though nothing has changed came %v", m)
	}
	s.start(j, "")
	all := c.until(`"title"`)
	last := all[len(all)-1]
	if last.name != "head" || last.id == "" || !strings.Contains(last.data, "/running.svg") {
		t.Errorf("the last message is %v, want a head with an id", last)
	}
	got := fragments(t, all)
	if !strings.Contains(got["running"], j.ID) || strings.Contains(got["pending"], j.ID) || !strings.HasPrefix(got["running"], "<section id=\"running\"") || !strings.HasSuffix(got["running"], "</section>") {
		t.Errorf("got %v", got)
	}
	if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, []string{"counts", "pending", "running"}) {
		t.Errorf("%v were sent, want only what changed", ids)
	}
	for _, m := range all[:len(all)-1] {
		if m.id != "" {
			t.Errorf("a message before the last has the id %q", m.id)
		}
	}
	all = c.until("</span> 2 s</td>") // its row alone, as it grows older
	for _, m := range all {
		if f := fragments(t, []sent{m}); m.name == "frag" && !strings.HasPrefix(f["running-"+j.ID], "<tr ") && !strings.HasPrefix(slices.Collect(maps.Values(f))[0], "<tr ") {
			t.Errorf("more than rows was sent: %v", f)
		}
	}
}

// A client that lost its stream is sent what differs from what it has; one that
// knows nothing, or has it from another process, all of the page.
func TestLiveGoesOn(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	h := ui.Handler(s.opts)
	ln, _ := serving(t, "127.0.0.1:0", h)
	base := "http://" + ln.Addr().String()
	page := ask(t, h, "GET", "/")
	at, all := loaded(t, page), strings.Count(page.body, " data-live")
	s.start(j, "")
	for _, tt := range []struct {
		name, last, header string
		want               int
	}{
		{"what the page says", at, "", 3},
		{"Last-Event-ID", "", at, 3},
		{"Last-Event-ID before what the page said", "00000000-1", at, 3},
		{"nothing", "", "", all},
		{"another process", "", "0badf00d-" + strings.Split(at, "-")[1], all},
		{"a number of the future", strings.Split(at, "-")[0] + "-999999999", "", all},
		{"nonsense", "x", "", all},
	} {
		c := watching(t, base, "/", tt.last, "Last-Event-ID", tt.header)
		var got []sent
		for len(got) == 0 || got[len(got)-1].id == "" {
			m, ok := c.next()
			if !ok {
				t.Fatal("the stream ended")
			}
			got = append(got, m)
		}
		if f := fragments(t, got); len(f) != tt.want || !strings.Contains(f["running"], j.ID) {
			t.Errorf("after %s came %d fragments, want %d: %v", tt.name, len(f), tt.want, slices.Sorted(maps.Keys(f)))
		}
		c.quit()
	}
}

// However many watch a page, it is made once for all of them.
func TestLiveIsSharedBetweenClients(t *testing.T) {
	s := newSite(t)
	var made atomic.Int64
	status := s.opts.Status
	s.opts.Status = func() ui.Status { made.Add(1); return status() }
	h := ui.Handler(s.opts)
	ln, _ := serving(t, "127.0.0.1:0", h)
	var all []*subscriber
	for range ui.MostStreamsEach {
		c := watching(t, "http://"+ln.Addr().String(), "/jobs", "")
		c.until(`"title"`)
		all = append(all, c)
	}
	before, began := made.Load(), time.Now()
	j := s.add(jobs.Job{Args: []string{"shared"}})
	for _, c := range all {
		c.until(j.ID)
	}
	if most := 2 + int64(time.Since(began)/ui.LiveGap); made.Load()-before > most {
		t.Errorf("for %d clients the status was asked %d times, want %d at most", len(all), made.Load()-before, most)
	}
}

// A client that does not read gets the newest state when it does, not all that
// was in between.
func TestLiveKeepsNoBacklog(t *testing.T) {
	s := newSite(t)
	h, views := ui.HandlerAndViews(s.opts)
	page := func() string { return ask(t, h, "GET", "/").body }
	page()
	known := views.Number("/")
	var last *jobs.Job
	for i := range 5 {
		last = s.add(jobs.Job{Args: []string{fmt.Sprint("n", i)}})
		page()
	}
	messages := views.Since("/", known)
	if n := strings.Count(strings.Join(messages, ""), `"id":"pending"`); n != 1 {
		t.Errorf("the region was sent %d times, want once: %v", n, messages)
	}
	if !strings.Contains(strings.Join(messages, ""), last.ID) {
		t.Errorf("the newest is missing: %v", messages)
	}
	if again := views.Since("/", views.Number("/")); len(again) != 0 {
		t.Errorf("who knows all is sent %v", again)
	}
}

// Pages that nobody watches are forgotten in the end.
func TestViewsAreBounded(t *testing.T) {
	s := newSite(t)
	h, views := ui.HandlerAndViews(s.opts)
	for i := range 3 * ui.MostViews {
		ask(t, h, "GET", fmt.Sprint("/jobs?q=", i))
	}
	if n := views.Len(); n > ui.MostViews {
		t.Errorf("%d pages are remembered, want %d at most", n, ui.MostViews)
	}
}

func TestLiveOfOtherPages(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, strings.Repeat("hello\n", 1000))
	ln, _ := serving(t, "127.0.0.1:0", ui.Handler(s.opts))
	base := "http://" + ln.Addr().String()
	c := watching(t, base, "/jobs/"+j.ID, "")
	c.until("hello")
	c = watching(t, base, "/jobs?q=state:running&type=quick", "")
	c.until(j.ID)
	for _, page := range []string{"/nothing", "/jobs/ffffffff", "/jobs?state=nonsense", "/api/v1/jobs", "/api/v1/jobs/" + j.ID + "/log", "/live?page=/", "/static/x", "/healthz", "//jobs"} {
		c := watching(t, base, page, "")
		if m, ok := c.next(); !ok || m.name != "resync" {
			t.Errorf("%s: %v, want resync", page, m)
		}
		if m, ok := c.next(); ok {
			t.Errorf("%s: after resync came %v", page, m)
		}
	}
	for _, page := range []string{"", "jobs", "http://evil.example/", "//evil.example/", "javascript:alert(1)", "/" + strings.Repeat("x", 5000), "/\x00"} {
		if got := s.get("/live?" + url.Values{"page": {page}}.Encode()); got.code != http.StatusBadRequest && page != "//evil.example/" {
			t.Errorf("page %.30q = %d, want 400", page, got.code)
		}
	}
}

// A page that cannot be made is not said to be fresh.
func TestLiveEndsWhenThePageCannotBeMade(t *testing.T) {
	s := newSite(t)
	var broken atomic.Bool
	status := s.opts.Status
	s.opts.Status = func() ui.Status {
		if broken.Load() {
			panic("no status")
		}
		return status()
	}
	ln, _ := serving(t, "127.0.0.1:0", ui.Handler(s.opts))
	c := watching(t, "http://"+ln.Addr().String(), "/", "")
	c.until(`"title"`)
	broken.Store(true)
	s.add(jobs.Job{})
	if m, ok := c.next(); ok {
		t.Errorf("after the page could not be made came %v", m)
	}
}

func TestRegions(t *testing.T) {
	const page = `<!doctype html><p data-live>no id</p><div id="a" data-live><div class="x">1<br>2</div><p id="in"></p></div>` +
		`<input id="i" value=" data-live "><ul data-live class="c" id="b"><li id="r1" data-row>one</li><li id="r2" data-row><b>two</b></li></ul><p>x data-live</p>`
	got := ui.Regions(page)
	want := []string{
		`a: <div id="a" data-live><div class="x">1<br>2</div><p id="in"></p></div>`,
		`b: <ul data-live class="c" id="b"><li id="r1" data-row>one</li><li id="r2" data-row><b>two</b></li></ul>`,
		`b r1: <li id="r1" data-row>one</li>`,
		`b r2: <li id="r2" data-row><b>two</b></li>`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for i := range page { // a part of a page is no reason to fall over
		ui.Regions(page[i:])
		ui.Regions(page[:i])
	}
}
