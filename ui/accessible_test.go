package ui_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"jobrunner/ui"
)

// axeFile is the checker, as make deps fetches it; axeSum is the SHA-256 of
// version 4.14.1.
const (
	axeFile = "testdata/axe.min.js"
	axeSum  = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// axe gives the checker. Where it was not fetched the test is skipped, unless
// JOBRUNNER_BROWSER=required.
func axe(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(axeFile)
	if os.IsNotExist(err) {
		if os.Getenv("JOBRUNNER_BROWSER") == "required" {
			t.Fatalf("no ui/%s, and JOBRUNNER_BROWSER=required: make deps fetches it", axeFile)
		}
		t.Skipf("no ui/%s: make deps fetches it", axeFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != axeSum {
		t.Fatalf("ui/%s is not what is expected: remove it, and make deps fetches it again", axeFile)
	}
	return string(text)
}

// findings has the checker look at the page as it is, and gives a line for each
// rule of WCAG 2.2 AA, or of good practice, that it breaks.
const findings = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
	.then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200)).join(" | ")))`

// Every page is free of what keeps people out, in both colour schemes, on a wide
// screen and on a phone, and asks nothing of any other place.
func TestAccessible(t *testing.T) {
	checker := axe(t)
	ctx := browser(t)
	s := newSite(t)
	failed := manyJobs(s)
	waiting, tried := demandingJobs(s)
	srv := httptest.NewServer(ui.Handler(s.opts))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	b := newTab(t, ctx)
	elsewhere := b.elsewhere(srv.URL)
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, path := range []string{
			"/", "/jobs", "/jobs?q=state:failed&type=train", "/jobs?q=nothing-has-this-word", "/jobs?q=state:nonsense", "/jobs/ffffffff",
			"/jobs/" + failed.ID, "/jobs/" + waiting.ID, "/jobs/" + tried.ID, "/jobs/" + failed.ID + "/log", "/jobs/" + failed.ID + "/log?grep=cuda",
			"/timeline", "/types", "/types/train", "/system",
		} {
			for _, size := range []chromedp.Action[chromedp.Void]{
				chromedp.EmulateViewport(1280, 900), chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile),
			} {
				b.do(size, chromedp.Navigate(srv.URL+path), chromedp.WaitVisible("h1"))
				for _, found := range b.check(checker) {
					t.Errorf("%s, %s, %v pixels wide: %s", path, scheme, eval[float64](b, "innerWidth"), found)
				}
				if w, wide := eval[float64](b, `document.documentElement.scrollWidth`), eval[float64](b, "innerWidth"); w > wide {
					t.Errorf("%s is %v pixels wide in a window of %v", path, w, wide)
				}
			}
		}
	}
	for _, address := range elsewhere() {
		t.Errorf("a page asks %s", address)
	}
}

// check loads the checker into the page and lists what it finds.
func (b *tab) check(checker string) []string {
	b.t.Helper()
	eval[chromedp.Void](b, checker+"; void 0")
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](findings, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// elsewhere begins to note what the tab asks of other places than home; the func
// gives their addresses.
func (b *tab) elsewhere(home string) func() []string {
	b.t.Helper()
	var mu sync.Mutex // guards asked
	var asked []string
	err := chromedp.Listen(b.ctx, func(event any) {
		e, ok := event.(*network.EventRequestWillBeSent)
		if !ok || strings.HasPrefix(e.Request.URL, home+"/") {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, e.Request.URL)
	})
	if err == nil {
		_, err = chromedp.Call(b.ctx, network.Enable, network.EnableParams{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(asked)
	}
}
