package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long a file is left alone after an event, and how long
// bad bytes must stand before they are called bad: an editor that writes in
// place empties the file first.
const settleTime = 100 * time.Millisecond

// Watch looks at the file of c, the configuration in force, and calls onLoad
// with each new one and onError with why a changed file was refused, once for
// the same bytes; after an error what was in force stays so. A change between
// Load and Watch counts. A token in wake (SIGHUP) loads the file at once, also
// if nothing changed; wake may be nil.
//
// The file's folder is watched, since editors replace files by renaming, and
// the file is read every interval (0 means 2 s), since some file systems send
// no events. Both functions are called by the goroutine that called Watch,
// which blocks until ctx ends.
func Watch(ctx context.Context, c *Config, interval time.Duration, onLoad func(*Config), onError func(error), wake <-chan struct{}) error {
	if interval <= 0 {
		interval = 2 * time.Second
	}
	r := &reloader{path: c.Path, force: c.sum, onLoad: onLoad, onError: onError}
	name := filepath.Base(c.Path)
	var events <-chan fsnotify.Event
	var lost <-chan error
	// Without events (no inotify instance left, a folder that cannot be
	// watched) a change is seen by reading all the same.
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		defer func() {
			if watcher.Close() == nil {
				for range watcher.Events { // closed when its goroutine has ended
				}
			}
		}()
		if watcher.Add(c.Dir) == nil {
			events, lost = watcher.Events, watcher.Errors
		}
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	settled := time.After(0) // what changed since Load
	for {
		again := false
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			again = foldPath(filepath.Base(e.Name)) == foldPath(name)
		case _, ok := <-lost: // events were dropped: look anyway
			if !ok {
				lost = nil
				continue
			}
			again = true
		case _, ok := <-wake:
			if !ok {
				wake = nil
				continue
			}
			again = r.look(woken)
		case <-settled:
			settled = nil
			again = r.look(event)
		case <-ticker.C:
			if settled == nil {
				again = r.look(poll)
			}
		}
		if again && settled == nil {
			settled = time.After(settleTime)
		}
	}
}

// cause is why the file is looked at.
type cause int

const (
	event cause = iota
	poll
	woken
)

// reloader is what Watch knows of the file. It is touched only by the
// goroutine of Watch.
type reloader struct {
	path    string
	onLoad  func(*Config)
	onError func(error)

	force    [sha256.Size]byte // of the bytes in force
	refused  [sha256.Size]byte // of the bytes that onError was last called for
	doubtful [sha256.Size]byte // of bytes that were bad at the last look
	missing  int               // polls that found no file, since it was last there
}

// look reads the file and reports what is new. It asks to be called again
// soon for bytes that are bad and may be half of what somebody is writing.
func (r *reloader) look(why cause) (again bool) {
	if _, err := os.Stat(r.path); errors.Is(err, os.ErrNotExist) {
		r.absent(why)
		return false
	}
	r.missing = 0
	data, err := read(r.path)
	sum := sha256.Sum256(data)
	if err != nil {
		sum = sha256.Sum256([]byte(err.Error()))
	}
	if why != woken {
		if sum == r.force {
			r.refused, r.doubtful = sum, sum
			return false
		}
		if sum == r.refused {
			return false
		}
	}
	var next *Config
	if err == nil {
		next, err = parse(r.path, data)
	}
	if err != nil && why != woken && sum != r.doubtful {
		r.doubtful = sum
		return true
	}
	r.doubtful = sum
	r.refused = sum
	if err != nil {
		r.onError(err)
		return false
	}
	r.force = sum
	r.onLoad(next)
	return false
}

// absent reports a file that is gone: an editor may be about to put another in
// its place, so the second poll in a row that misses it says so, once.
func (r *reloader) absent(why cause) {
	if why == poll {
		r.missing++
	}
	if why == woken || why == poll && r.missing == 2 {
		_, err := read(r.path)
		if err != nil {
			r.onError(err)
		}
	}
}
