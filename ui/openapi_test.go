package ui_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"jobrunner/ui"
)

// Every route for programs is described, and nothing else is.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	source, err := os.ReadFile("ui.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, m := range regexp.MustCompile(`mux\.Handle(?:Func)?\("([^"]+)"`).FindAllSubmatch(source, -1) {
		if path := string(m[1]); regexp.MustCompile(`^/(api/.+|metrics|healthz|readyz|openapi\.json)$`).MatchString(path) {
			routes = append(routes, path)
		}
	}
	slices.Sort(routes)
	d := describe(t, newSite(t).get("/openapi.json").body)
	if described := slices.Sorted(maps.Keys(d.root["paths"].(map[string]any))); !slices.Equal(routes, described) {
		t.Errorf("the routes are\n%q, described are\n%q", routes, described)
	}
	for path, item := range d.root["paths"].(map[string]any) {
		for key := range item.(map[string]any) {
			if key != "get" && key != "parameters" {
				t.Errorf("%s: %s is described, only get is answered", path, key)
			}
		}
	}
}

func TestOpenAPIIsKept(t *testing.T) {
	s := newSite(t)
	got := s.get("/openapi.json")
	tag := got.header.Get("ETag")
	if got.code != 200 || tag == "" || got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d %v", got.code, got.header)
	}
	if again := s.get("/openapi.json", "If-None-Match", tag); again.code != 304 || again.body != "" {
		t.Errorf("asked again: %d %q", again.code, again.body)
	}
	if head := s.ask("HEAD", "/openapi.json"); head.code != 200 || head.header.Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", head.code, head.header)
	}
}

// Whatever is answered is as it is described, and whatever is described can be
// answered.
func TestOpenAPIIsTrue(t *testing.T) {
	s, ids := newFullSite(t)
	d := describe(t, s.get("/openapi.json").body)
	ask := func(path, asked string, header ...string) {
		t.Helper()
		d.check(path, asked+fmt.Sprint(header), s.get(asked, header...))
	}
	for _, q := range []string{"", "?limit=2", "?state=failed,PENDING&state=lost", "?q=state:completed+type:quick", "?label=owner", "?since=1h", "?type=x"} {
		ask("/api/v1/jobs", "/api/v1/jobs"+q)
	}
	for _, id := range append(ids, ids[0][:8], ids[1][:8], "ffffffff", "ff", "a/b") {
		if strings.Contains(id, "/") {
			id = url.PathEscape(id)
		}
		ask("/api/v1/jobs/{id}", "/api/v1/jobs/"+id)
		for _, q := range []string{"", "?tail=1", "?attempt=1", "?attempt=9"} {
			ask("/api/v1/jobs/{id}/log", "/api/v1/jobs/"+id+"/log"+q)
			ask("/api/v1/jobs/{id}/series", "/api/v1/jobs/"+id+"/series"+q)
		}
	}
	log := "/api/v1/jobs/" + ids[0] + "/log"
	ask("/api/v1/jobs/{id}/log", log, "Range", "bytes=0-3")
	ask("/api/v1/jobs/{id}/log", log, "Range", "bytes=0-1,3-4")
	ask("/api/v1/jobs/{id}/log", log, "Range", "bytes=100000-")
	ask("/api/v1/jobs/{id}/log", log, "If-None-Match", s.get(log).header.Get("ETag"))
	for _, path := range []string{"/api/v1/stats", "/api/v1/samples", "/api/v1/types", "/api/v1/schedules", "/api/v1/system", "/openapi.json", "/metrics", "/healthz", "/readyz"} {
		ask(path, path)
	}
	ask("/metrics", "/metrics", "Accept", "application/openmetrics-text")
	ask("/openapi.json", "/openapi.json", "If-None-Match", s.get("/openapi.json").header.Get("ETag"))
	ask("/api/v1/samples", "/api/v1/samples?since=2020-01-01T00:00:00Z")
	s.opts.Ready = func() error { return errors.New("the disk is full") }
	ask("/readyz", "/readyz")
	ask("/api/v1/system", "/api/v1/system")
	d.badParameters(s, ids[0])
	d.refusals(s, ids[0])
	d.events(s)
	if err := s.queue.Close(); err != nil {
		t.Fatal(err)
	}
	for path := range d.root["paths"].(map[string]any) {
		if path != "/api/v1/events" || s.get(path).code == 500 {
			ask(path, strings.Replace(path, "{id}", ids[0], 1))
		}
	}
	if missing := d.unseen(); len(missing) > 0 {
		t.Errorf("described, but nobody has ever seen it:\n%s", strings.Join(missing, "\n"))
	}
}

// badParameters gives each parameter values that its schema refuses: the answer
// must be 400.
func (d *description) badParameters(s *site, id string) {
	wrong := map[string][]string{
		"state": {"bogus"}, "q": {"exit:abc"}, "type": {}, "group": {}, "label": {"=x"}, "since": {"yesterday", "-5h"}, "cursor": {"x"},
	}
	for path, item := range d.root["paths"].(map[string]any) {
		parameters, _ := d.at(item, "get", "parameters").([]any)
		for _, p := range parameters {
			name, in := d.at(p, "name").(string), d.at(p, "in").(string)
			schema, _ := d.at(p, "schema").(map[string]any)
			values, special := wrong[name]
			switch {
			case schema["type"] == "integer":
				values = append(values, "x", "1.5", "99999999999999999999")
				if low, ok := schema["minimum"]; ok {
					values = append(values, fmt.Sprint(number(low)-1))
				}
				if high, ok := schema["maximum"]; ok {
					values = append(values, fmt.Sprint(number(high)+1))
				}
			case in == "header":
				continue // conditions and ranges that make no sense are passed over
			case !special:
				d.t.Errorf("%s: what is wrong for the parameter %s?", path, name)
			}
			if most, ok := schema["maxLength"]; ok {
				values = append(values, strings.Repeat("a", int(number(most))+1))
			}
			asked := strings.Replace(path, "{id}", id, 1)
			for _, v := range values {
				got := answer{}
				if in == "header" {
					got = s.get(asked, name, v)
				} else {
					got = s.get(asked + "?" + name + "=" + url.QueryEscape(v))
				}
				if got.code != http.StatusBadRequest {
					d.t.Errorf("%s: %s = %q is %d, want 400", path, name, v, got.code)
				}
				d.check(path, fmt.Sprintf("%s %s=%q", asked, name, v), got)
			}
		}
		if len(parameters) > 0 && path != "/openapi.json" {
			asked := strings.Replace(path, "{id}", id, 1) + "?%zz=1"
			if got := s.get(asked); strings.Contains(path, "{id}") || got.code == http.StatusBadRequest {
				continue
			}
			d.t.Errorf("%s is answered", asked)
		}
	}
}

// refusals has each route refuse requests that it does not look at.
func (d *description) refusals(s *site, id string) {
	let := s.opts.Enter
	for path := range d.root["paths"].(map[string]any) {
		asked := strings.Replace(path, "{id}", id, 1)
		d.check(path, "POST "+asked, s.ask("POST", asked))
		if path == "/healthz" || path == "/readyz" {
			continue
		}
		d.check(path, "evil.example"+asked, s.get(asked, "Host", "evil.example"))
		d.check(path, asked+" of another site", s.get(asked, "Sec-Fetch-Site", "cross-site"))
		for _, code := range []int{http.StatusUnauthorized, http.StatusTooManyRequests} {
			s.opts.Enter = func(*http.Request) (int, time.Duration) { return code, time.Second }
			got := s.get(asked)
			if got.code != code {
				d.t.Errorf("%s = %d, want %d", asked, got.code, code)
			}
			d.check(path, asked, got)
		}
		s.opts.Enter = let
	}
}

func number(v any) float64 {
	var f float64
	_, _ = fmt.Sscan(fmt.Sprint(v), &f)
	return f
}

// events holds the stream against the description.
func (d *description) events(s *site) {
	c, url := s.follow("Last-Event-ID", "0")
	d.seen["/api/v1/events 200"] = c.resp.StatusCode == 200
	want := map[string]string{"job": "Job", "progress": "ProgressEvent"}
	for left := maps.Clone(want); len(left) > 0; {
		m, ok := c.next()
		if !ok || want[m.name] == "" {
			d.t.Fatalf("got %q, %v", m, ok)
		}
		delete(left, m.name)
		d.fitsText(m.data, want[m.name])
	}
	m, _ := subscribe(d.t, url, "Last-Event-ID", "999999").next()
	d.fitsText(m.data, "ResetEvent")
	for range ui.MostStreamsEach {
		if c := subscribe(d.t, url); c.resp.StatusCode != 200 {
			body, _ := io.ReadAll(c.resp.Body)
			d.check("/api/v1/events", url, answer{c.resp.StatusCode, c.resp.Header, string(body)})
		}
	}
}

// fitsText holds the data of an event against a schema.
func (d *description) fitsText(text, schema string) {
	d.t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		d.t.Fatalf("%v in %q", err, text)
	}
	d.fits("an event", value, "components", "schemas", schema)
}
