package config

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// notices are the system's words that something in the folders of
// jobrunner.yaml and of types changed. Where it gives none (no inotify instance
// left, a folder that cannot be watched) a change is seen by reading all the same.
type notices struct {
	watcher *fsnotify.Watcher // nil if there can be none
	events  <-chan fsnotify.Event
	lost    <-chan error

	file  string      // jobrunner.yaml
	types string      // the folder that is watched, or is to be once it is there
	seen  fs.FileInfo // of that folder as it was when its watch began; nil if it is not watched
}

func openNotices(file string) *notices {
	n := &notices{file: file}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return n
	}
	n.watcher = watcher
	if watcher.Add(filepath.Dir(file)) == nil {
		n.events, n.lost = watcher.Events, watcher.Errors
	}
	return n
}

// follow watches the folder of types, also one that came up or was replaced
// since. It reports whether the watch is new, so that files may have come
// before it.
func (n *notices) follow(types string) (begun bool) {
	if n.events == nil {
		return false
	}
	if types != n.types && n.seen != nil {
		_ = n.watcher.Remove(n.types) // it is gone, or says what concerns nobody
		n.seen = nil
	}
	n.types = types
	info, err := os.Stat(types)
	if err != nil || !info.IsDir() {
		n.seen = nil
		return false
	}
	if n.seen != nil && os.SameFile(info, n.seen) || n.watcher.Add(types) != nil {
		return false
	}
	n.seen = info
	return true
}

// concerns reports whether an event is about one of the files, or about the
// folder of types itself.
func (n *notices) concerns(e fsnotify.Event) bool {
	if e.Name == n.types {
		n.seen = nil // another may stand in its place, even with the same number
		return true
	}
	return filepath.Dir(e.Name) == n.types || foldPath(filepath.Base(e.Name)) == foldPath(filepath.Base(n.file))
}

func (n *notices) close() {
	if n.watcher != nil && n.watcher.Close() == nil {
		for range n.watcher.Events { // closed when its goroutine has ended
		}
	}
}
