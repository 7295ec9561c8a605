package watcher

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// tray is an inbox and outbox with a real queue behind them.
type tray struct {
	t           *testing.T
	dir, outbox string
	queue       *jobs.Queue
	set         Settings
	most        int // max_pending
	box         *inbox
	log         *logLines
}

// logLines gathers what is logged.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

// count is how many lines hold all of the words.
func (l *logLines) count(words ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.lines {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			n++
		}
	}
	return n
}

func newTray(t *testing.T) *tray {
	t.Helper()
	dir := t.TempDir()
	return newTrayOn(t, filepath.Join(dir, "inbox"), filepath.Join(dir, "outbox"), filepath.Join(dir, "state"))
}

func newTrayOn(t *testing.T, dir, outbox, state string) *tray {
	t.Helper()
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	q, err := jobs.Open(filepath.Join(state, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	y := &tray{
		t: t, dir: dir, outbox: outbox, queue: q, log: &logLines{},
		set: Settings{PollInterval: time.Minute, Settle: 30 * time.Millisecond, SettleBad: 60 * time.Millisecond,
			MaxRequestSize: 64 << 10},
	}
	y.open()
	return y
}

// open makes the inbox anew, as a new daemon would.
func (y *tray) open() {
	y.t.Helper()
	box, err := newInbox(inboxOptions{
		Dir: y.dir, Outbox: y.outbox, StateID: y.queue.StateID(), Queue: y.queue, Catalog: y.catalog,
		Settings: func() Settings { return y.set }, Log: zerolog.New(y.log),
	})
	if err != nil {
		y.t.Fatal(err)
	}
	y.box = box
}

func (y *tray) catalog() *jobs.Catalog {
	return &jobs.Catalog{Dir: y.dir, MaxConcurrent: 3, MaxPending: y.most, Types: map[string]*jobs.Type{
		"sleep": {Name: "sleep", Command: []string{"sleep"}, Workdir: y.dir, Umask: -1,
			Args: jobs.ArgRules{Min: 1, Max: 1, Pattern: regexp.MustCompile(`^(?:[0-9]{1,6})$`)}},
	}}
}

// run runs the inbox until the test's end, or until the returned func is called.
func (y *tray) run() (stop func()) {
	y.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- y.box.run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				y.t.Errorf("run: %v", err)
			}
		})
	}
	y.t.Cleanup(stop)
	return stop
}

func (y *tray) scan() {
	y.t.Helper()
	if _, err := y.box.scan(y.t.Context()); err != nil {
		y.t.Fatal(err)
	}
}

// scanUntil scans whenever the inbox wants to, until ok.
func (y *tray) scanUntil(what string, ok func() bool) {
	y.t.Helper()
	within(y.t, what, func() bool { y.scan(); return ok() })
}

// within waits until ok, as long as a test may take.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 20s: %s", what)
		}
	}
}

// drop puts a whole file into the inbox, by a rename.
func (y *tray) drop(name, text string) {
	y.t.Helper()
	temp := filepath.Join(y.dir, "."+uuid.NewString())
	y.put(temp, text)
	if err := os.Rename(temp, filepath.Join(y.dir, name)); err != nil {
		y.t.Fatal(err)
	}
}

// put writes a file in place.
func (y *tray) put(path, text string) {
	y.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		y.t.Fatal(err)
	}
}

func (y *tray) in(name string) string { return filepath.Join(y.dir, name) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// answer is a reply as its reader sees it.
type answer struct {
	File     string   `json:"file"`
	State    string   `json:"state"`
	Reason   string   `json:"reason"`
	Warnings []string `json:"warnings"`
	Jobs     []struct {
		ID, Type, Target, State, Source, Reason string
		Args                                    []string
	} `json:"jobs"`
}

func (y *tray) reply(name string) answer {
	y.t.Helper()
	var a answer
	b, err := os.ReadFile(filepath.Join(y.outbox, name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return a
	}
	if err != nil {
		y.t.Fatal(err)
	}
	if !exists(filepath.Join(y.outbox, name)) {
		y.t.Errorf("%s has a reply, but its file is not in the outbox", name)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		y.t.Fatalf("reply to %s: %v\n%s", name, err, b)
	}
	return a
}

// answered waits for a reply.
func (y *tray) answered(name string) answer {
	y.t.Helper()
	y.scanUntil("reply to "+name, func() bool { return y.reply(name).State != "" })
	return y.reply(name)
}

func (y *tray) why(name string) string {
	for _, i := range y.box.status().Ignored {
		if i.Name == name {
			return i.Why
		}
	}
	return ""
}

func (y *tray) all() []*jobs.Job {
	y.t.Helper()
	all, err := y.queue.List(y.t.Context(), jobs.Filter{Limit: 500})
	if err != nil {
		y.t.Fatal(err)
	}
	return all
}

func (y *tray) claims() []string {
	y.t.Helper()
	names, _ := filepath.Glob(filepath.Join(y.dir, claimFolder, "*", "*"))
	return names
}
