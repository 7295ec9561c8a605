package jobs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// copiesMu is held while a kept script is found to be there, and while one is
// removed: whoever counts on one finds it, or keeps it anew.
var copiesMu sync.Mutex

// copyRest is how long a copy stays after somebody last counted on it: the job
// that does may not be in the queue yet.
const copyRest = time.Hour

// stillKept reports whether the script is kept at path, and that it is needed.
func stillKept(path string) bool {
	copiesMu.Lock()
	defer copiesMu.Unlock()
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	now := time.Now()
	return os.Chtimes(path, now, now) == nil
}

// Copies gives the names of the files of kept scripts by their hashes. Under ""
// are those that were never finished.
func Copies(stateDir string) (map[string][]string, error) {
	entries, err := os.ReadDir(filepath.Join(stateDir, "scripts"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	found := map[string][]string{}
	for _, e := range entries {
		hash, _, _ := strings.Cut(e.Name(), ".")
		found[hash] = append(found[hash], e.Name())
	}
	return found, nil
}

// RemoveCopy removes a file of kept scripts that no job needs, and gives its
// size. It reports false, and leaves it there, if somebody counted on it lately.
func RemoveCopy(stateDir, name string, now time.Time) (size int64, removed bool, err error) {
	copiesMu.Lock()
	defer copiesMu.Unlock()
	path := filepath.Join(stateDir, "scripts", name)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	if now.Sub(info.ModTime()).Abs() < copyRest {
		return 0, false, nil
	}
	return info.Size(), true, os.Remove(path)
}
