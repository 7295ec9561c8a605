package ui_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// description is /openapi.json, made strict: an object may have no fields but
// those that it names.
type description struct {
	t        *testing.T
	root     map[string]any
	compiler *jsonschema.Compiler
	seen     map[string]bool // "path status" of what was answered, and "schema.field" of what was in it
}

func describe(t *testing.T, body string) *description {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	closeObjects(doc)
	d := &description{t, doc.(map[string]any), jsonschema.NewCompiler(), map[string]bool{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// closeObjects lets no schema below v have fields that it does not name.
func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; !open && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, below := range v {
			closeObjects(below)
		}
	case []any:
		for _, below := range v {
			closeObjects(below)
		}
	}
}

// at follows keys, and references in between.
func (d *description) at(v any, keys ...string) any {
	for _, key := range append(keys, "") {
		for {
			m, _ := v.(map[string]any)
			ref, ok := m["$ref"].(string)
			if !ok {
				break
			}
			v = d.at(d.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		if key == "" {
			break
		}
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// pointer is a place in the document.
func pointer(keys ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	path := "openapi.json#"
	for _, key := range keys {
		path += "/" + url.PathEscape(escape.Replace(key))
	}
	return path
}

// check holds an answer of a path against the description.
func (d *description) check(path, asked string, got answer) {
	d.t.Helper()
	status := fmt.Sprint(got.code)
	responses := d.at(d.root, "paths", path, "get", "responses").(map[string]any)
	if responses[status] == nil && got.code >= 401 && got.code != http.StatusNotFound {
		status = fmt.Sprintf("%dXX", got.code/100)
	}
	response := d.at(responses, status)
	if response == nil {
		d.t.Errorf("%s: an answer %s is not described: %.200q", asked, status, got.body)
		return
	}
	d.seen[path+" "+status] = true
	content, _ := d.at(response, "content").(map[string]any)
	if content == nil {
		if got.body != "" {
			d.t.Errorf("%s: an answer %s has a body: %.200q", asked, status, got.body)
		}
		return
	}
	kind, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil || content[kind] == nil {
		d.t.Errorf("%s: an answer %s is %q, described are %v", asked, status, got.header.Get("Content-Type"), slices.Collect(maps.Keys(content)))
		return
	}
	keys := []string{"paths", path, "get", "responses", status}
	if ref, ok := responses[status].(map[string]any)["$ref"].(string); ok {
		keys = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	var value any = got.body
	if kind == "application/json" {
		if value, err = jsonschema.UnmarshalJSON(strings.NewReader(got.body)); err != nil {
			d.t.Errorf("%s: %v in %.200q", asked, err, got.body)
			return
		}
	}
	d.fits(asked, value, append(keys, "content", kind, "schema")...)
}

// fits holds a value against the schema at a place.
func (d *description) fits(what string, value any, keys ...string) {
	d.t.Helper()
	schema, err := d.compiler.Compile(pointer(keys...))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		d.t.Errorf("%s: %v", what, err)
	}
	d.note(value, d.at(d.root, keys...))
}

// note notes which of the fields that a schema names a value has.
func (d *description) note(value, schema any) {
	s, _ := d.at(schema).(map[string]any)
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			d.note(one, s["items"])
		}
	case map[string]any:
		named, _ := s["properties"].(map[string]any)
		for name, one := range value {
			if named[name] == nil {
				d.note(one, s["additionalProperties"])
				continue
			}
			d.seen[fieldName(s, name)] = true
			d.note(one, named[name])
		}
	}
}

// fieldName names a field by all that stand beside it.
func fieldName(schema map[string]any, name string) string {
	return fmt.Sprint(slices.Sorted(maps.Keys(schema["properties"].(map[string]any))), " ", name)
}

// unseen gives what is described and did not come.
func (d *description) unseen() (missing []string) {
	for path, item := range d.root["paths"].(map[string]any) {
		for status := range d.at(item, "get", "responses").(map[string]any) {
			if !d.seen[path+" "+status] {
				missing = append(missing, path+" "+status)
			}
		}
	}
	var look func(where string, v any)
	look = func(where string, v any) {
		m, _ := v.(map[string]any)
		if named, ok := m["properties"].(map[string]any); ok {
			for name := range named {
				if !d.seen[fieldName(m, name)] {
					missing = append(missing, where+"."+name)
				}
			}
		}
		for key, below := range m {
			look(where+"/"+key, below)
		}
	}
	look("", d.at(d.root, "components", "schemas"))
	slices.Sort(missing)
	return missing
}

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

// newFullSite is a site on which everything is to be seen that there can be; the
// first of the ids is of a job with output.
func newFullSite(t *testing.T) (*site, []string) {
	s := newSite(t)
	sweep := "3f2a91c0-0000-4000-8000-000000000000"
	failed := s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"a"}, Name: "nightly", Labels: map[string]string{"owner": "ada"},
		Group: sweep, Params: map[string]string{"lr": "0.1"}, Retries: 1, UniqueKey: "k", Timeout: time.Hour, Priority: 3})
	slots := map[string][]string{"gpu": {"0"}}
	info := jobs.StartInfo{Limits: "memory 1GiB", RunAs: "ada", Script: "abc"}
	s.startWith(failed, "RuntimeError: CUDA out of memory\n", info, slots)
	ending := exited(jobs.Failed, 1)
	ending.RetryAt = time.Now()
	s.end(failed, ending)
	failed.Attempt = 2
	s.startWith(failed, "RuntimeError: CUDA out of memory\n", info, slots)
	percent, eta := 42.0, 90*time.Second
	reading := jobs.Reading{Attempt: 2, OutputAt: time.Now(), Usage: &jobs.Usage{CPU: 1.5, CPUTime: time.Minute, Memory: 1 << 20, PeakMemory: 2 << 20, Processes: 3},
		Progress: &jobs.Progress{Percent: &percent, Text: "epoch 4/10", ETA: &eta, Source: "tqdm", ETASource: "tqdm", At: time.Now()},
		Series:   []jobs.Point{{At: time.Now(), CPU: 1.5, Memory: 1 << 20}}}
	if err := s.queue.KeepReadings(context.Background(), []jobs.Measured{{ID: failed.ID, Reading: &reading}}); err != nil {
		t.Fatal(err)
	}
	s.end(failed, exited(jobs.Failed, 1))
	killed := s.add(jobs.Job{})
	s.start(killed, "x")
	s.end(killed, jobs.Ending{State: jobs.Lost, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL"})
	running := s.add(jobs.Job{Type: "quick"})
	s.start(running, "50%\n")
	like := killed.ID[:35] + "f" // the same but for its end
	if like == killed.ID {
		like = killed.ID[:35] + "e"
	}
	waiting := filled(jobs.Job{ID: like, Hold: true, NotBefore: time.Now().Add(time.Hour)})
	out, err := s.queue.Accept(context.Background(), jobs.Intake{Entries: []jobs.Entry{
		{Job: waiting, Waits: []jobs.Wait{{On: running.ID}, {On: failed.ID, Any: true}}}}})
	if err != nil || out[0].Job.State != jobs.Pending {
		t.Fatal(out, err)
	}
	bad := s.add(jobs.Job{State: jobs.Rejected, Reason: "job_queue.txt:1: bad"})
	if _, err := s.queue.TakeSample(context.Background(), 2); err != nil {
		t.Fatal(err)
	}
	now := reading
	now.Attempt = 1
	s.opts.Readings = func() map[string]*jobs.Reading { return map[string]*jobs.Reading{running.ID: &now} }
	s.opts.Metrics = promhttp.Handler()
	s.describeDaemon(waiting.ID)
	return s, []string{failed.ID, killed.ID, running.ID, waiting.ID, bad.ID}
}

// describeDaemon gives the daemon all that there is to say of one.
func (s *site) describeDaemon(made string) {
	s.t.Helper()
	status := s.opts.Status()
	status.QueueFile, status.ConfigError = "job_queue.txt", "jobrunner.yaml:3:1: unknown key"
	status.Notes = append(status.Notes, ui.Note{Level: ui.Warn, Text: "a note"}, ui.Note{Text: "another"})
	status.Ignored = []ui.Ignored{{Name: "a.tmp", Why: "its name"}}
	s.opts.Status = func() ui.Status { return status }
	catalog := &jobs.Catalog{MaxConcurrent: 2, Types: map[string]*jobs.Type{
		"train": {Name: "train", Description: "trains", Command: []string{"true"}, MaxConcurrent: 1, Priority: 2, Timeout: time.Hour,
			MaxRetries: 1, Slots: map[string]int{"gpu": 1}, Env: map[string]string{"TOKEN": "hush-hush"}},
		"python": {Name: "python", Interpreter: []string{"python3", "-u"}, Scripts: "/x"},
	}}
	for name, every := range map[string]time.Duration{"often": time.Hour, "nightly": 0} {
		one := jobs.Schedule{Name: name, Every: every, Zone: time.UTC, CatchUp: jobs.CatchUpNone, Overlap: jobs.OverlapSkip,
			Request: &jobs.Request{Type: "train", Script: "a.py", Args: []string{"x"}, Name: "n", Priority: 1, Labels: map[string]string{"a": "b"}}}
		if every == 0 {
			one.Cron = "0 2 * * *"
		}
		catalog.Schedules = append(catalog.Schedules, one)
		now := time.Now()
		err := s.queue.PutSchedule(context.Background(), jobs.ScheduleState{
			Name: name, NextAt: now.Add(time.Minute), LastAt: now.Add(-time.Minute), Jobs: []string{made}})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	s.opts.Catalog = func() *jobs.Catalog { return catalog }
}
