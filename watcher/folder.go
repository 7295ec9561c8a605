package watcher

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/rs/zerolog"
)

// folder watches one folder for changes of what lies directly in it. Its
// events are only hints to look again: they may be late, doubled, or missing
// without a word, as on FUSE and network file systems.
type folder struct {
	dir  string
	log  zerolog.Logger
	wake chan struct{} // capacity 1

	// touched only by the goroutine that calls Check and Close
	watch   *dirWatch // nil while there is none
	watched look      // the folder that had the name at the last Check; zero if none had
	failed  string    // why there is no watch, as it was logged

	mu      sync.Mutex // guards what follows
	lost    bool       // the watch has ended by itself
	names   map[string]bool
	awaited string
	arrived chan struct{}
}

// maxHints bounds the names that are remembered; what is beyond is found by
// looking through the folder.
const maxHints = 4096

// change is what an event says of a name.
type change int

const (
	changeOther   change = iota
	changeWritten        // made, written, renamed away or removed
	changeMovedIn        // a file was renamed to it: whole, by the rules for writers
)

// watchFolder starts watching dir. That the watch cannot be had is logged, and
// tried again by Check.
func watchFolder(dir string, log zerolog.Logger) *folder {
	f := &folder{dir: dir, log: log, wake: make(chan struct{}, 1), names: map[string]bool{}}
	f.Check()
	return f
}

// C gives a token after changes; several changes may share one.
func (f *folder) C() <-chan struct{} { return f.wake }

// Check makes sure that the watch is on the folder that has the name now. It
// reports whether what was known of the folder no longer holds: it is another
// one, or the watch on it is new, or there is none any more. Call it before
// every look.
func (f *folder) Check() bool {
	now, err := lookAt(f.dir)
	f.mu.Lock()
	lost := f.lost
	f.mu.Unlock()
	had := f.watch != nil
	if err == nil && had && !lost && f.watched.sameFile(now) {
		return false
	}
	f.end()
	if err != nil {
		f.watched = look{}
		f.cannot(err)
		return false
	}
	changed := had || !f.watched.sameFile(now)
	f.watched = now
	if f.watch, err = openWatch(f.dir, f.report, f.ended); err != nil {
		f.watch = nil
		f.cannot(err)
		return changed
	}
	f.failed = ""
	return true
}

// cannot logs why there is no watch, once. That the folder is not there its
// owner sees.
func (f *folder) cannot(err error) {
	if f.failed != err.Error() && !errors.Is(err, fs.ErrNotExist) {
		f.log.Warn().Str("folder", f.dir).Err(err).Msg("folder cannot be watched: it is looked through instead")
	}
	f.failed = err.Error()
}

// Close ends the watch and waits for its goroutine.
func (f *folder) Close() { f.end() }

func (f *folder) end() {
	if f.watch != nil {
		f.watch.Close()
		f.watch = nil
	}
	f.mu.Lock()
	f.lost = false
	f.mu.Unlock()
}

// ended notes that the watch has ended by itself.
func (f *folder) ended() {
	f.mu.Lock()
	f.lost = true
	f.mu.Unlock()
	f.signal()
}

// report notes an event; name is "" when events were lost.
func (f *folder) report(name string, what change) {
	f.mu.Lock()
	if name != "" && name == f.awaited {
		close(f.arrived)
		f.awaited = ""
	}
	_, known := f.names[name]
	switch {
	case !known && len(f.names) >= maxHints:
	case what != changeOther:
		f.names[name] = what == changeMovedIn
	case !known:
		f.names[name] = false
	}
	f.mu.Unlock()
	f.signal()
}

func (f *folder) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take returns the names that events have told of since the last call; true
// means that a file was renamed to it and not written under it since. The name
// "" means that any file may have changed.
func (f *folder) take() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := f.names
	f.names = map[string]bool{}
	return names
}

// await returns a channel that is closed when an event tells of name.
func (f *folder) await(name string) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.awaited, f.arrived = name, make(chan struct{})
	return f.arrived
}
