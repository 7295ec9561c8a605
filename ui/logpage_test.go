package ui_test

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// numberedLines are lines that say which they are.
func numberedLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "this is line %d of them\n", i+1)
	}
	return b.String()
}

// shownLine is a line of a log's page: its number, or @ and a byte, and its text.
type shownLine struct{ name, text string }

var (
	lineDiv = regexp.MustCompile(`(?m)^<div(?: id="L\d+")?(?: class="here")?><a href="[^"]*">(@?\d+)</a>(.*?)(?: <a class="rest".*)?</div>$`)
	anyTag  = regexp.MustCompile(`<[^>]*>`)
)

func shownLines(page string) (all []shownLine) {
	for _, m := range lineDiv.FindAllStringSubmatch(page, -1) {
		all = append(all, shownLine{m[1], html.UnescapeString(anyTag.ReplaceAllString(m[2], ""))})
	}
	return all
}

// way gives where a link of the page leads to.
func (a answer) way(t *testing.T, path, words string) string {
	t.Helper()
	m := regexp.MustCompile(`<a href="(\?[^"]*)">` + regexp.QuoteMeta(words) + `</a>`).FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return path + html.UnescapeString(m[1])
}

// logged adds a job that has ended with that output.
func (s *site) logged(output string) (j *jobs.Job, path string) {
	s.t.Helper()
	j = s.add(jobs.Job{Type: "train", Target: "train.py"})
	s.start(j, output)
	s.end(j, exited(jobs.Failed, 1))
	return j, "/jobs/" + j.ID + "/log"
}

// counted is get once as many lines are counted as the page needs: each look counts
// on, and how far it comes is a matter of time.
func (s *site) counted(url string) answer {
	s.t.Helper()
	if s.handler == nil {
		s.handler = ui.Handler(s.opts)
	}
	for {
		got := s.get(url)
		if !strings.Contains(got.body, "have no numbers here yet") && !strings.Contains(got.body, "data-again") && !strings.Contains(got.body, `<a href="?near=`) {
			return got
		}
	}
}

func TestLogPage(t *testing.T) {
	s := newSite(t)
	j, path := s.logged("one\n\x1b[31mtwo\x1b[0m <b>\nthree\n")
	got := s.get(path)
	got.contains(t,
		`<div id="L1"><a href="?line=1#L1">1</a>one</div>`,
		`<div id="L2"><a href="?line=2#L2">2</a><i class="f1">two</i> &lt;b&gt;</div>`,
		`<a href="/jobs/`+j.ID+`">`, `download="train-`+j.ID[:8]+`.log"`, "lines 1 – 3", "FAILED", "27 bytes")
	got.lacks(t, "Older", "Newer", "50 %", `id="follow"`, "attempt", `class="here"`)
	if len(shownLines(got.body)) != 3 {
		t.Errorf("got %q", shownLines(got.body))
	}
	if got := s.get("/jobs/" + j.ID[:8] + "/log?line=2"); got.code != 302 || got.header.Get("Location") != path+"?line=2" {
		t.Errorf("by a part of the id: %d %q", got.code, got.header.Get("Location"))
	}
	s.get(path+"?line=2").contains(t, `<div id="L2" class="here"><a`)
	s.get(path+"?line=1,234").contains(t, "There is no line 1,234: this is the end.", `id="L3"`)
	for query, want := range map[string]string{
		"?line=x": "Line is", "?from=-1": "From is", "?near=1e9": "Near is", "?attempt=0": "Attempt is", "?line=x%25": "Line is",
		"?grep=" + strings.Repeat("x", 201): "more than 200 bytes", "?to=99999999999999999999": "To is", "?attempt=2": "the latest is attempt 1",
	} {
		if got := s.get(path + query); got.code < 400 || got.code > 404 || !strings.Contains(got.body, want) {
			t.Errorf("%s = %d, want 400 that says %q:\n%s", query, got.code, want, got.body)
		}
	}
}

func TestLogPageWithoutOutput(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.get("/jobs/"+j.ID+"/log").contains(t, "This job has no log: it has not started.")
	s.start(j, "")
	got := s.get("/jobs/" + j.ID + "/log")
	got.contains(t, "It has written nothing yet.", `id="follow"`)
	s.end(j, exited(jobs.Completed, 0))
	got = s.get("/jobs/" + j.ID + "/log?grep=x")
	got.contains(t, "No such line.")
	got = s.get("/jobs/" + j.ID + "/log")
	got.contains(t, "It wrote nothing.")
	got.lacks(t, `id="follow"`)
	if got := s.get("/jobs/00000000/log"); got.code != 404 {
		t.Errorf("of no job: %d", got.code)
	}
}

// Whoever goes from part to part sees each line once, and its number.
func TestLogPageShowsAllParts(t *testing.T) {
	s := newSite(t)
	const many = 20_000
	_, path := s.logged(numberedLines(many))
	for _, way := range []string{"Newer", "Older"} {
		url, parts, seen := path, 0, map[string]string{}
		if way == "Newer" {
			url += "?from=0"
		}
		for url != "" {
			got := s.counted(url)
			checkLogPage(t, got)
			lines := shownLines(got.body)
			if len(lines) < 100 || parts > 200 {
				t.Fatalf("%s has %d lines after %d parts", url, len(lines), parts)
			}
			for _, l := range lines {
				if seen[l.name] != "" || l.text != "this is line "+l.name+" of them" {
					t.Fatalf("%s: line %s is %q, before %q", url, l.name, l.text, seen[l.name])
				}
				seen[l.name] = l.text
			}
			url = got.way(t, path, way)
			parts++
		}
		if len(seen) != many {
			t.Errorf("by %s: saw %d lines in %d parts, want %d", way, len(seen), parts, many)
		}
	}
}

func TestLogPageGoesToPlaces(t *testing.T) {
	s := newSite(t)
	text := numberedLines(20_000)
	j, path := s.logged(text)
	for _, tt := range []struct {
		query       string
		first, last int // the part has lines from at most, to at least
		here        string
	}{
		{"", 19_900, 20_000, ""},
		{"?line=1", 1, 200, "L1"},
		{"?line=10000", 9_990, 10_100, "L10000"},
		{"?line=20000", 19_950, 20_000, "L20000"},
		{"?line=0%25", 1, 200, ""},
		{"?line=50%25", 10_200, 10_400, ""},
		{"?line=50%", 10_200, 10_400, ""},
		{"?line=50%&attempt=1", 10_200, 10_400, ""},
		{"?line=100%25", 19_950, 20_000, ""},
		{"?near=" + strconv.Itoa(strings.Index(text, "line 7777 ")), 7770, 7900, "L7777"},
		{"?near=99999999", 19_950, 20_000, "L20000"},
		{"?from=" + strconv.Itoa(strings.Index(text, "line 7777 ")), 7777, 7900, ""},
		{"?from=99999999", 19_900, 20_000, ""},
		{"?to=" + strconv.Itoa(strings.Index(text, "line 7777 ")), 7700, 7776, ""},
		{"?to=0", 1, 200, ""},
		{"?from=" + strconv.Itoa(len(text)), 1, 0, ""},
	} {
		got := s.counted(path + tt.query)
		checkLogPage(t, got)
		lines := shownLines(got.body)
		first, last := 1, 0
		if len(lines) > 0 {
			first, _ = strconv.Atoi(lines[0].name)
			last, _ = strconv.Atoi(lines[len(lines)-1].name)
		}
		if first > tt.first || last < tt.last || first > last+1 {
			t.Errorf("%q has the lines %d to %d, want %d to %d in it", tt.query, first, last, tt.first, tt.last)
		}
		here := regexp.MustCompile(`<div id="(L\d+)" class="here">`).FindStringSubmatch(got.body)
		if (here == nil) != (tt.here == "") || here != nil && here[1] != tt.here {
			t.Errorf("%q marks %q, want %q", tt.query, here, tt.here)
		}
	}
	at := strings.Index(text, "line 7777 ")
	s.get("/jobs/"+j.ID).contains(t, "/log")
	raw := s.get(path + fmt.Sprintf("?raw=1&from=%d&to=%d", at, at+9))
	if raw.code != 200 || raw.body != "line 7777" || raw.header.Get("Content-Type") != "text/plain; charset=utf-8" ||
		!strings.Contains(raw.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("raw bytes: %d %q %v", raw.code, raw.body, raw.header)
	}
}

// checkLogPage checks what every page of a log keeps to.
func checkLogPage(t *testing.T, got answer) {
	t.Helper()
	if got.code != 200 || len(got.body) > ui.MaxPage {
		t.Fatalf("got %d with %d bytes:\n%.2000s", got.code, len(got.body), got.body)
	}
	log := got.body[strings.Index(got.body, `<div id="log"`):]
	log, _, _ = strings.Cut(log, "</main>")
	rest := logTags.ReplaceAllString(log, "")
	if strings.ContainsAny(rest, "<>\x00\x1b") {
		t.Errorf("a tag or a character that is not ours: %.1000q", rest)
	}
	got.lacks(t, "ZgotmplZ")
}

var logTags = regexp.MustCompile(`<div id="log" [^<>]*>|<div(?: id="L\d+")?(?: class="(?:here|block)")?(?: data-\w+(?:="\d+")?)*>|</div>|` +
	`<a(?: class="rest")? href="\?[^"<>]*">|</a>|<i class="[fbhiteunms1-8 ]*">|</i>|<p class="further">|</p>`)

func TestNastyLogsStayInBounds(t *testing.T) {
	s := newSite(t)
	troubles := s.opts.Status
	s.opts.Status = troubled
	defer func() { s.opts.Status = troubles }()
	for name, text := range map[string]string{
		"tags":            strings.Repeat("<&>\"'", 400_000),
		"lines of tags":   strings.Repeat("<script>alert(1)</script>&&&&\n", 50_000),
		"empty lines":     strings.Repeat("\n", 300_000),
		"short lines":     strings.Repeat("x\n", 300_000),
		"long lines":      strings.Repeat(strings.Repeat("word ", 3000)+"\n", 50),
		"one long line":   strings.Repeat("word ", 3_000_000),
		"colours":         strings.Repeat("\x1b[1;3;4;9;31m<\x1b[0m&", 100_000),
		"coloured lines":  strings.Repeat(strings.Repeat("\x1b[1;41m&\x1b[0m>", 1000)+"\n", 100),
		"a bar":           strings.Repeat("\r 58%|█████▊    | 580/1000 [1:45:02<1:16:10]", 80_000),
		"bars up":         strings.Repeat("\x1b[2Aone 50%\ntwo 60%\n", 40_000),
		"spaces":          strings.Repeat("\x1b[500Cx\n", 50_000),
		"zeros":           strings.Repeat("\x00", 3_000_000),
		"no text":         strings.Repeat("\xff\xfe\x1b\x9b\u202e\u2028", 200_000),
		"an open string":  "\x1b]0;" + strings.Repeat("title", 100_000),
		"carriage":        strings.Repeat("\r", 500_000) + "\n" + strings.Repeat("\r\n", 100_000),
		"a line of 9 MiB": "first\n" + strings.Repeat("abcdefgh", 9<<17) + "\nlast\n",
	} {
		j, path := s.logged(text)
		middle := strconv.Itoa(len(text) / 2)
		for _, query := range []string{"", "?from=0", "?from=" + middle, "?to=" + middle, "?near=" + middle, "?near=1", "?line=50%25", "?line=2",
			"?line=99999", "?grep=o", "?grep=%3C", "?errors=1", "?part=1&from=" + middle} {
			got := s.get(path + query)
			if strings.HasPrefix(query, "?part") {
				got.body = `<div id="log" >` + got.body + "</main>"
			}
			checkLogPage(t, got)
			if t.Failed() {
				t.Fatalf("%s: %s", name, query)
			}
		}
		if got := s.get("/jobs/" + j.ID); got.code != 200 || len(got.body) > ui.MaxPage {
			t.Errorf("%s: the job's page: %d with %d bytes", name, got.code, len(got.body))
		}
		seen := 0
		for url := path + "?from=0"; url != "" && seen < 100; seen++ {
			got := s.get(url)
			checkLogPage(t, got)
			next := got.way(t, path, "Newer")
			if next == url {
				t.Fatalf("%s: %s leads to itself", name, url)
			}
			url = next
		}
	}
}

func TestLogPageCutsLongLines(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("0123456789", 10_000)
	j, path := s.logged("first\n" + long + "\nlast\n")
	got := s.get(path)
	lines := shownLines(got.body)
	if len(lines) != 3 || lines[2].text != "last" || !strings.HasPrefix(lines[1].text, "0123456789") || len(lines[1].text) > 10_000 {
		t.Fatalf("got %d lines: %.300q", len(lines), lines)
	}
	got.contains(t, `<a class="rest" href="?raw=1&amp;from=6&amp;to=100007">… all of this line: 97.7 KiB</a>`)
	if got := s.get(path + "?raw=1&from=6&to=100007"); got.body != long+"\n" {
		t.Errorf("the whole line has %d bytes", len(got.body))
	}
	s.get("/jobs/"+j.ID+"/log?near=50000").contains(t, "0123456789")
	// A line that was drawn over and over is as it was drawn last.
	_, path = s.logged("first\n" + strings.Repeat("\r 10% of it", 10_000) + "\r100%\x1b[K\nlast\n")
	if lines := shownLines(s.get(path).body); len(lines) != 3 || lines[1].text != "100%" {
		t.Errorf("a bar is shown as %.300q", lines)
	}
}

// found gives all lines that a search finds, going on until the log's beginning,
// and the pages that have them, the last part of the log first.
func (s *site) found(t *testing.T, path, query string) (lines []shownLine, pages []answer) {
	t.Helper()
	for url := path + query; url != ""; {
		got := s.get(url)
		checkLogPage(t, got)
		lines, pages = append(shownLines(got.body), lines...), append(pages, got)
		url = ""
		if m := regexp.MustCompile(`<p class="further"><a href="([^"]*)">Search the \d[^<]* before</a>`).FindStringSubmatch(got.body); m != nil {
			url = path + html.UnescapeString(m[1])
		}
	}
	return lines, pages
}

func TestLogPageSearches(t *testing.T) {
	s := newSite(t)
	text := numberedLines(3000) + "the NEEDLE is <here>\n" + numberedLines(3000) + strings.Repeat("x", 1<<20) + "needle" + strings.Repeat("y", 1<<20) + "\nneedle, needle\n"
	_, path := s.logged(text)
	s.counted(path)
	lines, pages := s.found(t, path, "?grep=Needle")
	if len(lines) != 3 || lines[0] != (shownLine{"3001", "the NEEDLE is <here>"}) || lines[2] != (shownLine{"6003", "needle, needle"}) {
		t.Errorf("got %.400q", lines)
	}
	pages[0].contains(t, `<i class="hit">needle</i>, <i class="hit">needle</i>`, " found<", `value="Needle"`)
	pages[len(pages)-1].contains(t, `the <i class="hit">NEEDLE</i> is &lt;here&gt;`, `<a href="?line=3001#L3001">`)
	if !slices.ContainsFunc(pages, func(a answer) bool { return strings.Contains(a.body, `xx<i class="hit">needle</i>yy`) }) {
		t.Error("what stands in a long line is not seen")
	}
	lines, pages = s.found(t, path, "?grep=line+29")
	if len(lines) != 222 || lines[0].text != "this is line 29 of them" || lines[221].text != "this is line 2999 of them" || len(pages) < 2 {
		t.Errorf("got %d lines on %d pages, want 222 on 2", len(lines), len(pages))
	}
	lines, pages = s.found(t, path, "?grep=nowhere%22%3E")
	pages[0].contains(t, "No such line", `value="nowhere&#34;&gt;"`)
	if len(lines) > 0 {
		t.Errorf("found %q", lines)
	}

	_, path = s.logged("all is well\nERROR: no\n" + numberedLines(500) + "Traceback (most recent call last):\n  x\nValueError: bad\n")
	if lines, _ := s.found(t, path, "?errors=1"); len(lines) != 3 || lines[0].text != "ERROR: no" || lines[2].text != "ValueError: bad" {
		t.Errorf("lines that tell of errors: %q", lines)
	}
}

func TestLogPageFollows(t *testing.T) {
	s := newSite(t)
	s.handler = ui.Handler(s.opts)
	j := s.add(jobs.Job{})
	s.start(j, numberedLines(3000))
	path := "/jobs/" + j.ID + "/log"
	got := s.get(path)
	got.contains(t, `id="follow"`, "from line ", `data-end`)
	s.get(path+"?from=0").lacks(t, `id="follow"`)
	s.write("logs/"+j.ID+".log", numberedLines(300))
	got = s.get(path)
	from := regexp.MustCompile(`data-from="(\d+)"`).FindStringSubmatch(got.body)[1]
	part := s.get(path + "?part=1&from=" + from)
	if !strings.HasPrefix(part.body, `<div class="block" data-from="`+from+`"`) || !strings.Contains(part.body, "this is line 300 of them") {
		t.Fatalf("got %d %.300q", part.code, part.body)
	}
	etag := part.header.Get("ETag")
	if got := s.get(path+"?part=1&from="+from, "If-None-Match", etag); got.code != 304 || got.body != "" {
		t.Errorf("the same again = %d %.300q, want 304", got.code, got.body)
	}
	s.write("logs/"+j.ID+".log", numberedLines(301))
	part = s.get(path+"?part=1&from="+from, "If-None-Match", etag)
	if part.code != 200 || !strings.Contains(part.body, `<a href="?line=301#L301">301</a>this is line 301 of them`) {
		t.Errorf("when there is more: %d %.300q", part.code, part.body)
	}
	etag = part.header.Get("ETag")
	s.end(j, exited(jobs.Completed, 0))
	part = s.get(path+"?part=1&from="+from, "If-None-Match", etag)
	if part.code != 200 || !strings.Contains(part.body, " data-ended>") {
		t.Errorf("when it has ended: %d %.300q", part.code, part.body)
	}
	s.write("logs/"+j.ID+".log", "another text\n") // it was emptied
	if lines := shownLines(s.get(path + "?from=" + from).body); len(lines) != 1 || lines[0] != (shownLine{"1", "another text"}) {
		t.Errorf("when it is another text: %q", lines)
	}
}

func TestLogPageOfAttempts(t *testing.T) {
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, "first\n")
	s.end(j, exited(jobs.Failed, 1))
	s.command(jobs.Command{Action: jobs.Retry, IDs: []string{j.ID}})
	logs := filepath.Join(s.opts.StateDir, "logs")
	if err := os.Rename(filepath.Join(logs, j.ID+".log"), filepath.Join(logs, j.ID+".1.log")); err != nil {
		t.Fatal(err)
	}
	s.start(&jobs.Job{ID: j.ID, Attempt: 2, Target: "quick"}, "second\n")
	path := "/jobs/" + j.ID + "/log"
	got := s.get(path)
	got.contains(t, ">second<", "<b>attempt 2</b>", `<a href="?attempt=1">attempt 1</a>`, `id="follow"`)
	got = s.get(path + "?attempt=1&line=1")
	got.contains(t, `<div id="L1" class="here"><a href="?attempt=1&amp;line=1#L1">1</a>first</div>`, "<b>attempt 1</b>",
		`<a href="?attempt=2">attempt 2</a>`, "/log?attempt=1", `name="attempt" value="1"`)
	got.lacks(t, `id="follow"`, "second")
}

func TestLogPageOfBoundedOutput(t *testing.T) {
	s := newSite(t)
	j, want := s.startBounded()
	lines := strings.Split(want, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "not kept") })
	got := s.get("/jobs/" + j.ID + "/log?from=16000")
	got.contains(t, "</a>"+lines[at-1]+"</div>", "</a>"+lines[at]+"</div>", "</a>"+lines[at+1]+"</div>")
	got.lacks(t, "\x00", "␀")
}

// A log of 10 GiB is shown like any other; where its lines are not counted yet,
// they are named by their bytes.
func TestLogPageOfHugeLog(t *testing.T) {
	if testing.Short() {
		t.Skip("reads some 100 MB")
	}
	s := newSite(t)
	j := s.add(jobs.Job{})
	s.start(j, numberedLines(1000))
	const size = 10 << 30
	f, err := os.OpenFile(filepath.Join(s.opts.StateDir, "logs", j.ID+".log"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	end := "\nNeedle\n" + numberedLines(1000)
	if _, err := f.WriteAt([]byte(end), size-int64(len(end))); err != nil {
		t.Skipf("no file of 10 GiB here: %v", err)
	}
	path := "/jobs/" + j.ID + "/log"
	got := s.get(path)
	checkLogPage(t, got)
	got.contains(t, "10.0 GiB", ">@107374", "Lines have no numbers here yet", "this is line 1000 of them")
	got = s.get(path + "?from=0")
	checkLogPage(t, got)
	got.contains(t, ">400</a>this is line 400 of them<")
	s.get(path+"?line=500").contains(t, `id="L500" class="here"`)
	got = s.get(path + "?line=1500")
	checkLogPage(t, got)
	got.contains(t, "Line 1,500 is not found yet: the first 1,000 lines are counted", "data-again", `http-equiv="refresh" content="1"`)
	checkLogPage(t, s.get(path+"?line=50%25"))
	checkLogPage(t, s.get(path+"?near=5000000000"))
	got = s.get(path + "?grep=needle")
	checkLogPage(t, got)
	got.contains(t, ">Needle<", "Search the ")
	if got := s.get(path + "?raw=1&from=" + strconv.Itoa(size-10)); got.body != end[len(end)-10:] {
		t.Errorf("raw end: %q", got.body)
	}
}

func TestLinesAreCounted(t *testing.T) {
	s := newSite(t)
	text := numberedLines(100_000) // over many blocks
	j, path := s.logged(text)
	for _, n := range []int{1, 2, 9_999, 10_000, 50_000, 99_999, 100_000} {
		want := fmt.Sprintf(`<div id="L%d" class="here"><a href="?line=%d#L%d">%d</a>this is line %d of them</div>`, n, n, n, n, n)
		s.counted(path+"?line="+strconv.Itoa(n)).contains(t, want)
	}
	s.write("logs/"+j.ID+".log", text+"without end")
	s.get(path+"?line=100001").contains(t, `<div id="L100001" class="here"><a href="?line=100001#L100001">100001</a>without end</div>`)
	s.get(path+"?line=100002").contains(t, "There is no line 100,002")
}
