package ui_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"jobrunner/jobs"
	"jobrunner/ui"
)

func TestBrowserLog(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	h := ui.Handler(s.opts)
	var parts atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("part") {
			parts.Add(1)
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	t.Run("follow", func(t *testing.T) { testLogFollow(t, ctx, s, srv.URL, &parts) })
	t.Run("permalinks", func(t *testing.T) { testLogLines(t, ctx, s, srv.URL) })
	t.Run("search", func(t *testing.T) { testLogSearch(t, ctx, s, srv.URL) })
	t.Run("copy", func(t *testing.T) { testCopy(t, ctx, s, srv.URL) })
	t.Run("without scripts", func(t *testing.T) { testLogWithoutScripts(t, ctx, s, srv.URL) })
	t.Run("look", func(t *testing.T) { testLogLook(t, ctx, s, srv.URL) })
}

const logAtEnd = `log.scrollTop + log.clientHeight > log.scrollHeight - 8`

// grow appends to a job's output.
func (s *site) grow(j *jobs.Job, text string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.opts.StateDir, "logs", j.ID+".log"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// pass lets time pass in the page, for what must not happen in it: longer than the
// script waits between two requests.
func (b *tab) pass(milliseconds int) {
	b.t.Helper()
	wait := fmt.Sprintf(`new Promise((done) => setTimeout(done, %d, true))`, milliseconds)
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](wait, chromedp.EvalAwaitPromise)); err != nil {
		b.t.Fatal(err)
	}
}

func testLogFollow(t *testing.T, ctx context.Context, s *site, url string, parts *atomic.Int64) {
	j := s.add(jobs.Job{Args: []string{"chatty"}})
	s.start(j, "")
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/jobs/"+j.ID+"/log"), chromedp.WaitVisible("#follow"))
	b.until(b.text("nothing", "It has written nothing yet."))
	s.grow(j, "the first line\n")
	b.until(b.text("log", "the first line") + ` && nothing.hidden`)
	s.grow(j, "\r 10%")
	b.until(b.text("log", " 10%"))
	s.grow(j, "\r 20%")
	b.until(b.text("log", " 20%") + ` && !` + b.text("log", " 10%"))
	for n := range 30 { // more than is kept
		s.grow(j, strings.Repeat(fmt.Sprintf("block %d of what is written\n", n), 400))
		b.until(b.text("log", fmt.Sprintf("block %d of", n)) + " && " + logAtEnd)
	}
	if n := eval[int](b, `log.children.length`); n > 10 {
		t.Errorf("%d blocks are kept, want 10 at most", n)
	}
	b.until(`follow.ariaPressed === "true" && follow.innerText === "Following"`)

	// Who scrolls away is left in peace.
	eval[chromedp.Void](b, `void (log.scrollTop = 200)`)
	b.until(`follow.ariaPressed === "false" && follow.innerText === "Follow"`)
	was, asked := eval[string](b, `log.innerText`), parts.Load()
	s.grow(j, "unseen\n")
	b.pass(1500)
	if got := eval[float64](b, `log.scrollTop`); got != 200 || eval[string](b, `log.innerText`) != was {
		t.Errorf("the log moved to %v", got)
	}
	if n := parts.Load() - asked; n > 1 {
		t.Errorf("asked %d times while nobody follows", n)
	}
	b.do(chromedp.Click(chromedp.CSS("#follow")))
	b.until(b.text("log", "unseen") + " && " + logAtEnd)

	// Marked text stays until it is copied.
	eval[chromedp.Void](b, `void getSelection().selectAllChildren(log.lastElementChild.lastElementChild)`)
	s.grow(j, "later\n")
	b.pass(1500)
	if eval[bool](b, b.text("log", "later")) {
		t.Error("marked text was replaced")
	}
	eval[chromedp.Void](b, `void getSelection().removeAllRanges()`)
	b.until(b.text("log", "later"))

	// What a hidden tab would ask for, it asks for when it is seen.
	eval[chromedp.Void](b, `void (Object.defineProperty(document, "hidden", { get: () => !!window.away, configurable: true }), window.away = true)`)
	b.pass(1200)
	asked = parts.Load()
	s.grow(j, "while away\n")
	b.pass(1500)
	if n := parts.Load() - asked; n > 0 {
		t.Errorf("a hidden tab asked %d times", n)
	}
	eval[chromedp.Void](b, `void (window.away = false, document.dispatchEvent(new Event("visibilitychange")))`)
	b.until(b.text("log", "while away"))

	// Far more than can be read is left out.
	s.grow(j, strings.Repeat("much of the same\n", 300_000)+"the very end\n")
	b.until(b.text("log", "the very end") + " && " + logAtEnd + ` && !` + b.text("log", "while away"))
	s.end(j, exited(jobs.Completed, 0))
	b.until(`document.querySelector("h1").innerText.includes("COMPLETED") && !document.getElementById("follow")`)
}

func testLogLines(t *testing.T, ctx context.Context, s *site, url string) {
	_, path := s.logged(numberedLines(9000)) // few enough to be counted at once
	b := newTab(t, ctx)
	b.cleanConsole()
	inView := func(line string) string {
		return `(() => { const r = document.getElementById("` + line + `")?.getBoundingClientRect(), l = log.getBoundingClientRect(); return r && r.top >= l.top && r.bottom <= l.bottom; })()`
	}
	b.do(chromedp.Navigate(url+path), chromedp.WaitVisible("#L9000"))
	b.until(logAtEnd)
	eval[chromedp.Void](b, `void (location.hash = "#L8990")`) // it is on the page
	b.until(inView("L8990") + ` && location.hash === "#L8990"`)
	b.do(chromedp.Navigate("about:blank"))
	eval[chromedp.Void](b, `void (location.href = "`+url+path+`#L777")`) // it is not
	b.until(inView("L777") + ` && location.search === "?line=777"`)
	b.do(chromedp.Click(chromedp.CSS(`#L780 > a`)))
	b.until(inView("L780") + ` && location.search + location.hash === "?line=780#L780" && L780.matches(":target, .here")`)
	b.do(chromedp.Navigate(url + path + "?line=50%25"))
	b.until(`document.querySelectorAll("#log .block > div").length > 100`)
	if got := eval[string](b, `getSelection().selectAllChildren(log), getSelection().toString()`); !strings.HasPrefix(got, "this is line") {
		t.Errorf("copied lines begin with %.40q, want no numbers", got)
	}
}

func testLogSearch(t *testing.T, ctx context.Context, s *site, url string) {
	var text strings.Builder
	text.WriteString("a needle at the beginning\n")
	text.WriteString(strings.Repeat(strings.Repeat("hay ", 30)+"\n", 300_000)) // more than one look goes through
	text.WriteString("the last needle\n")
	_, path := s.logged(text.String())
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+path), chromedp.WaitVisible("#log"))
	b.do(chromedp.SendKeys(chromedp.CSS(`[name=grep]`), "NEEDLE\r"))
	b.until(`location.search === "?grep=NEEDLE"`)
	b.until(b.text("log", "the last needle") + " && " + b.text("log", "a needle at the beginning") + ` && !document.querySelector(".further")`)
	b.picture("log-search")
	b.do(chromedp.Click(chromedp.CSS(`#log .block > div > a`)))
	b.until(`location.search === "?line=1" || location.search === "?near=0"`)
	b.do(chromedp.Navigate(url + path + "?grep=nowhere"))
	b.until(b.text("nothing", "No such line"))
}

func testCopy(t *testing.T, ctx context.Context, s *site, url string) {
	j := s.add(jobs.Job{Target: "train.py", Args: []string{"--name", "a b"}})
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/jobs/"+j.ID), chromedp.WaitVisible(".copy"))
	// The first way may be denied, as it always is by plain http from elsewhere:
	// then the older one gives the event by which it is seen what is copied.
	eval[chromedp.Void](b, `void (document.addEventListener("copy", () => (window.copied = getSelection().toString())),
		Object.defineProperty(navigator, "clipboard", { value: undefined }))`)
	b.do(chromedp.Click(chromedp.CSS(".copy")))
	b.until(`window.copied === "train.py --name 'a b'" && document.querySelector(".copy").innerText === "Copied" && document.querySelector(".copy").ariaLive === "polite"`)
	b.until(`document.querySelector(".copy").innerText === "Copy"`)
}

func testLogWithoutScripts(t *testing.T, ctx context.Context, s *site, url string) {
	_, path := s.logged(numberedLines(3000))
	b := newTab(t, ctx)
	b.cleanConsole()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(url + path))
	b.until(b.text("log", "this is line 3000 of them"))
	if eval[bool](b, `log.scrollHeight > log.clientHeight + 2 || document.getElementById("follow") !== null`) {
		t.Error("the end of the log is hidden from who has no scripts")
	}
	for i := 0; eval[bool](b, `![...document.querySelectorAll("#ways a")].every((a) => a.innerText !== "Older")`); i++ {
		b.do(chromedp.Navigate(eval[string](b, `[...document.querySelectorAll("#ways a")].find((a) => a.innerText === "Older").href`)))
		if i > 20 {
			t.Fatal("older parts without end")
		}
	}
	b.until(b.text("log", "this is line 1 of them"))
	b.do(chromedp.Click(chromedp.CSS(`#L7 > a`)))
	b.until(`location.hash === "#L7" && L7.className === "here"`)
}

// testLogLook looks at the pages of real outputs, and leaves pictures.
func testLogLook(t *testing.T, ctx context.Context, s *site, url string) {
	pages := map[string]string{}
	var all strings.Builder
	files, err := filepath.Glob("testdata/output/*.raw")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	for n := range 16 { // each colour before and behind
		fmt.Fprintf(&all, "\x1b[38;5;%dmcolour %d\x1b[0m \x1b[48;5;%dm behind \x1b[0m \x1b[2;38;5;%dmfaint\x1b[0m \x1b[7;38;5;%dm reversed \x1b[0m \x1b[1;3;4;9mstyles\x1b[0m\n", n, n, n, n, n)
	}
	all.WriteString("Traceback (most recent call last):\n  File \"train.py\", line 12\nRuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n")
	j, path := s.logged(all.String())
	pages["log"], pages["log-line"], pages["log-errors"], pages["job-log"] = path, path+"?line=9#L9", path+"?errors=1", "/jobs/"+j.ID
	_, long := s.logged(strings.Repeat("0123456789", 10_000) + "\nend\n")
	pages["log-long"] = long
	b := newTab(t, ctx)
	b.cleanConsole()
	b.look(url, pages)
}
