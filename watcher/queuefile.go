package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// queueFile keeps job_queue.txt: it takes in the lines that others append, and
// keeps each job's line and its state word current.
//
// The database is the truth, the file is intake and view. A line is committed
// together with how far the file was read before the file is touched; what is
// then written into the file follows from the database alone and can be done
// again. So a crash at any moment neither loses nor doubles a line.
//
// One goroutine (run) owns all fields but those under mu.
type queueFile struct {
	o    queueOptions
	name string // base name, as people know it
	plan *planFile

	side string // why the file is only read; "" if it is written

	// What is known of the file as the last look or write left it.
	info   os.FileInfo // nil before the first look
	again  bool        // look again even if the file seems unchanged
	end    int64       // everything below was taken in or is ours
	tail   []byte      // what stands below end: tailSize bytes, and back to the first text that is to leave
	lines  int         // line ends below end
	whole  bool        // the next look must go through the whole file
	unread bool        // it has more than the last look read

	gate       *gate
	backlog    []rawLine     // lines that were read and are not taken yet, in their order
	texts      window        // where their words were read last
	full       bool          // there was no room for the first one of the backlog
	need       int           // how much it needs, then
	ingestTook time.Duration // of a look

	generation uuid.UUID
	view       *view        // the jobs' lines in the file
	taken      []jobs.Taken // lines taken in: still standing, or commands gone a moment ago
	drops      []stretch    // further texts that are to leave the file
	unsure     bool         // some of these may not stand there any more
	torn       bool         // a write broke off in the middle: the file is to be repaired before anything else
	words      map[uuid.UUID]jobs.State
	gone       map[uuid.UUID]bool // PENDING jobs whose lines somebody removed, undecided
	partial    partial            // a last line without a line end

	foreign     time.Time // when another program was last seen to have written
	entered     time.Time // when the exclusive section was entered last
	busySince   time.Time // since when there was no exclusive section to be had; zero: there was
	absentSince time.Time // since when the file is not there; zero: it is
	named       time.Time // when it was last found out who has it open
	calm        time.Time // not to be tried before, after an error: a write that fails is an event, too
	event       int64     // changes up to here are known
	applied     time.Time // when the file was last written
	sideWait    time.Duration
	lookTook    time.Duration // how long the last look through the whole file took
	unplaced    bool          // some job may want a line
	rewant      []string      // jobs whose line has no room for the state word and must be placed again
	guard       guard         // of the last look

	nudged chan struct{} // gets a token when lines are to leave

	mu     sync.Mutex
	note   string             // guarded by mu: what people should know of the file
	pruned map[uuid.UUID]bool // guarded by mu: ended jobs whose lines are to leave the file
}

type queueOptions struct {
	Path     string // absolute
	StateDir string // absolute
	Queue    *jobs.Queue
	Catalog  func() *jobs.Catalog
	Settings func() Settings
	Local    func(path string) (bool, string, error) // whether path lies on a local file system, and its kind
	Gate     *gate                                   // nil means one of its own
	Log      zerolog.Logger
}

// stretch is a part of the file, [start, start+length).
type stretch struct {
	start  int64
	length int
}

// partial is a last line without a line end.
type partial struct {
	start int64
	text  string
	since time.Time
}

const (
	tailSize     = 4096
	busyPatience = 2 * time.Second        // before the file is used without an exclusive section
	partialWait  = 2 * time.Second        // a line without an end is taken once it stood still so long
	removalQuiet = 3 * time.Second        // a removal counts once nobody has written for so long
	unseenWindow = 5 * time.Second        // a rewriting tool cannot have seen what changed so shortly before
	absentWait   = time.Second            // editors take a file away for a moment when they save
	viewDelay    = 30 * time.Millisecond  // changes of state are gathered so long before they are written
	retryDelay   = 25 * time.Millisecond  // between tries for an exclusive section
	faultDelay   = 500 * time.Millisecond // after an error, and where trying more often is no use
	nameDelay    = 10 * time.Second       // between searches for the program that has the file open
	smallFile    = 64 << 10               // up to this size a look goes through the whole file
	maxFile      = 256 << 20              // a larger file is not read
	effort       = 10                     // where each change costs a walk through all lines, one part in so many of the time goes to it
)

func newQueueFile(o queueOptions) (*queueFile, error) {
	if o.Gate == nil {
		o.Gate = newGate(o.Queue, o.Catalog, o.Log)
	}
	q := &queueFile{
		o: o, gate: o.Gate, name: filepath.Base(o.Path),
		view:  newView(),
		words: map[uuid.UUID]jobs.State{},
		gone:  map[uuid.UUID]bool{},
		whole: true, unplaced: true, unsure: true,
		nudged: make(chan struct{}, 1), pruned: map[uuid.UUID]bool{},
	}
	var err error
	if q.plan, err = openPlanFile(filepath.Join(o.StateDir, "queue.plan")); err != nil {
		return nil, fmt.Errorf("opening the plan of %s: %w", q.name, err)
	}
	return q, nil
}

func (q *queueFile) Close() error { return q.plan.Close() }

// run keeps the file until ctx ends. Hints wake it: something may have
// changed in the file's folder.
func (q *queueFile) run(ctx context.Context, hints <-chan struct{}) error {
	changed, unsubscribe := q.o.Queue.Changed()
	defer unsubscribe()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hints:
		case <-q.nudged:
			q.unplaced = true
		case <-changed:
			q.unplaced = true
			if wait := viewDelay - time.Since(q.applied); wait > 0 {
				timer.Reset(wait)
				continue
			}
		case <-timer.C:
		}
		if wait := time.Until(q.calm); wait > 0 {
			timer.Reset(wait)
			continue
		}
		timer.Reset(q.pass(ctx))
	}
}

// pass takes in what is new and brings the file up to date. It returns when it
// wants to be called again at the latest.
func (q *queueFile) pass(ctx context.Context) time.Duration {
	wait := jobs.UntilBeat(q.o.Settings().PollInterval)
	sooner := func(d time.Duration) {
		if d < wait {
			wait = max(d, time.Millisecond)
		}
	}
	err := q.mend(ctx)
	if err == nil {
		err = q.follow(ctx)
	}
	if err != nil {
		q.fault(ctx, err)
		return faultDelay
	}
	if q.mustLook() {
		switch err := q.look(ctx); {
		case errors.Is(err, errBusy):
			sooner(q.busyDelay())
		case err != nil:
			q.fault(ctx, err)
			return faultDelay
		}
	}
	switch err := q.advance(ctx); {
	case errors.Is(err, errBusy):
		sooner(q.busyDelay())
	case err != nil:
		q.fault(ctx, err)
		return faultDelay
	}
	if err := q.decide(ctx); err != nil {
		q.fault(ctx, err)
		return faultDelay
	}
	more, err := q.apply(ctx)
	for n := 1; n < turnBatches && more && err == nil && !q.again && len(q.backlog) > 0; n++ { // as much as was taken
		more, err = q.apply(ctx)
	}
	switch {
	case errors.Is(err, errBusy):
		sooner(q.busyDelay())
	case err != nil:
		q.fault(ctx, err)
		return faultDelay
	case more:
		sooner(time.Millisecond)
	}
	if len(q.backlog) == 0 {
		q.texts = window{}
	}
	if q.unread || len(q.backlog) > 0 && !q.full {
		sooner(time.Millisecond)
	}
	if q.partial.text != "" {
		sooner(remaining(partialWait, q.partial.since))
	}
	if len(q.gone) > 0 {
		sooner(remaining(removalQuiet, q.foreign))
	}
	if !q.absentSince.IsZero() {
		sooner(remaining(absentWait, q.absentSince))
	}
	return wait
}

// remaining is what is left of d since then. If that is nothing, what was due
// could not be done in this pass, and there is no use in hurrying.
func remaining(d time.Duration, then time.Time) time.Duration {
	if left := d - time.Since(then); left > 0 {
		return left
	}
	return faultDelay
}

// busyDelay is how long to wait until the file is tried again.
func (q *queueFile) busyDelay() time.Duration {
	if q.longBusy() {
		return faultDelay
	}
	return jitter(retryDelay)
}

// longBusy reports whether the file was in use for so long that a lesser
// protection than the exclusive section must do.
func (q *queueFile) longBusy() bool {
	return !q.busySince.IsZero() && time.Since(q.busySince) > busyPatience
}

// follow notes the state words that the changes since the last call make.
func (q *queueFile) follow(ctx context.Context) error {
	for {
		events, err := q.o.Queue.Events(ctx, q.event, 1000)
		if err != nil {
			return fmt.Errorf("reading changes: %w", err)
		}
		for _, e := range events {
			q.event = e.ID
			id, err := uuid.Parse(e.Job)
			if err != nil || e.State == "" {
				continue
			}
			if l, there := q.view.line(id); there {
				q.setWord(l, e.State)
			}
		}
		if len(events) < 1000 {
			return nil
		}
	}
}

// setWord plans that the line's state word becomes s.
func (q *queueFile) setWord(l viewLine, s jobs.State) {
	if l.word == s {
		delete(q.words, l.id)
	} else {
		q.words[l.id] = s
	}
}

// mustLook reports whether the file may hold something new.
func (q *queueFile) mustLook() bool {
	if q.whole || q.again || q.unread || q.info == nil {
		return true
	}
	if q.partial.text != "" && time.Since(q.partial.since) >= partialWait {
		return true
	}
	if len(q.gone) > 0 && q.guard == bare && time.Since(q.foreign) >= removalQuiet {
		return true // it may be decided once nobody is writing any more
	}
	info, err := os.Lstat(q.o.Path)
	return err != nil || !unchanged(info, q.info)
}

// distrust makes the next look go through the whole file: something in it is
// not where it was thought to be.
func (q *queueFile) distrust() { q.again, q.whole = true, true }

func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (q *queueFile) fault(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	q.again, q.calm = true, time.Now().Add(faultDelay)
	note := fmt.Sprintf("%s: %v%s", q.name, err, hintFor(err))
	if q.say(note) {
		q.o.Log.Error().Str("error", jobs.Sanitize(err.Error()+hintFor(err))).Str("file", q.name).Msg("queue file cannot be kept just now, trying again")
	}
}

// say sets what people should know of the file; it reports whether that is new.
func (q *queueFile) say(note string) bool {
	note = jobs.Sanitize(note)
	q.mu.Lock()
	defer q.mu.Unlock()
	fresh := q.note != note
	q.note = note
	return fresh
}

// said returns what people should know of the file, "" if all is well.
func (q *queueFile) said() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.note
}

// sayBusy names the programs that keep the file from being brought up to date.
func (q *queueFile) sayBusy() {
	if time.Since(q.named) < nameDelay && q.said() != "" {
		return
	}
	q.named = time.Now()
	who := strings.Join(holders(q.o.Path), ", ")
	if who == "" {
		who = "another program"
	}
	if q.say(fmt.Sprintf("%s is held open for writing by %s: requests are taken and run, its states are brought up to date afterwards", q.name, who)) {
		q.o.Log.Warn().Str("file", q.name).Str("holder", who).Msg("queue file is held open, states in it are behind")
	}
}
