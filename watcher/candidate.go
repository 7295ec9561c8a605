package watcher

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// candidate is a file in the inbox that was not taken yet, and what is known
// of it from earlier looks.
type candidate struct {
	name     string
	look     look
	since    time.Time // first time that it looked like this; of our own clock
	moved    bool      // it was renamed to its name, and is whole
	due      time.Time // not to be opened before; the zero time means now
	never    bool      // not to be opened at all while it looks like this
	parked   bool      // it is whole and waits for room
	commands bool      // and holds nothing but commands, which need none
	busy     time.Time // since when another program keeps it from being taken
	tries    backoff
	why      string // why it stays where it is, for people; "" while it is on its way
	round    int    // the scan that saw it last
}

// Pauses between looks at a file that cannot be read, or is being written.
const (
	unreadableFirst = 250 * time.Millisecond
	unreadableMost  = 30 * time.Second
	busyFirst       = 50 * time.Millisecond
	busyMost        = 2 * time.Second
)

// saw notes how the file looks now. A file that was just written is not opened
// before it can have settled.
func (c *candidate) saw(l look, now time.Time, s Settings) {
	if l != c.look {
		if c.look != (look{}) && !l.sameFile(c.look) {
			c.moved = false
		}
		c.look, c.since = l, now
		c.due, c.never, c.parked, c.tries = time.Time{}, false, false, backoff{}
		if c.busy.IsZero() {
			c.why = ""
		}
		if !c.moved && l.age(now) < s.Settle {
			c.due = now.Add(s.Settle)
		}
	}
	why := l.unsuited()
	if why == "" && l.size > s.MaxRequestSize {
		why = whyTooLarge
	}
	if why != "" {
		c.why, c.never = why, true
	} else if c.never { // the setting has changed
		c.why, c.never = "", false
	}
}

const whyTooLarge = "it is larger than max_request_size"

// age is how long ago the file was last written or renamed, if its file
// system's clock is ours.
func (l look) age(now time.Time) time.Duration {
	return now.Round(0).Sub(time.Unix(0, max(l.mtime, l.ctime)))
}

// stood is how long a file has looked like l, which was first seen at since.
// Its own times count only where they come from this machine's clock, which a
// lease proves, and only as far back as that was not set.
func (b *inbox) stood(l look, since time.Time, w writers, now time.Time) time.Duration {
	stood := now.Sub(since)
	if w == writersNone {
		stood = max(stood, min(l.age(now), b.steady.span(now)))
	}
	return stood
}

// isBusy notes that another program has the file open. It is listed once that
// has lasted.
func (c *candidate) isBusy(now time.Time, s Settings) {
	if c.busy.IsZero() {
		c.busy = now
	}
	if now.Sub(c.busy) >= s.SettleBad {
		c.why = "another program has it open for writing"
	}
	c.tries.failed(busyFirst, busyMost)
	c.due = c.tries.at
}

func (c *candidate) isUnreadable(err error) {
	c.why = "it cannot be read: " + reasonOf(err)
	c.tries.failed(unreadableFirst, unreadableMost)
	c.due = c.tries.at
}

// sortByAge puts what was dropped first first.
func sortByAge(due []*candidate) {
	slices.SortFunc(due, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.look.mtime, b.look.mtime), cmp.Compare(a.name, b.name))
	})
}

// openingFiles is what cannot be done while there are no file descriptors.
const openingFiles = "opening request files"

// cannotOpen notes that. The names are left out, so that it is logged once.
func (b *inbox) cannotOpen(err error) { b.fault(openingFiles, errors.New(reasonOf(err)+hintFor(err))) }

// nothingToOpen reports whether no file waits that could fail to open.
func (b *inbox) nothingToOpen() bool {
	for _, c := range b.known {
		if !c.never && whyNotNamed(c.name) == "" {
			return false
		}
	}
	return len(b.claims) == 0
}

// isShortage reports whether err says that this process, or the machine, has as
// many files open as it may.
func isShortage(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// hintFor is what a person can do about err, to stand behind it; "" if nothing
// is known.
func hintFor(err error) string {
	if errors.Is(err, syscall.EMFILE) {
		return "; a higher limit of open files (ulimit -n, LimitNOFILE= of systemd) helps"
	}
	return ""
}

// reasonOf leaves out of an error what the reader knows anyway: the paths.
func reasonOf(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err.Error()
	}
	return err.Error()
}

// isReady opens the file and reports whether it can be taken: nobody writes
// it, it has stood still or was renamed in, and it parses or has had its time.
// If so it gives what stands in it.
func (b *inbox) isReady(c *candidate, s Settings) (data []byte, ready bool) {
	f, l, err := openRequest(filepath.Join(b.dir, c.name))
	now := time.Now()
	switch {
	case errors.Is(err, fs.ErrNotExist): // gone: the next scan forgets it
		c.due = now
		return nil, false
	case errors.Is(err, errBusy):
		c.isBusy(now, s)
		return nil, false
	case isShortage(err): // of ours: the file is as good as before
		b.cannotOpen(err)
		c.due = now.Add(retryFirst)
		return nil, false
	case err != nil:
		c.isUnreadable(err)
		return nil, false
	}
	defer f.Close()
	b.fault(openingFiles, nil)
	c.saw(l, now, s)
	if c.never {
		return nil, false
	}
	w := writersOf(f)
	if w == writersSome {
		c.isBusy(now, s)
		return nil, false
	}
	stood := b.stood(l, c.since, w, now)
	if !c.moved && stood < s.Settle {
		c.due = now.Add(s.Settle - stood)
		return nil, false
	}
	data, err = readUnchanged(f, l)
	if err == errChanged {
		c.since, c.due = now, now.Add(s.Settle)
		return nil, false
	}
	if err != nil {
		c.isUnreadable(err)
		return nil, false
	}
	c.busy, c.tries, c.why = time.Time{}, backoff{}, ""
	if !c.moved && stood < s.SettleBad && !parses(c.name, data) {
		c.due = now.Add(s.SettleBad - stood)
		return nil, false
	}
	return data, true
}
