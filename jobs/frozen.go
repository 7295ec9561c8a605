package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxHashed is how large a script may be to be read as a whole whenever its job
// is accepted and started: nobody is to wait for that.
const maxHashed = 256 << 20

// ErrLargeScript says that a script is too large to be looked at for changes.
var ErrLargeScript = fmt.Errorf("it is larger than %d MiB", maxHashed>>20)

// HashScript gives the SHA-256 of a script, in hex. It remembers what it has
// read by the file's identity, size and times. The error is ErrLargeScript if
// the script is not to be read.
func HashScript(path string) (string, error) {
	f, id, err := openScript(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if id.size > maxHashed {
		return "", ErrLargeScript
	}
	if hash := hashes.get(id); hash != "" {
		return hash, nil
	}
	hash, err := hashed(io.Discard, f)
	if err != nil {
		return "", err
	}
	if after, err := identify(f); err == nil && after == id && !id.young(time.Now()) {
		hashes.put(id, hash)
	}
	return hash, nil
}

// plainError is err without the path, which is known.
func plainError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// openScript opens a regular file without waiting for anybody.
func openScript(path string) (*os.File, fileIdentity, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblocking, 0)
	if err != nil {
		return nil, fileIdentity{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", filepath.Base(path))
	}
	var id fileIdentity
	if err == nil {
		id, err = identify(f)
	}
	if err != nil {
		f.Close()
		return nil, fileIdentity{}, err
	}
	return f, id, nil
}

// fileIdentity is equal for two looks at a file that nobody wrote in between.
type fileIdentity struct {
	device, inode uint64
	size          int64
	mtime, ctime  int64 // Unix ns; ctime is 0 where it is not known
}

// young reports whether the file was changed so lately that another change may
// leave its times as they are.
func (id fileIdentity) young(now time.Time) bool {
	const coarsest = 2 * time.Second // FAT counts in these
	return max(id.mtime, id.ctime) > now.Add(-coarsest).UnixNano()
}

// hashes are those of the scripts read lately.
var hashes = hashCache{known: map[fileIdentity]string{}}

// maxHashes bounds hashCache; beyond it everything is read anew.
const maxHashes = 4096

type hashCache struct {
	mu    sync.Mutex // guards known
	known map[fileIdentity]string
}

func (c *hashCache) get(id fileIdentity) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[id]
}

func (c *hashCache) put(id fileIdentity, hash string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxHashes {
		clear(c.known)
	}
	c.known[id] = hash
}

// FrozenScript is where the state folder keeps a script as it was, so that it
// can be run although the original was changed. ext is the extension of the
// script's file, links resolved, as filepath.Ext gives it.
func FrozenScript(stateDir, hash, ext string) string {
	return filepath.Join(stateDir, "scripts", hash+ext)
}

// FreezeScript keeps the script at path at FrozenScript, and gives the hash of
// what it keeps. It returns once that is on disk. If what had the hash that is
// given is kept already, nothing is done; otherwise the script may have been
// changed since it had that.
func FreezeScript(stateDir, path, hash string) (string, error) {
	ext := filepath.Ext(path)
	kept := FrozenScript(stateDir, hash, ext)
	if stillKept(kept) {
		return hash, nil
	}
	f, _, err := openScript(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	folder := filepath.Dir(kept)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	temp, err := os.CreateTemp(folder, ".*.tmp") // its mode is 0600
	if err != nil {
		return "", err
	}
	hash, err = hashed(temp, f)
	if err == nil {
		err = temp.Sync()
	}
	Step("script: copied")
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), FrozenScript(stateDir, hash, ext))
	}
	if err != nil {
		os.Remove(temp.Name())
		return "", err
	}
	Step("script: kept")
	return hash, errors.Join(syncFolder(folder), syncFolder(stateDir))
}

// hashed copies a script and gives the hash of what it copied.
func hashed(to io.Writer, from *os.File) (string, error) {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, h), io.LimitReader(from, maxHashed+1))
	if err == nil && n > maxHashed {
		err = ErrLargeScript
	}
	return hex.EncodeToString(h.Sum(nil)), err
}
