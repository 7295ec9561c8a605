package config_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"jobrunner/config"
)

// seldom is an interval at which a test never looks: only events count.
const seldom = time.Hour

// watched is a Watch that runs until the test ends.
type watched struct {
	t     *testing.T
	path  string
	loads chan int // max_concurrent of each new configuration
	all   chan *config.Config
	errs  chan string
	wake  chan struct{}
	stop  context.CancelFunc
	ended chan error
}

func versionOf(n string) string {
	return "max_concurrent: " + n + "\ntypes: {a: {command: [echo]}}\n"
}

// watch loads the file at path and watches it; between is done between the two.
func watch(t *testing.T, path string, interval time.Duration, between func()) *watched {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &watched{
		t: t, path: path, stop: stop,
		loads: make(chan int, 100), all: make(chan *config.Config, 100), errs: make(chan string, 100),
		wake: make(chan struct{}), ended: make(chan error, 1),
	}
	c := load(t, path)
	between()
	go func() {
		w.ended <- config.Watch(ctx, c, interval,
			func(c *config.Config) {
				w.loads <- c.Catalog.MaxConcurrent
				w.all <- c
			},
			func(err error) { w.errs <- err.Error() }, w.wake)
	}()
	t.Cleanup(w.end)
	return w
}

func (w *watched) end() {
	w.stop()
	if err, ok := receive(w.t, w.ended, "the end of Watch"); ok && err != nil {
		w.t.Errorf("Watch ended with %v", err)
	}
	w.ended <- nil
}

func receive[T any](t *testing.T, from <-chan T, what string) (got T, ok bool) {
	t.Helper()
	select {
	case got = <-from:
		return got, true
	case <-time.After(10 * time.Second):
		t.Errorf("%s did not come", what)
		return got, false
	}
}

// wantLoad waits for the next configuration; none but this one may have come.
func (w *watched) wantLoad(n int) {
	w.t.Helper()
	if got, ok := receive(w.t, w.loads, "a new configuration"); ok && got != n {
		w.t.Errorf("loaded max_concurrent %d, want %d", got, n)
	}
}

func (w *watched) wantError(part string) {
	w.t.Helper()
	if got, ok := receive(w.t, w.errs, "an error"); ok && !strings.Contains(got, part) {
		w.t.Errorf("got error %q, want %q in it", got, part)
	}
}

// wantQuiet ends the watch and holds that nothing was reported but what was
// waited for.
func (w *watched) wantQuiet() {
	w.t.Helper()
	w.end()
	for len(w.errs) > 0 {
		w.t.Errorf("error %q, want none", <-w.errs)
	}
	for len(w.loads) > 0 {
		w.t.Errorf("loaded max_concurrent %d, want nothing", <-w.loads)
	}
}

func (w *watched) awake() {
	w.t.Helper()
	select {
	case w.wake <- struct{}{}:
	case <-time.After(10 * time.Second):
		w.t.Fatal("Watch took no wake")
	}
}

// replace saves as most editors do: under another name, then renamed.
func (w *watched) replace(content string) {
	w.t.Helper()
	put(w.t, w.path+".new", content)
	if err := os.Rename(w.path+".new", w.path); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watched) remove() {
	w.t.Helper()
	if err := os.Remove(w.path); err != nil {
		w.t.Fatal(err)
	}
}

func nothing() {}

func TestWatchReplaced(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), seldom, nothing)
	w.replace(versionOf("2"))
	w.wantLoad(2)
	w.replace(versionOf("3"))
	w.wantLoad(3)
	w.wantQuiet()
}

func TestWatchWrittenInPlace(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), seldom, nothing)
	put(t, w.path, "")
	put(t, w.path, versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
}

func TestWatchChangedSinceLoad(t *testing.T) {
	path := write(t, versionOf("1"))
	w := watch(t, path, seldom, func() { put(t, path, versionOf("2")) })
	w.wantLoad(2)
	w.wantQuiet()
}

func TestWatchBad(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), 10*time.Millisecond, nothing)
	w.replace(versionOf("zero"))
	w.wantError("jobrunner.yaml:1:17: max_concurrent: must be a whole number")
	w.replace(versionOf("zero")) // the same again is no news
	w.replace(versionOf("0"))
	w.wantError("must be at least 1")
	w.replace(versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
}

func TestWatchSameContent(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), 10*time.Millisecond, nothing)
	w.replace(versionOf("1"))
	w.replace(versionOf("2"))
	w.wantLoad(2)
	w.replace(versionOf("2"))
	w.awake() // a wake loads whatever is there
	w.wantLoad(2)
	w.wantQuiet()
}

func TestWatchWake(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), seldom, nothing)
	w.awake()
	w.wantLoad(1)
	w.replace(versionOf("0"))
	w.wantError("must be at least 1")
	w.awake() // asked again, said again
	w.wantError("must be at least 1")
	w.remove()
	w.awake()
	w.wantError("there is no such file")
	w.wantQuiet()
}

func TestWatchGoneForAMoment(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), seldom, nothing)
	w.remove()
	put(t, w.path, versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
}

func TestWatchGone(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), 10*time.Millisecond, nothing)
	w.remove()
	w.wantError(w.path + ": there is no such file")
	w.replace(versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
}

// A change behind a link raises no event in the link's folder: it is seen by
// reading.
func TestWatchWithoutEvents(t *testing.T) {
	target := write(t, versionOf("1"))
	link := filepath.Join(t.TempDir(), "jobrunner.yaml")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no links here:", err)
	}
	w := watch(t, link, 10*time.Millisecond, nothing)
	put(t, target, versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
}

// The folder itself may go and come back under the same name.
func TestWatchFolderReplaced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "etc")
	path := filepath.Join(dir, "jobrunner.yaml")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, path, versionOf("1"))
	w := watch(t, path, 10*time.Millisecond, nothing)
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	w.wantError("there is no such file")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.replace(versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
}

func TestWatchLeavesNothingRunning(t *testing.T) {
	w := watch(t, write(t, versionOf("1")), time.Millisecond, nothing)
	w.replace(versionOf("2"))
	w.wantLoad(2)
	w.wantQuiet()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, part := range []string{"fsnotify.", "config.Watch("} {
		if strings.Contains(string(stacks), part) {
			t.Errorf("%s still runs:\n%s", part, stacks)
		}
	}
}
