package ui_test

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// link gives the address of a page's link of that rel; "" if there is none.
func (a answer) link(rel string) string {
	m := regexp.MustCompile(`<a href="([^"]+)" rel="` + rel + `">`).FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// listed are the ids of a page's rows, in their order.
func (a answer) listed() []string {
	var out []string
	for _, m := range regexp.MustCompile(`id="list-([^"]+)" data-row`).FindAllStringSubmatch(a.body, -1) {
		out = append(out, m[1])
	}
	return out
}

// A walk to older jobs and back sees each job once, and the search stays.
func TestListPages(t *testing.T) {
	s := newSite(t)
	s.get("/jobs").contains(t, "No job has come yet.")
	for i := range 120 {
		s.add(jobs.Job{Args: []string{fmt.Sprint("n", i)}, State: []jobs.State{jobs.Completed, jobs.Pending}[i%2]})
	}
	all, err := s.queue.List(context.Background(), jobs.Filter{States: []jobs.State{jobs.Pending}})
	if err != nil || len(all) != 60 {
		t.Fatal(len(all), err)
	}
	var want []string
	for _, j := range all {
		want = append(want, j.ID)
	}
	first := s.get("/jobs?type=quick&state=pending")
	first.contains(t, `value="state:pending type:quick"`)
	second := s.get(first.link("next"))
	if got := append(first.listed(), second.listed()...); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("two pages have %d jobs, want the 60 in their order", len(got))
	}
	second.contains(t, `value="state:pending type:quick"`)
	if second.link("next") != "" || first.link("prev") != "" || first.link("first") != "" {
		t.Error("there are links to pages on which nothing is")
	}
	if got := s.get(second.link("prev")); strings.Join(got.listed(), " ") != strings.Join(want[:50], " ") || got.link("prev") != "" {
		t.Errorf("the way back leads to other jobs: %v", got.listed())
	}
	if got := s.get(second.link("first")); strings.Join(got.listed(), " ") != strings.Join(want[:50], " ") {
		t.Errorf("the way to the newest leads to other jobs: %v", got.listed())
	}
}

func TestListShowsWhatIsAskedFor(t *testing.T) {
	s := newSite(t)
	ada := s.add(jobs.Job{Args: []string{"x"}, Labels: map[string]string{"owner": "ada b"}})
	s.add(jobs.Job{Args: []string{"y"}, Type: "train", Target: "train"})
	for _, query := range []string{
		"q=label%3A%22owner%3Dada+b%22", "label=owner%3Dada+b", "q=x", "q=type:quick", "type=quick&since=1h", "type=quick&since=2d", "type=quick&since=2020-01-02T03:04:05+02:00",
		"q=" + url.QueryEscape(`since:1h -type:train`), "q=id:" + ada.ID[:8],
	} {
		if got := s.get("/jobs?" + query).listed(); len(got) != 1 || got[0] != ada.ID {
			t.Errorf("%s gives %v, want %s", query, got, ada.ID)
		}
	}
	s.get("/jobs?state=failed,lost").contains(t, `value="state:failed,lost"`, "No job fits.", `<a href="/jobs">all jobs</a>`)
	s.get("/jobs?type=quick&state=failed").contains(t, `Try <a href="/jobs?q=type%3Aquick">the same in any state</a>`)
	s.get("/jobs?label=owner%3Dada+b&since=2h").contains(t, `value="label:&#34;owner=ada b&#34; since:2h"`)
	// Counts are those that are kept; beside other words they are not known.
	got := s.get("/jobs?q=type:train")
	got.contains(t, `href="/jobs?q=state%3Apending&#43;type%3Atrain" class="s-pending"><span class="st s-pending"><span class="g" aria-hidden="true">◌</span> PENDING</span> <b>1</b></a>`,
		`<a href="/jobs?q=type%3Atrain" class="" aria-current="true"><span class="st">All</span> <b>1</b></a>`)
	got = s.get("/jobs?q=state:pending+words")
	got.contains(t, `href="/jobs?q=state%3Apending&#43;words" class="s-pending" aria-current="true"`, `href="/jobs?q=words" class=""`)
	got.lacks(t, "<b>2</b>")
}

func TestListSaysWhatIsWrongWithASearch(t *testing.T) {
	s := newSite(t)
	s.add(jobs.Job{})
	for query, want := range map[string]string{
		"q=größe+exti:1":                `<p>Unknown search key &#34;exti&#34;; did you mean &#34;exit&#34;? The keys are state, type, `,
		"q=a+%3Cb%3E+state:nonsense+c":  `<pre class="cmd">a &lt;b&gt; <mark>state:nonsense</mark> c</pre>`,
		"state=nonsense":                `Unknown state &#34;nonsense&#34;`,
		"before=x":                      `Before &#34;x&#34; is none that was handed out`,
		"q=" + strings.Repeat("x", 501): `500 bytes at most`,
		"type=" + strings.Repeat("x", 300) + "&q=" + strings.Repeat("y", 300): `longer than 500 letters in all`,
		"since=tomorrow": `Since is &#34;tomorrow&#34;, want a time`,
	} {
		got := s.get("/jobs?" + query)
		if got.code != 400 {
			t.Errorf("GET /jobs?%.40s = %d, want 400", query, got.code)
		}
		got.contains(t, want, `role="alert"`, `<form class="search"`, `aria-describedby="problem"`)
		if n := len(got.listed()); n != 0 {
			t.Errorf("%.40s shows %d jobs beside what is wrong", query, n)
		}
	}
	s.get("/jobs?q=größe+exti:1").contains(t, `<pre class="cmd">größe <mark>exti:1</mark></pre>`, `value="größe exti:1"`)
}

// A search that has looked at many jobs says how far it has come and leads on.
func TestListSearchesOn(t *testing.T) {
	s := newSite(t)
	var all []jobs.Job
	at := time.Now().Add(-time.Hour)
	for i := range 6000 {
		j := jobs.Job{State: jobs.Completed, Reason: "exit 0", SubmittedAt: at.Add(time.Duration(i) * time.Millisecond)}
		if i == 3 {
			j.Args = []string{"needle"}
		}
		all = append(all, j)
	}
	needle := s.addAll(all...)[3]
	steps := 0
	path := "/jobs?q=needle"
	for ; path != ""; steps++ {
		got := s.get(path)
		if found := got.listed(); len(found) > 0 {
			if found[0] != needle.ID {
				t.Errorf("found %v", found)
			}
			break
		}
		got.contains(t, "No job fits so far.", "Searched back to <time datetime=")
		m := regexp.MustCompile(`<a href="([^"]+)">Search on</a>`).FindStringSubmatch(got.body)
		if m == nil {
			t.Fatalf("no way on in:\n%s", got.body)
		}
		path = html.UnescapeString(m[1])
	}
	if steps < 1 || steps > 5 {
		t.Errorf("the job was found after %d steps", steps)
	}
	// A program that follows the cursor comes there, too.
	var found []string
	for next := ""; ; {
		l := s.listing("/api/v1/jobs?q=needle&cursor=" + next)
		found = append(found, ids(l)...)
		if next = l.Next; next == "" {
			break
		}
	}
	if len(found) != 1 || found[0] != needle.ID {
		t.Errorf("the API's walk found %v, want %s", found, needle.ID)
	}
}

func TestListShowsWhyJobsFailed(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{Type: "train", Target: "train"})
	s.start(j, "Traceback (most recent call last):\nRuntimeError: CUDA <out> of memory\n")
	s.end(j, exited(jobs.Failed, 137))
	s.get("/jobs").contains(t, "exit 137 – 128&#43;9 means SIGKILL", `<code class="line">RuntimeError: CUDA &lt;out&gt; of memory</code>`)
}
