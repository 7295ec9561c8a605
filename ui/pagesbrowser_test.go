package ui_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"jobrunner/jobs"
	"jobrunner/ui"
)

func TestBrowserPages(t *testing.T) {
	ctx := browser(t)
	s := newSite(t)
	s.opts.Catalog = typesCatalog
	srv := httptest.NewServer(ui.Handler(s.opts))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	t.Run("search and pages", func(t *testing.T) { testSearch(t, ctx, s, srv.URL) })
	t.Run("timeline", func(t *testing.T) { testTimelineInABrowser(t, ctx, s, srv.URL) })
	t.Run("look", func(t *testing.T) {
		b := newTab(t, ctx)
		b.cleanConsole()
		b.look(srv.URL, map[string]string{
			"timeline": "/timeline", "timeline-week": "/timeline?window=7d", "types": "/types", "type": "/types/train", "system": "/system", "found": "/jobs?q=state:failed",
		})
	})
}

func testSearch(t *testing.T, ctx context.Context, s *site, url string) {
	for i := range 130 {
		s.add(jobs.Job{Args: []string{fmt.Sprint("n", i)}, State: []jobs.State{jobs.Completed, jobs.Failed}[i%2]})
	}
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/jobs"), chromedp.WaitVisible("#q"),
		chromedp.SendKeys(chromedp.CSS("#q"), "state:completed type:quick\r"), chromedp.WaitVisible(`#chips [aria-current] .s-completed`))
	rows := `document.querySelectorAll("#list [data-row]").length`
	b.until(rows + ` === 50 && document.getElementById("q").value === "state:completed type:quick"`)
	b.do(chromedp.Click(chromedp.CSS(`#list a[rel=next]`)))
	b.until(rows + ` === 15 && new URLSearchParams(location.search).get("q") === "state:completed type:quick"`)
	b.do(chromedp.Click(chromedp.CSS(`#list a[rel=prev]`)))
	b.until(rows + ` === 50 && document.querySelector("#list a[rel=prev]") === null`)
	b.do(chromedp.Click(chromedp.CSS(`#chips .s-failed`)))
	b.until(rows + ` === 50 && document.getElementById("q").value === "state:failed type:quick"`)

	// What comes while the page is open is there without loading it again.
	eval[chromedp.Void](b, `void (window.same = true)`)
	j := s.add(jobs.Job{Args: []string{"fresh"}, State: jobs.Failed})
	b.until(`document.getElementById("list-` + j.ID + `") !== null && window.same === true`)

	b = newTab(t, ctx) // the browser itself writes of a 400 to the console
	b.do(chromedp.Navigate(url+"/jobs?q=stat:failed"), chromedp.WaitVisible("#problem mark"))
	if got := eval[string](b, `document.querySelector("#problem mark").innerText`); got != "stat:failed" {
		t.Errorf("marked is %q, want what is wrong", got)
	}
}

func testTimelineInABrowser(t *testing.T, ctx context.Context, s *site, url string) {
	long := s.ranFor(jobs.Job{Type: "train", Target: "train.py"}, 5*time.Hour, 2*time.Hour, exited(jobs.Failed, 7), map[string][]string{"gpu": {"0"}})
	s.ranFor(jobs.Job{Type: "train", Target: "train.py"}, 2*time.Hour, 0, jobs.Ending{}, map[string][]string{"gpu": {"0"}})
	s.ranFor(jobs.Job{}, 4*time.Hour, time.Hour, jobs.Ending{State: jobs.Lost, Reason: "machine restarted"}, nil)
	s.ranFor(jobs.Job{}, 4*time.Hour, 90*time.Minute, jobs.Ending{State: jobs.Timeout, Reason: "timeout 1h30m0s"}, nil)
	s.add(jobs.Job{Args: []string{"soon"}})
	b := newTab(t, ctx)
	b.cleanConsole()
	b.do(chromedp.Navigate(url+"/timeline"), chromedp.WaitVisible(".lane a rect"))
	bar := `document.querySelector('.lane a[href="/jobs/` + long.ID[:8] + `"] > rect:last-of-type').getBoundingClientRect()`
	lanes := `document.querySelector(".lanes").getBoundingClientRect()`
	// Two hours of a day take a twelfth of the width, and its place has the whole of its lane.
	if got := eval[float64](b, bar+".width / ("+lanes+".width - 4 * 15)"); got < 0.07 || got > 0.1 {
		t.Errorf("a bar of two hours takes %.3f of the width of a day", got)
	}
	if got := eval[float64](b, bar+".height"); got < 15 || got > 40 {
		t.Errorf("a bar is %v pixels high", got)
	}
	b.do(chromedp.Click(chromedp.CSS(`.lane a[href="/jobs/` + long.ID[:8] + `"] > rect`)))
	b.until(`location.pathname === "/jobs/` + long.ID + `"`)
	b.do(chromedp.Navigate(url+"/timeline"), chromedp.Click(chromedp.CSS("#lanes summary")), chromedp.WaitVisible("#lanes td .what"))
	b.until(b.text("lanes", "took 2 h 00"))
}
