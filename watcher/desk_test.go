package watcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// desk is a queue file with a real queue behind it, and a daemon's half that
// can be started and stopped.
type desk struct {
	t     *testing.T
	dir   string
	path  string
	queue *jobs.Queue
	local bool
	keep  int
	most  atomic.Int64 // max_pending
	stop  func()
	asked atomic.Int64 // how often the settings were asked for
	log   io.Writer    // nil means the test's
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "scripts"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scripts", "countdown.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	q, err := jobs.Open(filepath.Join(dir, "state", "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, dir: dir, path: filepath.Join(dir, "job_queue.txt"), queue: q, local: true, keep: 1000}
	t.Cleanup(func() { d.halt(); q.Close() })
	return d
}

func (d *desk) catalog() *jobs.Catalog {
	pattern := regexp.MustCompile(`^(?:[0-9]{1,6})$`)
	return &jobs.Catalog{Dir: d.dir, MaxConcurrent: 3, MaxPending: int(d.most.Load()), Types: map[string]*jobs.Type{
		"python": {Name: "python", Interpreter: []string{"python3"}, Scripts: filepath.Join(d.dir, "scripts"),
			Extensions: []string{".py"}, Args: jobs.ArgRules{Max: -1}, Workdir: d.dir, Umask: -1},
		"sleep": {Name: "sleep", Command: []string{"sleep"}, Args: jobs.ArgRules{Min: 1, Max: 1, Pattern: pattern},
			Workdir: d.dir, Umask: -1},
	}}
}

func (d *desk) options() queueOptions {
	if d.log == nil {
		d.log = zerolog.NewTestWriter(d.t)
	}
	return queueOptions{
		Path: d.path, StateDir: filepath.Join(d.dir, "state"), Queue: d.queue, Catalog: d.catalog,
		Settings: func() Settings {
			d.asked.Add(1)
			return Settings{PollInterval: 200 * time.Millisecond, QueueKeep: d.keep}
		},
		Local: func(string) (bool, string, error) { return d.local, "nfs", nil },
		Log:   zerolog.New(d.log),
	}
}

// prepared gives a daemon's half that has taken its first look; the caller closes
// it.
func (d *desk) prepared() *queueFile {
	d.t.Helper()
	q, err := newQueueFile(d.options())
	if err != nil {
		d.t.Fatal(err)
	}
	ready := false
	defer func() {
		if !ready { // also where a test has it die at a step
			q.Close()
		}
	}()
	if err := q.prepare(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	ready = true
	return q
}

// start runs the queue file until halt.
func (d *desk) start() *queueFile {
	d.t.Helper()
	q, err := newQueueFile(d.options())
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := q.prepare(ctx); err != nil {
		d.t.Fatal(err)
	}
	hints := make(chan struct{}, 1)
	f := watchFolder(filepath.Dir(d.path), zerolog.Nop())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-f.C():
				f.take()
				select {
				case hints <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	ran := make(chan struct{})
	go func() { q.run(ctx, hints); close(ran) }()
	d.stop = func() {
		cancel()
		<-ran
		<-done
		f.Close()
		q.Close()
	}
	return q
}

func (d *desk) halt() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

func (d *desk) append(text string) {
	d.t.Helper()
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read() string {
	d.t.Helper()
	b, err := os.ReadFile(d.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *desk) write(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.path, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) jobs() []*jobs.Job {
	d.t.Helper()
	all, err := d.queue.List(context.Background(), jobs.Filter{Limit: 500})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// longest is far longer than anything takes, also on a machine that does much
// else.
const longest = 2 * time.Minute

// until waits for a condition, and says what stood in the file if it never held.
func (d *desk) until(what string, ok func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(longest)
	for !ok() {
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(d.path)
			d.t.Fatalf("never happened: %s\nthe file ends:\n%s\njobs: %v", what, b[max(0, len(b)-8000):], d.describe())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// grows waits until so many are counted, for as long as there come to be more.
func (d *desk) grows(what string, want int, count func() int) {
	d.t.Helper()
	last, since := -1, time.Now()
	for {
		n := count()
		switch {
		case n == want:
			return
		case n != last:
			last, since = n, time.Now()
		case time.Since(since) > longest:
			d.t.Fatalf("%s: %d, want %d, and no more come", what, n, want)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (d *desk) describe() (all []string) {
	for _, j := range d.jobs() {
		all = append(all, fmt.Sprintf("%s %s %v %s %q", j.ID[:8], j.Target, j.Args, j.State, j.Reason))
	}
	return all
}

// lines returns the words of every line of the file.
func (d *desk) lines() (all [][]string) {
	for _, l := range strings.Split(strings.TrimSuffix(d.read(), "\n"), "\n") {
		all = append(all, strings.Fields(l))
	}
	return all
}

// settled waits until every job has exactly one line with its state, and
// nothing else is in the file.
func (d *desk) settled(n int) {
	d.t.Helper()
	d.until(fmt.Sprintf("%d jobs, each with its line", n), func() bool {
		all := d.jobs()
		states := map[string]string{}
		for _, j := range all {
			states[j.ID] = string(j.State)
		}
		if len(all) != n {
			return false
		}
		seen := map[string]bool{}
		for _, l := range d.lines() {
			if len(l) < 4 || seen[strings.ToLower(l[0])] || states[strings.ToLower(l[0])] != l[len(l)-1] {
				return false
			}
			seen[strings.ToLower(l[0])] = true
		}
		return len(seen) == n
	})
}

func (d *desk) begin(id string) {
	d.t.Helper()
	started, err := d.queue.Begin(context.Background(), []jobs.Start{{ID: id, Attempt: 1, Instance: "i"}})
	if err != nil || len(started) != 1 {
		d.t.Fatalf("Begin(%s) = %d jobs, %v", id, len(started), err)
	}
}

func (d *desk) end(id string, s jobs.State) {
	d.t.Helper()
	zero := 0
	ok, err := d.queue.End(context.Background(), id, 1, jobs.Ending{State: s, Reason: "exit 0", ExitCode: &zero, FinishedAt: time.Now()})
	if err != nil || !ok {
		d.t.Fatalf("End(%s) = %v, %v", id, ok, err)
	}
}

func (d *desk) job(id string) *jobs.Job {
	d.t.Helper()
	j, err := d.queue.Job(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return j
}

func (d *desk) state(id string) jobs.State {
	d.t.Helper()
	return d.job(id).State
}
