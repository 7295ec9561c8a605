package watcher

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// Temporary files of our own begin and end like this: inboxes leave them
// alone, and what a crash left of them is recognised.
const (
	ownTempPrefix = ".jobrunner-"
	ownTempSuffix = ".tmp"
)

// writeFileAtomic puts data at path so that a reader, also one after a power
// cut, sees either the old file or the whole new one, and that one once this
// has returned nil. The umask applies to mode.
func writeFileAtomic(path string, data []byte, mode os.FileMode) error {
	err := writeByRename(path, mode, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return nil
}

// writeByRename fills a temporary file beside path and renames it to path,
// with both on disk when it returns nil.
func writeByRename(path string, mode os.FileMode, fill func(*os.File) error) error {
	temp := filepath.Join(filepath.Dir(path), ownTempPrefix+uuid.NewString()+ownTempSuffix)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close()) // some file systems report a full disk only here
	jobs.Step("whole file: written beside")
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	jobs.Step("whole file: renamed")
	return syncDir(filepath.Dir(path))
}

// moveFile renames from to to, replacing what is there. Between file systems
// it copies: to is whole and on disk before from is removed. Otherwise the
// caller syncs the folders.
func moveFile(from, to string) error {
	err := os.Rename(from, to)
	if !isCrossDevice(err) {
		return err
	}
	f, l, err := openRequest(from)
	if err != nil {
		return fmt.Errorf("moving %q: %w", from, err)
	}
	defer f.Close()
	if why := l.unsuited(); why != "" {
		return fmt.Errorf("moving %q: %s", from, why)
	}
	err = writeByRename(to, l.mode.Perm()|0o600, func(w *os.File) error {
		_, err := io.Copy(w, f)
		return err
	})
	if err != nil {
		return fmt.Errorf("moving %q to %q: %w", from, to, err)
	}
	jobs.Step("whole file: copied")
	f.Close() // Windows removes no open file
	return os.Remove(from)
}

// removeOldTemps takes away temporary files that a crash left in dir.
func removeOldTemps(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ownTempPrefix) || !strings.HasSuffix(e.Name(), ownTempSuffix) {
			continue
		}
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < time.Hour { // it may be another daemon's
			continue
		}
		os.Remove(filepath.Join(dir, e.Name()))
	}
}
