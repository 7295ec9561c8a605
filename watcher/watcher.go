// Package watcher is the front door: it takes requests in, from files dropped
// into the inbox and from lines appended to the queue file, and writes out
// what becomes of them, as replies in the outbox and as state words in the
// queue file.
//
// It owns those folders and that file, and knows nothing of processes. A scan
// is the truth and events only wake it: everything is looked through at the
// start, at each event and at each tick, so that a lost event costs time and
// nothing else. A request is committed to the queue before anything else is
// done with it, and what is then written follows from the queue alone, so a
// crash at any step is made good by the next start.
package watcher

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options are what a Watcher needs. Every field must be set.
type Options struct {
	Inbox     string // absolute
	Outbox    string // absolute
	QueueFile string // absolute
	StateDir  string // absolute; must exist
	Queue     *jobs.Queue
	Catalog   func() *jobs.Catalog                    // the types in force
	Settings  func() Settings                         // the settings in force
	Local     func(path string) (bool, string, error) // whether path lies on a local file system, and its kind
	Log       zerolog.Logger
}

// Watcher takes requests in and writes states out.
type Watcher struct {
	o     Options
	gate  *gate
	inbox *inbox
	queue *queueFile
}

// Status is what people should know of the watcher.
type Status struct {
	Events  string    // "native" or "polling every 2s"; "" until it is known
	Ignored []Ignored // files in the inbox that are left where they are
	More    int       // further ones
	Notes   []string  // what does not work at present, or works otherwise than usual
	Stopped string    // why no request files are taken at present; "" if they are
	Queue   string    // how the queue file is used other than usual, or why it is not, in words; also among Notes; "" if it is as usual
	Full    string    // that as many jobs wait as may, in words; "" if fewer do
}

// New makes the folders and the queue file where they are missing. The caller
// closes the Watcher.
func New(o Options) (*Watcher, error) {
	w := &Watcher{o: o, gate: newGate(o.Queue, o.Catalog, o.Log)}
	var err error
	if w.inbox, err = newInbox(inboxOptions{
		Dir: o.Inbox, Outbox: o.Outbox, StateDir: o.StateDir, StateID: o.Queue.StateID(), Queue: o.Queue,
		Catalog: o.Catalog, Settings: o.Settings, Gate: w.gate, Log: o.Log,
	}); err != nil {
		return nil, err
	}
	if w.queue, err = newQueueFile(queueOptions{
		Path: o.QueueFile, StateDir: o.StateDir, Queue: o.Queue,
		Catalog: o.Catalog, Settings: o.Settings, Local: o.Local, Gate: w.gate, Log: o.Log,
	}); err != nil {
		return nil, err
	}
	return w, nil
}

// Close frees what New opened. Call it after Run has returned.
func (w *Watcher) Close() error { return w.queue.Close() }

// Prepare finishes what a crash left and takes a first look at everything. It
// is to be called before jobs are started: a command that lies in the inbox,
// or a line that was removed while no daemon ran, then counts. Of many requests
// only the first ones are taken, so that jobs need not wait for all of them.
func (w *Watcher) Prepare(ctx context.Context) error {
	if err := w.inbox.recover(ctx); err != nil {
		return fmt.Errorf("finishing what was taken from the inbox: %w", err)
	}
	if err := w.queue.prepare(ctx); err != nil {
		return err
	}
	return w.scanSettled(ctx)
}

// settleMost bounds how long the start waits for files that settle.
const settleMost = 5 * time.Second

// scanSettled looks through the inbox until what lay there at first has stood
// still for long enough to be taken.
func (w *Watcher) scanSettled(ctx context.Context) error {
	settled := time.Now().Add(min(w.o.Settings().Settle+100*time.Millisecond, settleMost))
	enough := time.Now().Add(hurry)
	defer func() { w.inbox.hurries = false }()
	for {
		w.inbox.hurries = time.Now().After(enough)
		again, err := w.inbox.scan(ctx)
		if err != nil {
			return err
		}
		if w.inbox.left {
			continue
		}
		if again == 0 || time.Now().Add(again).After(settled) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// Run takes requests until ctx ends, and returns when all it started has ended.
func (w *Watcher) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 2)
	go func() { done <- w.inbox.run(ctx) }()
	go func() { done <- w.runQueueFile(ctx) }()
	first := <-done
	cancel()
	if second := <-done; first == nil {
		first = second
	}
	return first
}

func (w *Watcher) runQueueFile(ctx context.Context) error {
	f := watchFolder(filepath.Dir(w.o.QueueFile), w.o.Log)
	defer f.Close()
	hints := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- w.queue.run(ctx, hints) }()
	defer func() { cancel(); <-done }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(jobs.UntilBeat(w.o.Settings().PollInterval)):
			f.Check()
			continue
		case <-f.C():
			if !concerns(f.take(), filepath.Base(w.o.QueueFile)) {
				continue
			}
		}
		select {
		case hints <- struct{}{}:
		default:
		}
	}
}

// concerns reports whether events that told of these names may be about name.
func concerns(names map[string]bool, name string) bool {
	_, told := names[name]
	_, lost := names[""]
	return told || lost || len(names) == 0 || len(names) >= maxHints
}

// Status may be called from any goroutine.
func (w *Watcher) Status() Status {
	in := w.inbox.status()
	s := Status{Events: in.Events, Ignored: in.Ignored, More: in.More, Stopped: in.Stopped}
	if in.Err != "" {
		s.Notes = append(s.Notes, in.Err)
	}
	if s.Full = w.gate.said(); s.Full != "" {
		s.Notes = append(s.Notes, s.Full)
	}
	if s.Queue = w.queue.said(); s.Queue != "" {
		s.Notes = append(s.Notes, s.Queue)
	}
	return s
}
