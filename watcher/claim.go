package watcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// claimFolder lies in the inbox, so that a claim is a rename whatever file
// system that is, and holds one folder for each daemon that takes from it.
const claimFolder = ".claimed"

// claimsAtOnce is how many claims are put on disk together.
const claimsAtOnce = 64

// claim is a file that is ours. It stays a claim until its reply is written.
type claim struct {
	id    string // UUID, part of the claim's file name: the job's id unless the request names one
	name  string // the file's own name
	path  string
	look  look      // as it was when it was last seen to be whole; zero after a crash
	since time.Time // first time that it looked like this
	whole bool      // it was not written since it was found to be ready

	receipt *jobs.Receipt // nil until it is committed
	moved   bool          // it is in the outbox
	busy    time.Time
	tries   backoff
	why     string // why it is not committed yet, for people
	need    int    // jobs that it must find room for; 0 while it was not found to lack that
	ahead   bool   // it holds commands that need not wait behind others
}

// claim makes a candidate ours, unless another daemon was faster. ahead says
// that it need not wait behind others.
func (b *inbox) claim(c *candidate, ahead bool) {
	id := uuid.NewString()
	to := filepath.Join(b.claimed, id+"-"+c.name)
	from := filepath.Join(b.dir, c.name)
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		if err = b.makeClaimed(); err == nil {
			err = os.Rename(from, to)
		}
	}
	if err != nil {
		if _, gone := lookAt(to); gone != nil { // a repeated answer of NFS may deny a rename that was done
			b.notClaimed(c, err)
			return
		}
	}
	jobs.Step("inbox: claimed")
	delete(b.known, c.name)
	b.claims = append(b.claims, &claim{id: id, name: c.name, path: to, look: c.look, since: c.since, whole: true, ahead: ahead})
	b.unsynced = true
}

func (b *inbox) notClaimed(c *candidate, err error) {
	if errors.Is(err, fs.ErrNotExist) { // another daemon's, or its writer took it back
		c.due = time.Now()
		return
	}
	c.why = "it cannot be claimed: " + reasonOf(err)
	c.tries.failed(unreadableFirst, unreadableMost)
	c.due = c.tries.at
}

// makeClaimed creates the folder of our claims. The inbox itself is not
// created again here.
func (b *inbox) makeClaimed() error {
	all := filepath.Join(b.dir, claimFolder)
	for _, dir := range []string{all, b.claimed} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		l, err := lookAt(dir)
		if err != nil {
			return err
		}
		if !l.mode.IsDir() {
			return &os.PathError{Op: "mkdir", Path: dir, Err: errors.New("it is there and is no folder")}
		}
	}
	return errors.Join(syncDir(all), syncDir(b.dir))
}

// recover finishes what a crash left: claimed files are committed unless they
// are, delivered, and replies that are behind are written.
func (b *inbox) recover(ctx context.Context) error {
	removeOldTemps(b.dir)
	removeOldTemps(b.Outbox)
	if err := b.findClaims(ctx); err != nil {
		return err
	}
	b.work(ctx)
	if err := b.findReplies(ctx); err != nil {
		return err
	}
	b.publish()
	return ctx.Err()
}

// findClaims takes up claimed files that nobody works on.
func (b *inbox) findClaims(ctx context.Context) error {
	entries, err := os.ReadDir(b.claimed)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading claims: %w", err)
	}
	known := map[string]bool{}
	for _, c := range b.claims {
		known[c.path] = true
	}
	var found []*claim
	for _, e := range entries {
		id, name, ok := splitClaim(e.Name())
		path := filepath.Join(b.claimed, e.Name())
		if !ok || known[path] {
			continue
		}
		c := &claim{id: id, name: name, path: path}
		if c.receipt, err = b.Queue.ReceiptByID(ctx, id); err != nil && !errors.Is(err, jobs.ErrNotFound) {
			return fmt.Errorf("recovering a claim: %w", err)
		}
		if l, err := lookAt(path); err == nil {
			c.since = time.Unix(0, l.mtime)
		}
		found = append(found, c)
	}
	slices.SortFunc(found, earlierClaim)
	for _, c := range found {
		b.Log.Info().Str("file", jobs.Sanitize(c.name)).Bool("committed", c.receipt != nil).Msg("claimed file is taken up again")
		c.since = time.Now()
	}
	b.claims = append(b.claims, found...)
	b.unsynced = b.unsynced || len(found) > 0
	return nil
}

// earlierClaim orders claims as they are to be answered, so that of one name
// the newest is answered last.
func earlierClaim(a, b *claim) int {
	switch {
	case a.receipt != nil && b.receipt != nil:
		return a.receipt.TakenAt.Compare(b.receipt.TakenAt)
	case a.receipt != nil:
		return -1
	case b.receipt != nil:
		return 1
	}
	return cmp.Or(a.since.Compare(b.since), strings.Compare(a.name, b.name))
}

// splitClaim takes "<uuid>-<name>" apart.
func splitClaim(file string) (id, name string, ok bool) {
	if len(file) < 38 || file[36] != '-' {
		return "", "", false
	}
	u, err := uuid.Parse(file[:36])
	if err != nil || u.String() != file[:36] {
		return "", "", false
	}
	return file[:36], file[37:], true
}

// noteClaimed gathers the names that are on their way: another file of such a
// name waits, so that of one name the newest is answered last.
func (b *inbox) noteClaimed() {
	b.busyNames = map[string]bool{}
	for _, c := range b.claims {
		b.busyNames[strings.ToLower(c.name)] = true
	}
}

// work brings every claim as far as it goes.
func (b *inbox) work(ctx context.Context) {
	if len(b.claims) == 0 || !b.syncClaims() {
		return
	}
	b.noteFollowed() // before any of them is committed
	waiting, full := map[string]bool{}, false
	b.claims = slices.DeleteFunc(b.claims, func(c *claim) bool {
		name := strings.ToLower(c.name)
		behind := full && c.receipt == nil && !c.ahead
		done := ctx.Err() == nil && !waiting[name] && !behind && c.tries.ready() && b.mayTry(ctx, c) && b.finish(ctx, c)
		waiting[name] = waiting[name] || !done
		full = full || !done && c.waits()
		return done
	})
	if !slices.ContainsFunc(b.claims, func(c *claim) bool { return c.receipt == nil }) {
		b.fault(committing, nil) // what could not be committed is now, or is gone
	}
	b.outboxWorks()
}

// syncClaims puts the claims' names on disk: a file that a power cut gave its
// old name back would be taken twice.
func (b *inbox) syncClaims() bool {
	if !b.unsynced {
		return true
	}
	err := errors.Join(syncDir(b.claimed), syncDir(b.dir))
	if errors.Is(err, fs.ErrNotExist) { // the claims are gone, then, and each is found to be
		err = nil
	}
	b.fault(claiming, err)
	if err != nil {
		b.blocked.failed(retryFirst, retryMost)
		return false
	}
	jobs.Step("inbox: claims put on disk")
	b.unsynced = false
	return true
}

// finish does the next steps with a claim and reports whether it is done with.
func (b *inbox) finish(ctx context.Context, c *claim) (done bool) {
	if c.receipt == nil {
		if !b.blocked.ready() {
			return false
		}
		if gone := b.commit(ctx, c); gone {
			return true
		}
	}
	return c.receipt != nil && b.deliver(ctx, c)
}

// commit reads a claimed file and commits it to the queue. It reports whether
// the file is no longer there; c.receipt says whether it is committed.
func (b *inbox) commit(ctx context.Context, c *claim) (gone bool) {
	was := c.why
	items, err := b.readClaim(c)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.Log.Warn().Str("file", jobs.Sanitize(c.name)).Msg("claimed file is gone: somebody else has taken it away")
		return true
	case err != nil:
		if c.why != "" && c.why != was {
			b.Log.Warn().Str("file", jobs.Sanitize(c.name)).Str("why", c.why).Msg("claimed file cannot be read yet")
		}
		return false
	}
	if c.receipt, err = b.accept(ctx, c, items); err != nil {
		b.notCommitted(ctx, c, err, was)
		return false
	}
	jobs.Step("inbox: committed")
	b.fault(committing, nil)
	b.blocked, c.tries, c.why, c.need = backoff{}, backoff{}, "", 0
	return false
}

// notCommitted tells a queue that cannot write, which stops the taking, from a
// fault that is one file's alone.
func (b *inbox) notCommitted(ctx context.Context, c *claim, err error, was string) {
	var full *jobs.FullError
	if errors.As(err, &full) {
		b.isFull(c, full)
		return
	}
	c.tries.failed(retryFirst, retryMost)
	if b.Queue.Healthy() != nil {
		b.fault(committing, err)
		b.blocked.failed(retryFirst, retryMost)
		return
	}
	if ctx.Err() != nil || errors.Is(err, jobs.ErrClosed) { // we are being ended
		return
	}
	if c.why = "it cannot be committed: " + err.Error(); c.why != was {
		b.Log.Error().Str("file", jobs.Sanitize(c.name)).Str("why", jobs.Sanitize(c.why)).Msg("claimed file cannot be committed yet")
	}
}

// accept commits what a claimed file asks for. It may be called again: the
// queue knows the claim's id.
func (b *inbox) accept(ctx context.Context, c *claim, items []jobs.Item) (*jobs.Receipt, error) {
	in, err := b.intake(ctx, c, items)
	if err != nil {
		return nil, err
	}
	outcomes, err := b.Queue.Accept(ctx, in)
	var refused *jobs.RefusedError
	if errors.As(err, &refused) {
		if in, err = b.refusal(ctx, c, refusedItems(items, refused), len(items)); err == nil {
			outcomes, err = b.Queue.Accept(ctx, in)
		}
	}
	if err != nil {
		return nil, err
	}
	for i, o := range outcomes {
		logOutcome(b.Log, c.name, in.Entries[i], o)
	}
	return in.Receipt, nil
}

// errNotYet says that a claimed file is to be looked at again.
var errNotYet = errors.New("not yet")

// readClaim reads the claimed bytes, which are the truth. It was a file that
// anybody may have replaced or still had open when it was claimed, so it is
// looked at as closely as before.
func (b *inbox) readClaim(c *claim) ([]jobs.Item, error) {
	s, now := b.Settings(), time.Now()
	f, l, err := openRequest(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case errors.Is(err, errBusy):
		return nil, c.isBusy(now, s)
	case isShortage(err):
		b.cannotOpen(err)
		return nil, c.isYoung(retryFirst)
	case err != nil:
		return nil, c.isUnreadable("it cannot be read: " + reasonOf(err))
	}
	defer f.Close()
	b.fault(openingFiles, nil)
	if why := l.unsuited(); why != "" {
		return nil, c.isUnreadable(why)
	}
	w := writersOf(f)
	if w == writersSome {
		return nil, c.isBusy(now, s)
	}
	if !l.sameContent(c.look) {
		c.whole = c.look == (look{}) && w == writersNone // it was whole before the crash
		c.look, c.since = l, now
	}
	stood := b.stood(l, c.since, w, now)
	if !c.whole && stood < s.Settle {
		return nil, c.isYoung(s.Settle - stood)
	}
	if l.size > s.MaxRequestSize { // it has grown after it was found to be small enough
		return []jobs.Item{{Fault: &jobs.Fault{File: jobs.Sanitize(c.name), Message: whyTooLarge}}}, nil
	}
	data, err := readUnchanged(f, l)
	if err == errChanged {
		c.whole, c.since = false, now
		return nil, c.isYoung(s.Settle)
	}
	if err != nil {
		return nil, c.isUnreadable("it cannot be read: " + reasonOf(err))
	}
	items := parse(c.name, data)
	if !c.whole && stood < s.SettleBad && faulty(items) {
		return nil, c.isYoung(s.SettleBad - stood)
	}
	c.why, c.busy, c.tries = "", time.Time{}, backoff{}
	return items, nil
}

func (c *claim) isBusy(now time.Time, s Settings) error {
	if c.busy.IsZero() {
		c.busy = now
	}
	if now.Sub(c.busy) >= s.SettleBad {
		c.why = "another program has it open for writing"
	}
	c.whole = false
	c.tries.failed(busyFirst, busyMost)
	return errNotYet
}

func (c *claim) isUnreadable(why string) error {
	c.why = why
	c.tries.failed(unreadableFirst, unreadableMost)
	return errNotYet
}

func (c *claim) isYoung(wait time.Duration) error {
	c.tries.at = time.Now().Add(wait)
	return errNotYet
}
