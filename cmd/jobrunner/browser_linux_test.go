package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// tab is a page in a browser of its own.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// openTab starts a browser. Where there is none the test is skipped, unless
// JOBRUNNER_BROWSER=required.
func openTab(t *testing.T) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"google-chrome", "chromium-browser", "chromium"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
		}
	}
	switch {
	case path == "" && os.Getenv("JOBRUNNER_BROWSER") == "required":
		t.Fatal("no chromium, chromium-browser or google-chrome in PATH, and JOBRUNNER_BROWSER=required")
	case path == "":
		t.Skip("no chromium, chromium-browser or google-chrome in PATH")
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(scratch(t)))...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // the browser lives as long as this context
		t.Fatalf("starting %s: %v", path, err)
	}
	t.Cleanup(func() { // by itself, so that nobody writes into its folder any more
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("closing the browser: %v", err)
		}
	})
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// sees waits until a JavaScript expression is true.
func (b *tab) sees(w *world, expression string) {
	b.t.Helper()
	w.until("the page shows "+expression, func() error {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](expression))
		if err == nil && !ok {
			text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.body.innerText`))
			err = fmt.Errorf("not so; it says\n%s", text)
		}
		return err
	})
}

// picture gives what is seen, as a PNG.
func (b *tab) picture() []byte {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}

// The page of a real daemon shows how far a real job has come, as it goes on, says
// when contact is lost because the daemon was killed, goes on by itself when the
// next one serves, and then says in words why the job failed; all without being
// loaded again.
func TestBrowserOverDaemons(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"scripts/steps.sh": `n=0
while read -r word; do
  n=$((n + 1))
  echo "epoch $n/4"
done < gate
echo 'RuntimeError: out of patience' >&2
exit 7
`})
	s := &scene{world: w}
	w.write("jobrunner.yaml", fmt.Sprintf("listen: %s\ntypes:\n  steps: {command: [sh, scripts/steps.sh]}\n", s.freeAddress()))
	if err := syscall.Mkfifo(w.path("gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	gate, err := os.OpenFile(w.path("gate"), os.O_RDWR, 0) // so that neither side waits for the other
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gate.Close() })
	b := openTab(t)
	w.start()
	id := strings.TrimSpace(w.run("add", "steps"))
	step := func() { fmt.Fprintln(gate, "go on") }
	shows := func(text string) { b.sees(w, fmt.Sprintf("document.body.innerText.includes(%q)", text)) }

	b.do(chromedp.Navigate(s.page), chromedp.WaitVisible("h1"))
	b.do(chromedp.Evaluate[chromedp.Void]("void (window.same = true)"))
	step()
	shows("epoch 1/4")
	step()
	shows("epoch 2/4")
	b.sees(w, `[...document.querySelectorAll("progress")].some(p => p.value >= 25)`)

	w.end(syscall.SIGKILL)
	b.sees(w, `!document.getElementById("contact").hidden`)
	step()
	w.start()
	shows("epoch 3/4")
	b.sees(w, `document.getElementById("contact").hidden`)

	gate.Close()
	shows("exit 7")
	shows("RuntimeError: out of patience")
	b.sees(w, "window.same === true")
	b.do(chromedp.Navigate(s.page+"jobs/"+id), chromedp.WaitVisible("h1"))
	shows("RuntimeError: out of patience")
}
