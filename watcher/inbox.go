package watcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// The inbox takes request files in: it waits until a file is whole, claims it
// by a rename, commits it to the queue, moves it to the outbox and keeps the
// reply beside it current. Each step leaves on disk what the next one needs,
// so that whoever comes after a crash goes on where it stopped:
//
//	inbox/train.yaml                              not taken yet
//	inbox/.claimed/<state id>/<uuid>-train.yaml   ours; committed if the queue has a receipt of that uuid
//	outbox/train.yaml                             committed; its reply is written, or written again
//
// The folder is created at the start, and never while running: one that
// vanishes is more likely unmounted, or about to be replaced by its owner's
// rename, which would then end up inside of ours.

// inboxOptions are what an inbox needs; every field must be set.
type inboxOptions struct {
	Dir      string // absolute
	Outbox   string // absolute
	StateDir string // absolute; keeps scripts as they were
	StateID  string // names the folder of our claims
	Queue    *jobs.Queue
	Catalog  func() *jobs.Catalog
	Settings func() Settings
	Gate     *gate // nil means one of its own
	Log      zerolog.Logger
}

// inbox is touched by one goroutine at a time, but for status.
type inbox struct {
	inboxOptions
	dir     string
	claimed string // where our claims are

	known     map[string]*candidate // by name
	round     int                   // counts scans
	steady    steadiness            // of the clock that files' times are told by
	listCost  time.Duration         // of the last look through the folder
	left      bool                  // the last scan has not tried everything that was due
	claims    []*claim              // in the order in which they are to be answered
	waiting   []*candidate          // those for which there is no room, in their order
	hurries   bool                  // nothing but commands is taken, as jobs are to start
	busyNames map[string]bool       // names, in lower case, of claims that are not answered yet
	unsynced  bool                  // a claim's name may not be on disk yet
	blocked   backoff               // the queue cannot write
	foreign   foreignClaims
	replies   replies
	faults    map[string]string // what does not work at present, by what it concerns
	folder    *folder           // nil outside of run

	outbox sync.Mutex // held while a file and its reply are put into the outbox, or removed

	mu         sync.Mutex // guards the following
	public     inboxStatus
	followed   int64           // events up to it are in the replies
	delivering map[string]bool // receipts whose files are not in the outbox yet
}

// inboxStatus is what people are told of the inbox.
type inboxStatus struct {
	Events  string    // "native" or "polling every 2s"; "" until it is known
	Scans   int       // looks through the whole folder that are done
	Ignored []Ignored // sorted by name, at most maxIgnored
	More    int       // further ones that are ignored
	Err     string    // what does not work at present; "" if all does
	Stopped string    // the part of Err that keeps request files from being taken
}

const (
	maxOpens    = 1000                   // files opened in one scan
	scanTime    = 250 * time.Millisecond // after which a scan makes room for other things
	maxIgnored  = 200
	retryFirst  = 250 * time.Millisecond
	retryMost   = 5 * time.Second
	probeWait   = time.Second
	smallMoment = time.Millisecond
)

// newInbox creates the inbox's and outbox's folders where they are missing.
func newInbox(o inboxOptions) (*inbox, error) {
	for _, dir := range []string{o.Dir, o.Outbox} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, fmt.Errorf("creating folder: %w", err)
		}
	}
	if o.Gate == nil {
		o.Gate = newGate(o.Queue, o.Catalog, o.Log)
	}
	return &inbox{
		inboxOptions: o, dir: o.Dir, claimed: filepath.Join(o.Dir, claimFolder, o.StateID),
		known: map[string]*candidate{}, faults: map[string]string{},
		replies: newReplies(),
	}, nil
}

// scan looks through the inbox once and takes what is ready. It returns after
// how long it wants to look again; 0 means at the next event or tick. The
// error is the context's; what does not work is logged and in the status.
func (b *inbox) scan(ctx context.Context) (again time.Duration, err error) {
	s := b.Settings()
	b.work(ctx)
	start := time.Now()
	b.steady.check(start, start.Sub(began))
	due, err := b.list(s)
	b.fault(looking, err)
	b.listCost = time.Since(start)
	b.left = (b.takeAll(ctx, due, s) || b.admit(ctx, s)) && b.blocked.ready()
	if err == nil && b.faults[openingFiles] != "" && b.nothingToOpen() {
		b.fault(openingFiles, nil)
	}
	b.foreign.look(filepath.Join(b.dir, claimFolder), b.StateID)
	b.publish()
	if b.left {
		return smallMoment, ctx.Err()
	}
	return b.again(), ctx.Err()
}

// list looks at everything in the folder and returns what is to be opened
// now, oldest first, so that what was dropped first is taken first.
func (b *inbox) list(s Settings) ([]*candidate, error) {
	d, err := os.Open(b.dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	b.round++
	b.noteClaimed()
	var due []*candidate
	for {
		names, err := d.Readdirnames(1024)
		for _, name := range names {
			if c := b.see(name, s); c != nil {
				due = append(due, c)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	for name, c := range b.known {
		if c.round != b.round {
			delete(b.known, name)
		}
	}
	sortByAge(due)
	return due, nil
}

// see looks at one name without opening the file. It returns the candidate if
// it is to be opened now.
func (b *inbox) see(name string, s Settings) *candidate {
	if leftAlone(name) {
		return nil
	}
	c := b.candidate(name)
	c.round = b.round
	if whyNotNamed(name) != "" {
		return nil
	}
	was, now := c.why, time.Now()
	l, err := lookAt(filepath.Join(b.dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(b.known, name)
		return nil
	case err != nil:
		if !now.Before(c.due) {
			c.isUnreadable(err)
		}
	default:
		c.saw(l, now, s)
	}
	b.logIgnored(c, was)
	if err != nil || c.never || now.Before(c.due) {
		return nil
	}
	if b.busyNames[strings.ToLower(name)] {
		c.due = now.Add(busyFirst)
		return nil
	}
	return c
}

// candidate gives what is known of a name, or begins to know it.
func (b *inbox) candidate(name string) *candidate {
	c := b.known[name]
	if c == nil {
		c = &candidate{name: name, why: whyNotNamed(name)}
		b.known[name] = c
		b.logIgnored(c, "")
	}
	return c
}

// takeAll claims what is ready of due and sees it through. It reports whether
// it stopped before the end.
func (b *inbox) takeAll(ctx context.Context, due []*candidate, s Settings) (left bool) {
	end := time.Now().Add(max(scanTime, 2*b.listCost))
	due = slices.DeleteFunc(due, func(c *candidate) bool { return c.parked })
	for i := 0; i < len(due); {
		enough := i >= maxOpens || i > 0 && time.Now().After(end)
		if !b.blocked.ready() || ctx.Err() != nil || enough && !b.hurries { // to look again would take longer
			return true
		}
		room := b.room(ctx)
		next := min(i+max(room, 1), len(due))
		for _, c := range due[i:next] {
			b.takeOne(ctx, c, s, room > 0)
		}
		i = next
		b.work(ctx)
	}
	return false
}

// hinted looks at the names that events have told of, without looking through
// the whole folder.
func (b *inbox) hinted(ctx context.Context) {
	s := b.Settings()
	b.noteClaimed()
	var due []*candidate
	for name, moved := range b.folder.take() {
		if name == "" || leftAlone(name) {
			continue
		}
		c := b.candidate(name)
		c.moved = moved
		if moved {
			c.look = look{}
		}
		if !c.busy.IsZero() {
			c.due = time.Time{}
		}
		if c = b.see(name, s); c != nil {
			due = append(due, c)
		}
	}
	sortByAge(due)
	if b.takeAll(ctx, due, s) || b.admit(ctx, s) || len(due) > 0 {
		b.publish()
	}
}

// again is how long it is until something is due; 0 if nothing is.
func (b *inbox) again() time.Duration {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, c := range b.known {
		if !c.never && !c.parked && !c.due.IsZero() {
			sooner(latest(c.due, b.blocked.at))
		}
	}
	for _, c := range b.claims {
		if c.receipt == nil {
			sooner(latest(c.tries.at, b.blocked.at))
		} else {
			sooner(c.tries.at)
		}
	}
	if next.IsZero() {
		return 0
	}
	return max(time.Until(next), smallMoment)
}

// status may be called from any goroutine.
func (b *inbox) status() inboxStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.public
}

// publish makes what is known visible to status.
func (b *inbox) publish() {
	ignored := b.foreign.ignored()
	full := b.Gate.waitsFor(fromInbox)
	for _, c := range b.known {
		switch {
		case c.why != "":
			ignored = append(ignored, Ignored{c.name, c.why})
		case c.parked && full:
			ignored = append(ignored, Ignored{c.name, waitingFor(b.Catalog())})
		}
	}
	for _, c := range b.claims {
		if c.why != "" {
			ignored = append(ignored, Ignored{c.name, c.why})
		}
	}
	slices.SortFunc(ignored, func(a, b Ignored) int { return strings.Compare(a.Name, b.Name) })
	more := max(0, len(ignored)-maxIgnored)
	b.noteFollowed()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.public.Scans = b.round
	b.public.Ignored, b.public.More = ignored[:len(ignored)-more], more
}

// What is done with the inbox; a fault of these keeps request files from being
// taken.
const (
	looking    = "looking through the inbox"
	claiming   = "claiming request files"
	committing = "committing requests"
)

var stopping = []string{looking, claiming, committing}

// fault notes that what does not work, or does again if err is nil, and logs
// each change of that once.
func (b *inbox) fault(what string, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, jobs.ErrClosed) { // we are being ended
		return
	}
	was, failing := b.faults[what]
	now := ""
	if err != nil {
		now = err.Error() + hintFor(err)
	}
	switch {
	case err == nil && failing:
		delete(b.faults, what)
		b.Log.Info().Str("doing", what).Msg("inbox works again")
	case err != nil && was != now:
		b.faults[what] = now
		b.Log.Error().Str("doing", what).Str("error", jobs.Sanitize(now)).Msg("inbox is hindered and tries again")
	default:
		return
	}
	var all, stopped []string
	for what, text := range b.faults {
		all = append(all, what+": "+text)
		if slices.Contains(stopping, what) {
			stopped = append(stopped, what+": "+text)
		}
	}
	slices.Sort(all)
	slices.Sort(stopped)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.public.Err, b.public.Stopped = strings.Join(all, "; "), strings.Join(stopped, "; ")
}

// logIgnored logs why a file stays where it is, when that was not so before.
func (b *inbox) logIgnored(c *candidate, was string) {
	if c.why != "" && c.why != was {
		b.Log.Warn().Str("file", jobs.Sanitize(c.name)).Str("why", c.why).Msg("request file is left where it is")
	}
}
