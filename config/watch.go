package config

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// settleTime is how long files are left alone after an event, and how long bad
// bytes must stand before they are called bad: an editor that writes in place
// empties the file first.
const settleTime = 100 * time.Millisecond

// Watch looks at the files of c, the configuration in force: jobrunner.yaml and
// those of types. It calls onLoad with each new one and onError with why a
// changed jobrunner.yaml was refused, once for the same bytes; after an error
// what was in force stays so. A type's file that has gone bad is no error: the
// type stays as it was, and the Config that onLoad gets says so in TypeFaults.
// A change between Load and Watch counts. A token in wake (SIGHUP) loads the
// files at once, also if nothing changed; wake may be nil.
//
// The folders are watched, since editors replace files by renaming, and the
// files are read every interval (0 means 2 s), since some file systems send no
// events. Both functions are called by the goroutine that called Watch, which
// blocks until ctx ends.
func Watch(ctx context.Context, c *Config, interval time.Duration, onLoad func(*Config), onError func(error), wake <-chan struct{}) error {
	if interval <= 0 {
		interval = 2 * time.Second
	}
	r := &reloader{path: c.Path, force: c, looked: c.sum, onLoad: onLoad, onError: onError}
	n := openNotices(c.Path)
	defer n.close()
	look := func(why cause) (again bool) {
		n.follow(r.force.TypesDir) // before the look, so that it misses nothing
		again = r.look(why)
		return n.follow(r.force.TypesDir) || again
	}
	settled := time.After(0) // what changed since Load
	for {
		again := false
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-n.events:
			if !ok {
				n.events = nil
				continue
			}
			again = n.concerns(e)
		case _, ok := <-n.lost: // events were dropped: look anyway
			if !ok {
				n.lost = nil
				continue
			}
			again = true
		case _, ok := <-wake:
			if !ok {
				wake = nil
				continue
			}
			again = look(woken)
		case <-settled:
			settled = nil
			again = look(event)
		case <-time.After(jobs.UntilBeat(interval)):
			if settled == nil {
				again = look(poll)
			}
		}
		if again && settled == nil {
			settled = time.After(settleTime)
		}
	}
}
