package ui_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// browser starts a Chromium with a profile of its own. Where there is none the
// test is skipped, unless JOBRUNNER_BROWSER=required.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes a while")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("JOBRUNNER_BROWSER") == "required" {
			t.Fatal("no chromium, chromium-browser or google-chrome in PATH, and JOBRUNNER_BROWSER=required")
		}
		t.Skip("no chromium, chromium-browser or google-chrome in PATH")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 900))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	t.Cleanup(func() { // by itself, so that nobody writes into the profile any more
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("closing the browser: %v", err)
		}
	})
	return ctx
}

// tab is one tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	// The tab lives as long as the context of its first action.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return &tab{t, ctx}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// until waits until a JavaScript expression is true, also over reloads.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatalf("never true: %s (last %v, %v)", expression, ok, err)
		}
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// cleanConsole fails the test at its end if the page wrote to the console,
// violations of its policy included.
func (b *tab) cleanConsole() {
	messages := chromedp.Console(b.ctx)
	done := make(chan []string)
	go func() {
		var got []string
		for m, err := range messages {
			if err != nil {
				break
			}
			got = append(got, m.String())
		}
		done <- got
	}()
	b.t.Cleanup(func() {
		if err := chromedp.Cancel(b.ctx); err != nil {
			b.t.Logf("closing tab: %v", err)
		}
		for _, m := range <-done {
			b.t.Errorf("console: %s", m)
		}
	})
}

func (b *tab) text(id, want string) string {
	return fmt.Sprintf("document.getElementById(%q).innerText.includes(%q)", id, want)
}

func TestBrowser(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	var down atomic.Bool
	plain := s.opts.Status
	var troubled atomic.Bool
	s.opts.Status = func() ui.Status {
		st := plain()
		if troubled.Load() {
			st.ConfigError = `jobrunner.yaml:3:1: unknown key "max_concurent"; did you mean "max_concurrent"?`
			st.Notes = append(st.Notes, ui.Note{Level: ui.Warn, Text: "job_queue.txt is held open for writing by vim (pid 4711): it is brought up to date afterwards"})
			st.Ignored = []ui.Ignored{{Name: "notes.md", Why: "no request file by its name"}, {Name: "pipe.yaml", Why: "is a FIFO"}}
		}
		return st
	}
	h := ui.Handler(s.opts)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})

	t.Run("empty", func(t *testing.T) {
		b := newTab(t, ctx)
		b.cleanConsole()
		b.do(chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible("#ended .cmd"))
		b.picture("empty")
	})
	t.Run("live", func(t *testing.T) { testLive(t, ctx, s, srv.URL) })
	t.Run("keeps what the reader does", func(t *testing.T) { testReader(t, ctx, s, srv.URL) })
	t.Run("follows a log", func(t *testing.T) { testFollow(t, ctx, s, srv.URL) })
	t.Run("without scripts", func(t *testing.T) { testWithoutScripts(t, ctx, s, srv.URL) })
	t.Run("no contact", func(t *testing.T) {
		b := newTab(t, ctx)
		b.do(chromedp.Navigate(srv.URL+"/"), chromedp.WaitVisible("#counts"))
		down.Store(true)
		srv.CloseClientConnections()
		b.until(`!document.getElementById("contact").hidden && /^No contact since \d\d:\d\d/.test(contact.innerText)`)
		b.picture("no-contact")
		down.Store(false)
		b.until(`document.getElementById("contact").hidden`)
	})
	troubled.Store(true)
	t.Run("look", func(t *testing.T) { testLook(t, ctx, s, srv.URL) })
}

func testLive(t *testing.T, ctx context.Context, s *site, url string) {
	j := s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", "0.1"}})
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/"), chromedp.WaitVisible("#pending .what"))
	b.until(b.text("pending", "train.py --lr 0.1"))
	eval[chromedp.Void](b, `void (window.same = true)`)
	s.start(j, "")
	b.until(b.text("running", "train.py --lr 0.1") + ` && /^1▶.? lab/.test(document.title) && icon.href.endsWith("/running.svg")`)
	s.end(j, exited(jobs.Failed, 137))
	b.until(b.text("eyes", "exit 137 – 128+9 means SIGKILL") + " && " + b.text("running", "Nothing runs.") + ` && document.title.startsWith("1✗ lab") && icon.href.endsWith("/failed.svg")`)
	if !eval[bool](b, `window.same === true`) {
		t.Error("the page was loaded again instead of being brought up to date")
	}
	b.do(chromedp.Click(chromedp.CSS("#eyes .what")), chromedp.WaitVisible("#head .reason"))
	b.until(`location.pathname === "/jobs/` + j.ID + `"`)
}

// testReader reads a table while jobs come: no row moves under the pointer, the
// focus or marked text, and all is there as soon as nobody reads.
func testReader(t *testing.T, ctx context.Context, s *site, url string) {
	a := s.add(jobs.Job{Args: []string{"first"}})
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/"), chromedp.WaitVisible("#pending .what"))
	const offer = `document.querySelector("#pending .news")`

	eval[chromedp.Void](b, `void document.querySelector("#pending .what").focus()`)
	s.add(jobs.Job{Args: []string{"second"}, Priority: 5})
	b.until(offer + `?.innerText === "1 new – show"`)
	if got := eval[string](b, `document.querySelector("#pending tbody").innerText`); strings.Contains(got, "second") {
		t.Errorf("a row came where the focus was:\n%s", got)
	}
	if got := eval[string](b, `document.activeElement.getAttribute("href") || ""`); got != "/jobs/"+a.ID {
		t.Errorf("the focus is on %q after news came, want it where it was", got)
	}
	eval[chromedp.Void](b, `void document.activeElement.blur()`)
	b.until(b.text("pending", "quick second") + " && !" + offer)

	eval[chromedp.Void](b, `void getSelection().selectAllChildren(document.querySelector("#pending tbody tr"))`)
	marked := eval[string](b, `getSelection().toString()`)
	s.add(jobs.Job{Args: []string{"third"}})
	b.until("!!" + offer)
	if got := eval[string](b, `getSelection().toString()`); got != marked {
		t.Errorf("marked text became %q, was %q", got, marked)
	}
	eval[chromedp.Void](b, `void getSelection().removeAllRanges()`)
	b.until(b.text("pending", "quick third"))

	b.do(chromedp.EmulateViewport(1280, 400)) // higher than it the page can be scrolled
	b.hover("#pending tbody tr")
	top := eval[float64](b, `document.querySelector("#pending tbody tr").getBoundingClientRect().top`)
	s.add(jobs.Job{Args: []string{"fourth"}, Priority: 9})
	b.until("!!" + offer)
	s.add(jobs.Job{State: jobs.Lost, Reason: "machine restarted at 02:12 while it ran"})
	b.until(b.text("eyes", "machine restarted"))
	if got := eval[float64](b, `document.querySelector("#pending tbody tr").getBoundingClientRect().top`); math.Abs(got-top) >= 1 {
		t.Errorf("the row under the pointer moved from %v to %v", top, got)
	}
	b.do(chromedp.Click(chromedp.CSS("#pending .news")))
	b.until(b.text("pending", "quick fourth") + " && !" + offer)
}

// hover puts the pointer on an element.
func (b *tab) hover(selector string) {
	b.t.Helper()
	at := eval[[]float64](b, `(() => { const e = document.querySelector("`+selector+`"); e.scrollIntoView({ block: "center" }); const r = e.getBoundingClientRect(); return [r.left + 60, r.top + r.height / 2]; })()`)
	if _, err := chromedp.Call(b.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: at[0], Y: at[1]}); err != nil {
		b.t.Fatal(err)
	}
}

func testFollow(t *testing.T, ctx context.Context, s *site, url string) {
	j := s.add(jobs.Job{Args: []string{"chatty"}})
	lines := strings.Repeat("a line of output\n", 200)
	s.start(j, lines)
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/jobs/"+j.ID), chromedp.WaitVisible("#output"))
	const atEnd = `output.scrollTop + output.clientHeight > output.scrollHeight - 8`
	b.until(atEnd)
	s.write("logs/"+j.ID+".log", lines+lines+"news\n")
	b.until(b.text("output", "news") + " && " + atEnd)
	eval[chromedp.Void](b, `void (output.scrollTop = 100)`)
	s.write("logs/"+j.ID+".log", lines+lines+"news\nmore\n")
	b.until(b.text("output", "more"))
	if got := eval[float64](b, `output.scrollTop`); got != 100 {
		t.Errorf("the log was scrolled to %v, want it left at 100", got)
	}
	s.end(j, exited(jobs.Completed, 0))
	b.until(b.text("head", "COMPLETED"))
}

func testWithoutScripts(t *testing.T, ctx context.Context, s *site, url string) {
	s.add(jobs.Job{Args: []string{"plain"}})
	b := newTab(t, ctx)
	b.cleanConsole()
	b.withoutScripts()
	b.do(chromedp.Navigate(url + "/"))
	b.until(b.text("pending", "quick plain"))
	s.add(jobs.Job{Args: []string{"unscripted"}})
	b.until(b.text("pending", "quick unscripted"))
	b.do(chromedp.Navigate(url + "/jobs?q=unscripted"))
	b.until(b.text("list", "quick unscripted"))
}

func (b *tab) withoutScripts() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatal(err)
	}
}

// testLook looks at every page by light, by dark and on a phone, and leaves
// pictures.
func testLook(t *testing.T, ctx context.Context, s *site, url string) {
	failed := manyJobs(s)
	waiting, tried := demandingJobs(s)
	b := newTab(t, ctx)
	b.cleanConsole()
	b.look(url, map[string]string{
		"overview": "/", "list": "/jobs", "search": "/jobs?q=state:failed&type=train", "failed": "/jobs/" + failed.ID,
		"waiting": "/jobs/" + waiting.ID, "tried": "/jobs/" + tried.ID,
	})
	b = newTab(t, ctx) // the browser itself writes of a 404 to the console
	b.look(url, map[string]string{"missing": "/jobs/ffffffff", "wrong": "/jobs?state=nonsense"})
}

// manyJobs adds one of everything; it gives one that failed.
func manyJobs(s *site) *jobs.Job {
	s.add(jobs.Job{
		State: jobs.Rejected, Target: "cuntdown", Args: []string{"line:14"},
		Reason: `job_queue.txt:14: unknown type "cuntdown"; did you mean "countdown"?`,
	})
	s.add(jobs.Job{State: jobs.Lost, Type: "train", Target: "sweep.py", Args: []string{"--fold", "3"}, Reason: "machine restarted at 02:12 while it ran",
		SubmittedAt: time.Now().Add(-31 * time.Hour)})
	s.add(jobs.Job{State: jobs.Cancelled, Reason: "cancelled by request", Args: []string{"12"}})
	s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", "0.001", "--name", "a name with spaces"}, Name: "nightly"})
	s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"--data", "/srv/data/" + strings.Repeat("averylongfoldername", 12)}})
	late := s.add(jobs.Job{Type: "train", Target: "evaluate.py"})
	s.start(late, "")
	s.end(late, jobs.Ending{State: jobs.Timeout, Reason: "timeout 2h0m0s", Signal: "SIGTERM"})
	failed := s.add(jobs.Job{
		Type: "train", Target: "train.py", Args: []string{"--lr", "0.1"}, Name: "nightly", Source: "inbox:train.yaml", Priority: 10,
		Labels: map[string]string{"owner": "ada", "project": "vision"}, Env: map[string]string{"EPOCHS": "10", "TOKEN": "x"}, Timeout: 2 * time.Hour,
	})
	s.start(failed, strings.Repeat("Epoch 6/10  58% |=====>    | 580/1000 [1:45:02<1:16:10]\n", 40)+
		"Traceback (most recent call last):\n  File \"train.py\", line 12\nRuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB\n")
	s.end(failed, exited(jobs.Failed, 137))
	s.start(s.add(jobs.Job{Type: "train", Target: "train.py", Args: []string{"--lr", "0.01"}, Name: "second"}), "")
	return failed
}

// look visits pages in both colour schemes and sizes.
func (b *tab) look(url string, pages map[string]string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for name, path := range pages {
			b.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url+path), chromedp.WaitVisible("h1"))
			b.picture(name + "-" + scheme)
			if bad := eval[[]string](b, poorContrast); len(bad) > 0 {
				b.t.Errorf("%s, %s: contrast below 4.5: %v", path, scheme, bad)
			}
			b.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), chromedp.Navigate(url+path), chromedp.WaitVisible("h1"))
			b.picture(name + "-phone-" + scheme)
			if w := eval[float64](b, `document.documentElement.scrollWidth`); w > 360 {
				b.t.Errorf("%s is %v pixels wide on a phone, want 360", path, w)
			}
		}
	}
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.t.Fatal(err)
	}
}

// picture leaves a picture of the whole page in $JOBRUNNER_SCREENSHOTS.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("JOBRUNNER_SCREENSHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// poorContrast lists texts whose colour and background are closer than WCAG 2
// level AA allows.
const poorContrast = `(() => {
  const rgb = c => c.match(/[\d.]+/g).map(Number);
  const lum = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126*r + 0.7152*g + 0.0722*b; };
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor, p = rgb(c); if (p.length < 4 || p[3] > 0) return c; } return "rgb(255,255,255)"; };
  const bad = [];
  for (const e of document.body.querySelectorAll("*")) {
    if (!e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const a = lum(getComputedStyle(e).color), b = lum(back(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 30) + " " + ratio.toFixed(2));
  }
  return bad;
})()`
