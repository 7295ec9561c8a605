package ui_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"jobrunner/jobs"
	"jobrunner/ui"
)

// liveSite is a page in a server whose streams can be made to fail.
type liveSite struct {
	*site
	url      string
	server   *httptest.Server
	readings atomic.Pointer[map[string]*jobs.Reading]
	refuse   atomic.Bool  // streams are answered with 503
	mute     atomic.Bool  // streams are opened and say nothing
	streams  atomic.Int64 // that stand
}

func newLiveSite(t *testing.T) *liveSite {
	t.Helper()
	s := &liveSite{site: newSite(t)}
	s.readings.Store(&map[string]*jobs.Reading{})
	s.opts.Readings = func() map[string]*jobs.Reading { return *s.readings.Load() }
	h := ui.Handler(s.opts)
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/live" {
			h.ServeHTTP(w, r)
			return
		}
		s.streams.Add(1)
		defer s.streams.Add(-1)
		switch {
		case s.refuse.Load():
			http.Error(w, "too many", http.StatusServiceUnavailable)
		case s.mute.Load():
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			h.ServeHTTP(w, r)
		}
	}))
	s.url = s.server.URL
	t.Cleanup(func() {
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// measure gives a job that much progress.
func (s *liveSite) measure(j *jobs.Job, percent float64) {
	s.readings.Store(&map[string]*jobs.Reading{j.ID: {Attempt: 1, OutputAt: time.Now(), Progress: &jobs.Progress{Percent: &percent, Source: "tqdm"}}})
}

// before has a script run before those of each page that the tab loads.
func (b *tab) before(source string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: source}); err != nil {
		b.t.Fatal(err)
	}
}

// hurry makes long times short: 25 s are half a second.
const hurry = `(() => { const real = setTimeout; window.setTimeout = (f, ms) => real(f, ms >= 2000 ? ms / 50 : ms); })()`

// later lets a minute go by, as the page's clock has it.
const later = `void (Date.now = (real => () => real() + 60000)(Date.now))`

// seen tells the page that its tab is shown, or hidden.
func (b *tab) seen(shown bool) {
	b.t.Helper()
	hidden := map[bool]string{true: "false", false: "true"}[shown]
	eval[chromedp.Void](b, `void (Object.defineProperty(document, "hidden", { value: `+hidden+`, configurable: true }), document.dispatchEvent(new Event("visibilitychange", { bubbles: true })))`)
}

const mode = `document.getElementById("live").innerText`

func TestBrowserLive(t *testing.T) {
	ctx := browser(t)
	for name, test := range map[string]func(*testing.T, *liveSite, *tab){
		"progress in place": testProgress, "a connection breaks": testReconnect, "a hidden tab": testHidden,
		"a stream that is silent": testSilence, "no stream to be had": testRefused, "no EventSource": testNoEventSource,
		"keys": testKeys, "what is opened stays": testStays, "another build": testRebuilt, "a marked row": testMarkedRow,
	} {
		t.Run(name, func(t *testing.T) { test(t, newLiveSite(t), newTab(t, ctx)) })
	}
}

func testProgress(t *testing.T, s *liveSite, b *tab) {
	j := s.add(jobs.Job{})
	s.start(j, "")
	s.measure(j, 12)
	b.cleanConsole()
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#running progress"))
	b.until(mode + ` === "live"`)
	eval[chromedp.Void](b, `void (window.bar = document.querySelector("#running progress"))`)
	for _, percent := range []float64{34, 56} {
		s.measure(j, percent)
		want := map[float64]string{34: "34 %", 56: "56 %"}[percent]
		b.until(b.text("running", want))
	}
	if !eval[bool](b, `bar.isConnected && bar.value === 56`) {
		t.Error("the bar was replaced instead of being moved")
	}
}

func testReconnect(t *testing.T, s *liveSite, b *tab) {
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#counts"))
	b.until(mode + ` === "live"`)
	eval[chromedp.Void](b, `void (window.same = true)`)
	s.server.CloseClientConnections()
	b.until(`!contact.hidden && ` + mode + ` === "as of"`)
	j := s.add(jobs.Job{Args: []string{"meanwhile"}})
	b.until(b.text("pending", "quick meanwhile") + ` && contact.hidden && ` + mode + ` === "live" && window.same`)
	s.start(j, "")
	b.until(b.text("running", "quick meanwhile"))
}

func testHidden(t *testing.T, s *liveSite, b *tab) {
	b.cleanConsole()
	b.before(hurry)
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#counts"))
	b.until(mode + ` === "live"`)
	b.seen(false)
	for s.streams.Load() > 0 {
		b.until(`document.hidden`) // which takes a moment
	}
	j := s.add(jobs.Job{Args: []string{"unseen"}})
	s.start(j, "")
	b.until(`/^1▶/.test(document.title) && icon.href.endsWith("/running.svg")`) // once a minute
	if eval[bool](b, b.text("running", "quick unseen")) {
		t.Error("a page that nobody sees was brought up to date")
	}
	b.seen(true)
	b.until(b.text("running", "quick unseen") + ` && ` + mode + ` === "live"`)
	if n := s.streams.Load(); n != 1 {
		t.Errorf("%d streams stand, want 1", n)
	}
}

func testSilence(t *testing.T, s *liveSite, b *tab) {
	b.before(hurry)
	s.mute.Store(true)
	b.before(`window.fetch = () => Promise.reject(new Error("no"))`)
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#counts"))
	b.until(`/^No contact since \d\d:\d\d:\d\d: this is what was known then\.$/.test(contact.innerText)`)
	s.mute.Store(false)
	eval[chromedp.Void](b, later)
	b.until(`contact.hidden && ` + mode + ` === "live"`)
}

func testRefused(t *testing.T, s *liveSite, b *tab) {
	b.before(hurry)
	s.refuse.Store(true)
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#counts"))
	b.until(mode + ` === "polling"`)
	s.add(jobs.Job{Args: []string{"polled"}})
	b.until(b.text("pending", "quick polled") + " && contact.hidden")
	s.refuse.Store(false)
	eval[chromedp.Void](b, later)
	b.until(mode + ` === "live"`)
}

func testNoEventSource(t *testing.T, s *liveSite, b *tab) {
	b.cleanConsole()
	b.before(`delete window.EventSource`)
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#counts"))
	b.until(mode + ` === "polling"`)
	s.add(jobs.Job{Args: []string{"polled"}})
	b.until(b.text("pending", "quick polled"))
}

func testKeys(t *testing.T, s *liveSite, b *tab) {
	first, second := s.add(jobs.Job{Args: []string{"first"}, Priority: 2}), s.add(jobs.Job{Args: []string{"second"}, Priority: 1})
	b.cleanConsole()
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#pending .what"))
	on := func(j *jobs.Job) string {
		return `document.activeElement.getAttribute("href") === "/jobs/` + j.ID + `"`
	}
	press := func(keys string) { b.t.Helper(); b.do(chromedp.KeyEvent(keys)) }
	press("j")
	b.until(on(first))
	press("j")
	b.until(on(second))
	press("k")
	b.until(on(first))
	press("/")
	b.until(`document.activeElement.type === "search"`)
	press("jf?")
	b.until(`document.activeElement.value.endsWith("jf?") && location.pathname === "/" && !help.open`)
	eval[chromedp.Void](b, `void document.activeElement.blur()`)
	press("?")
	b.until(`help.open`)
	b.do(chromedp.Click(chromedp.CSS("#keys-on")), chromedp.Click(chromedp.CSS("#help button")))
	b.until(`!help.open`)
	press("f")
	b.do(chromedp.Reload(), chromedp.WaitVisible("#keys"))
	press("j") // off, also after a reload
	b.until(`location.pathname === "/" && document.activeElement === document.body`)
	b.do(chromedp.Click(chromedp.CSS("#keys")), chromedp.WaitVisible("#keys-on"), chromedp.Click(chromedp.CSS("#keys-on")), chromedp.Click(chromedp.CSS("#help button")))
	press("j")
	b.until(on(first))
	press("\r")
	const ready = ` && document.getElementById("keys")?.hidden === false`
	b.until(`location.pathname === "/jobs/` + first.ID + `"` + ready)
	press("f")
	b.until(`location.pathname + location.search === "/jobs?state=FAILED,TIMEOUT,LOST,REJECTED"` + ready)
	press("/")
	b.until(`document.activeElement.type === "search"`)
}

// testStays has what a reader opened and where he scrolled to outlive changes.
func testStays(t *testing.T, s *liveSite, b *tab) {
	s.busyDay(2)
	j := s.add(jobs.Job{})
	b.cleanConsole()
	b.do(chromedp.EmulateViewport(1280, 300), chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#day summary"))
	b.until(mode + ` === "live"`)
	eval[chromedp.Void](b, `void (document.querySelector("#day details").open = true, scrollTo(0, 250))`)
	s.start(j, "")
	s.end(j, exited(jobs.Completed, 0))
	b.until(b.text("ended", "COMPLETED"))
	b.until(`Number(document.querySelector("#day tbody tr td:nth-of-type(3)").innerText) > 0`)
	if !eval[bool](b, `document.querySelector("#day details").open && scrollY > 200`) {
		t.Error("what was opened is closed, or the page was scrolled")
	}
}

// testMarkedRow has a row change while text of it is marked: that is not lost, but
// shown afterwards.
func testMarkedRow(t *testing.T, s *liveSite, b *tab) {
	j := s.add(jobs.Job{SubmittedAt: time.Now().Add(-90 * time.Minute)}) // so old that its age does not change
	b.cleanConsole()
	b.do(chromedp.Navigate(s.url+"/jobs"), chromedp.WaitVisible("#list .what"))
	b.until(mode + ` === "live"`)
	eval[chromedp.Void](b, `void getSelection().selectAllChildren(document.querySelector("#list tbody tr"))`)
	marked := eval[string](b, `getSelection().toString()`)
	s.start(j, "")
	s.end(j, exited(jobs.Completed, 0))
	b.until(b.text("chips", "COMPLETED"))
	if got := eval[string](b, `getSelection().toString()`); got != marked {
		t.Errorf("marked text became %q, was %q", got, marked)
	}
	eval[chromedp.Void](b, `void getSelection().removeAllRanges()`)
	b.until(b.text("list", "COMPLETED"))
}

// testRebuilt has a page load itself again when the server has other scripts.
func testRebuilt(t *testing.T, s *liveSite, b *tab) {
	b.before(`document.addEventListener("readystatechange", () => {
		sessionStorage.loads = Number(sessionStorage.loads || 0) + (document.readyState === "interactive");
		if (sessionStorage.loads === "1") Object.assign(document.body.dataset, { static: "/static/another/", event: "" });
	})`)
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible("#counts"))
	b.until(mode + ` === "live" && sessionStorage.loads === "2"`)
}

// A page outlives the daemon that it came from: it says that there is no contact,
// and goes on with the next one by itself.
func TestBrowserOutlivesTheDaemon(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	ln, stop := serving(t, "127.0.0.1:0", ui.Handler(s.opts))
	b := newTab(t, ctx)
	b.do(chromedp.Navigate("http://"+ln.Addr().String()+"/"), chromedp.WaitVisible("#counts"))
	b.until(mode + ` === "live"`)
	eval[chromedp.Void](b, `void (window.same = true)`)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.until(`/^No contact since/.test(contact.innerText)`)
	s.add(jobs.Job{Args: []string{"meanwhile"}})
	serving(t, ln.Addr().String(), ui.Handler(s.opts))
	b.until(b.text("pending", "quick meanwhile") + ` && contact.hidden && ` + mode + ` === "live" && window.same`)
}

// A tab with scripts switched off still goes everywhere.
func TestBrowserLinksWithoutScripts(t *testing.T) {
	ctx := browser(t)
	s := newLiveSite(t)
	j := s.add(jobs.Job{Args: []string{"plain"}})
	s.start(j, "hello\n")
	b := newTab(t, ctx)
	b.cleanConsole()
	b.withoutScripts()
	b.do(chromedp.Navigate(s.url+"/"), chromedp.Click(chromedp.CSS("#running .what")))
	b.until(`location.pathname === "/jobs/` + j.ID + `"`)
	b.do(chromedp.Navigate(s.url + "/"))
	b.do(chromedp.SendKeys(chromedp.CSS(".find input"), "plain\r"))
	b.until(`location.pathname === "/jobs" && document.body.innerText.includes("quick plain")`)
	if eval[bool](b, `document.getElementById("keys")?.checkVisibility() ?? false`) {
		t.Error("the button for the keys is there though nothing comes of it")
	}
}
