//go:build !windows

package jobs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// An attempt that runs as another user has its progress file in
// /tmp/jobrunner-<of the state folder>/<id>.<attempt>/. The first folder is the
// daemon's: others may go through it and make nothing there, so nobody can put
// anything in the place of the second one, which is the other user's alone.

const othersWord = "progress" // the file's name in the attempt's folder

// othersFolder holds the folders of all such attempts of a state folder. It lies
// where every user may go, whatever TMPDIR says, so that the next daemon finds it.
func othersFolder(stateDir string) string {
	sum := sha256.Sum256([]byte(filepath.Clean(stateDir)))
	return "/tmp/jobrunner-" + hex.EncodeToString(sum[:8])
}

func othersName(id string, attempt int) string { return fmt.Sprintf("%s.%d", id, attempt) }

func othersFile(stateDir, id string, attempt int) string {
	return filepath.Join(othersFolder(stateDir), othersName(id, attempt), othersWord)
}

// openOthers opens the progress file in another user's folder, unless that user
// has linked there what only we may read.
func openOthers(stateDir, id string, attempt int) (*os.File, error) {
	root, err := openOwn(othersFolder(stateDir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := othersName(id, attempt)
	folder, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	f, err := openRegular(root, name+"/"+othersWord)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (ownerOf(info) != ownerOf(folder) || info.Sys().(*syscall.Stat_t).Nlink != 1) {
		err = fmt.Errorf("%s is %w", f.Name(), ErrNoRegularFile)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// errNotOwn says that a folder is there in which others could have made something.
var errNotOwn = errors.New("not this user's own folder")

// openOwn opens a folder in which only we can have made anything, else errNotOwn.
func openOwn(path string) (*os.Root, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	const othersWrite = 0o022
	if !before.IsDir() || before.Mode().Perm()&othersWrite != 0 || int(ownerOf(before)) != os.Geteuid() {
		return nil, fmt.Errorf("%s is %w", path, errNotOwn)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	if now, err := root.Stat("."); err != nil || !os.SameFile(before, now) {
		root.Close()
		return nil, errors.Join(fmt.Errorf("%s was replaced", path), err)
	}
	return root, nil
}

func ownerOf(info fs.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

func makeOthers(stateDir, id string, attempt int, a *Account) error {
	folder, name := othersFolder(stateDir), othersName(id, attempt)
	if err := os.Mkdir(folder, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	root, err := openOwn(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Chmod(".", 0o711); err != nil { // the umask may have been strict
		return err
	}
	if err := root.RemoveAll(name); err != nil {
		return err
	}
	if err := root.Mkdir(name, 0o700); err != nil {
		return err
	}
	return root.Lchown(name, int(a.UID), int(a.GID))
}

func removeOthers(stateDir, id string, attempt int) error {
	root, err := openOwn(othersFolder(stateDir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotOwn) {
		return nil // then there is none
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return root.RemoveAll(othersName(id, attempt))
}
