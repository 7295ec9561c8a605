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

// HashScript gives the SHA-256 of a script, in hex. It remembers what it has
// read by the file's identity, size and times.
func HashScript(path string) (string, error) {
	f, id, err := openScript(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if hash := hashes.get(id); hash != "" {
		return hash, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	hash := hex.EncodeToString(h.Sum(nil))
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

// FreezeScript keeps the script at path, whose hash is given, at FrozenScript.
// It returns once that is on disk; a script that is kept already is left alone.
// It is an error if the script no longer has that hash.
func FreezeScript(stateDir, path, hash string) error {
	kept := FrozenScript(stateDir, hash, filepath.Ext(path))
	if info, err := os.Lstat(kept); err == nil && info.Mode().IsRegular() {
		return nil
	}
	f, _, err := openScript(path)
	if err != nil {
		return err
	}
	defer f.Close()
	folder := filepath.Dir(kept)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(folder, ".*.tmp") // its mode is 0600
	if err != nil {
		return err
	}
	err = errors.Join(copyHashed(temp, f, hash), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), kept)
	}
	if err != nil {
		os.Remove(temp.Name())
		return err
	}
	return errors.Join(syncFolder(folder), syncFolder(stateDir))
}

// copyHashed copies from to the disk, if it has the hash.
func copyHashed(to, from *os.File, hash string) error {
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(to, h), from); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != hash {
		return errors.New("it was changed while its job was being accepted")
	}
	return to.Sync()
}
