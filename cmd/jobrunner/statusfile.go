package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/ui"
)

const (
	statusGap  = 5 * time.Second  // between two writings of a status file, at least
	statusAge  = 50 * time.Second // and at most, so that its age tells whether the daemon runs
	statusLong = 30 * time.Second // a writing that takes longer is worth a word
)

// statusFile keeps what the page shows in a file, for those who may not reach the
// page. It is in nobody's way: a disk or share that does not answer keeps nothing
// waiting but itself.
type statusFile struct {
	key     string                                                       // that names it: status.html
	path    func() string                                                // in force, absolute; "" for none
	content func(context.Context) (body []byte, running bool, err error) // running: it changes all the time
	changed func() (changed <-chan struct{}, stop func())
	log     zerolog.Logger
	again   chan struct{} // capacity 1: path may give another one
	tidied  string        // the path beside which nothing is left of a crash; touched only by run

	mu    sync.Mutex // guards wrong
	wrong string     // why the file is not what it should be; "" if it is
}

// newStatusFiles gives the files that the key status can name.
func (d *daemon) newStatusFiles() []*statusFile {
	shots := ui.NewSnapshots(d.pageOptions())
	html := &statusFile{
		key: "status.html", path: func() string { return d.current.Load().Status.HTML },
		content: func(ctx context.Context) ([]byte, bool, error) {
			_, running, err := shots.Stats(ctx)
			if err != nil {
				return nil, false, err
			}
			page, err := shots.Page(ctx, statusGap)
			return page, running, err
		},
	}
	counts := &statusFile{
		key: "status.json", path: func() string { return d.current.Load().Status.JSON }, content: shots.Stats,
	}
	files := []*statusFile{html, counts}
	for _, f := range files {
		f.changed, f.log, f.again = d.queue.Changed, d.log, make(chan struct{}, 1)
	}
	return files
}

// run writes the file whenever something has changed, until ctx ends.
func (f *statusFile) run(ctx context.Context) error {
	changed, stop := f.changed()
	defer stop()
	for ctx.Err() == nil {
		path := f.path()
		if path == "" {
			f.note("")
			select {
			case <-f.again:
			case <-ctx.Done():
			}
			continue
		}
		running, ok := f.write(ctx, path)
		if !ok {
			return nil
		}
		f.rest(ctx, changed, running)
	}
	return nil
}

// reload says that path may give another one.
func (f *statusFile) reload() {
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// rest returns when the file is to be written again: something has changed, or was
// bound to, and the last time is a while ago.
func (f *statusFile) rest(ctx context.Context, changed <-chan struct{}, due bool) {
	soon, late := time.NewTimer(statusGap), time.NewTimer(statusAge)
	defer soon.Stop()
	defer late.Stop()
	for rested := false; !due || !rested; {
		select {
		case <-changed:
			due = true
		case <-soon.C:
			rested = true
		case <-late.C:
			return
		case <-f.again:
			return
		case <-ctx.Done():
			return
		}
	}
}

// write writes the file once; ok is false if ctx has ended before that was done. It
// is done apart, since a share that is gone may hold it for ever; it is not waited
// for any more once another path counts.
func (f *statusFile) write(ctx context.Context, path string) (running, ok bool) {
	type result struct {
		running bool
		err     error
	}
	done := make(chan result, 1)
	tidy := f.tidied != path
	f.tidied = path
	go func() {
		if tidy {
			tidyBeside(path)
		}
		body, running, err := f.content(ctx)
		if err == nil {
			err = replaceFile(path, body)
		}
		done <- result{running, err}
	}()
	long := time.NewTimer(statusLong)
	defer long.Stop()
	for {
		select {
		case r := <-done:
			if ctx.Err() != nil {
				return false, false
			}
			f.say(ctx, r.err)
			return r.running, true
		case <-long.C:
			f.say(ctx, fmt.Errorf("%s does not answer", filepath.Dir(path)))
		case <-f.again:
			if f.path() != path {
				f.reload() // nothing is to be rested from
				return false, true
			}
		case <-ctx.Done():
			return false, false
		}
	}
}

// say notes how the last writing went, and logs what is new of that.
func (f *statusFile) say(ctx context.Context, err error) {
	words := ""
	if err != nil {
		words = f.key + ": " + err.Error()
	}
	switch before := f.note(words); {
	case words == before || ctx.Err() != nil:
	case words != "":
		f.log.Warn().Err(err).Str("key", f.key).Msg("status file not written, trying again")
	default:
		f.log.Info().Str("key", f.key).Msg("status file written again")
	}
}

// note keeps what problem says, and gives what it said before.
func (f *statusFile) note(words string) (before string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before, f.wrong = f.wrong, words
	return before
}

// problem says why the file is not what it should be; "" if it is.
func (f *statusFile) problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wrong
}

// replaceFile puts a file in the place of another, whole or not at all, also if the
// machine fails meanwhile. It keeps the permissions of the one before.
func replaceFile(path string, body []byte) error {
	// A name that nobody can have put there, and that no reader looks at.
	temp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%016x.tmp", filepath.Base(path), rand.Uint64()))
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return besideError(path, err)
	}
	if info, errOld := os.Stat(path); errOld == nil && info.Mode().IsRegular() {
		err = f.Chmod(info.Mode().Perm())
	}
	if err == nil {
		_, err = f.Write(body)
	}
	if err == nil {
		err = f.Sync()
	}
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return besideError(path, err)
	}
	_ = syncFolder(filepath.Dir(path)) // not every share can, and it is there already
	return nil
}

// besideError names the file that is meant in place of the one beside it, whose name
// is another one each time.
func besideError(path string, err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return fmt.Errorf("writing %s: %w", path, err)
}

// tidyBeside removes what replaceFile left beside a file when it was killed.
func tidyBeside(path string) {
	dir, base := filepath.Dir(path), filepath.Base(path)
	left := regexp.MustCompile(`^\.` + regexp.QuoteMeta(base) + `\.[0-9a-f]{16}\.tmp$`)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if left.MatchString(e.Name()) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}
