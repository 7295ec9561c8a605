package watcher

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
)

// probe makes a file of its own in dir, which f watches, and reports whether
// an event tells of it within wait. Where events do not arrive nothing else
// says so: adding a watch succeeds on FUSE and network file systems too, and
// there an event of our own file says nothing about those of others.
func probe(ctx context.Context, f *folder, dir string, wait time.Duration) bool {
	if mayChangeElsewhere(dir) {
		return false
	}
	name := ownTempPrefix + uuid.NewString() + ownTempSuffix
	arrived := f.await(name)
	path := filepath.Join(dir, name)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	file.Close()
	defer os.Remove(path)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-arrived:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}
