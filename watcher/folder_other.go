//go:build !linux

package watcher

import (
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// dirWatch is one watcher on one folder. It does not tell a file that was
// renamed in from one that was made in place, so both have to settle.
type dirWatch struct {
	w    *fsnotify.Watcher
	done chan struct{}
}

// openWatch watches dir until Close. report is called for each event, ended
// when the watch is gone by itself; both from one goroutine.
func openWatch(dir string, report func(string, change), ended func()) (*dirWatch, error) {
	fw, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	if err := fw.Add(dir); err != nil {
		fw.Close()
		return nil, err
	}
	w := &dirWatch{w: fw, done: make(chan struct{})}
	go w.read(report, ended)
	return w, nil
}

// Close ends the watch; nothing is reported once it has returned.
func (w *dirWatch) Close() {
	w.w.Close()
	<-w.done
}

func (w *dirWatch) read(report func(string, change), ended func()) {
	defer close(w.done)
	for {
		select {
		case e, ok := <-w.w.Events:
			if !ok {
				ended()
				return
			}
			report(filepath.Base(e.Name), changeWritten)
		case _, ok := <-w.w.Errors:
			if !ok {
				ended()
				return
			}
			report("", changeOther) // an overflow: anything may have happened
		}
	}
}
