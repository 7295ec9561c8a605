//go:build !windows

package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// May tells why the account may not use a path in that way; nil if it may. It is
// for words that come before the system's own refusal and never instead of it.
// The caller runs as root.
func (a *Account) May(path string, use uint32) error {
	err := a.access(path, use)
	if errors.Is(err, errors.ErrUnsupported) {
		err = a.byMode(path, use)
	}
	if err != nil {
		return &os.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}

// byMode goes by the permissions of a path and of all folders on the way, links
// resolved. It knows no access control lists.
func (a *Account) byMode(path string, use uint32) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return plainError(err)
	}
	if err := a.allowed(real, use); err != nil {
		return err
	}
	for dir := filepath.Dir(real); ; dir = filepath.Dir(dir) {
		if err := a.allowed(dir, ToExecute); err != nil {
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// allowed looks at one file or folder.
func (a *Account) allowed(path string, use uint32) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	bits := uint32(st.Mode)
	switch {
	case a.UID == 0:
		return nil
	case st.Uid == a.UID:
		bits >>= 6
	case st.Gid == a.GID || slices.Contains(a.Groups, st.Gid):
		bits >>= 3
	}
	if bits&use != use {
		return unix.EACCES
	}
	return nil
}
