//go:build !windows

package jobs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openNonblocking keeps a named pipe from being waited for.
const openNonblocking = unix.O_NONBLOCK

// identify looks at an open file.
func identify(f *os.File) (fileIdentity, error) {
	var st unix.Stat_t
	c, err := f.SyscallConn()
	if err != nil {
		return fileIdentity{}, err
	}
	var inner error
	err = c.Control(func(fd uintptr) { inner = unix.Fstat(int(fd), &st) })
	return fileIdentity{
		device: uint64(st.Dev), inode: uint64(st.Ino), size: st.Size, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(),
	}, errors.Join(err, inner)
}

// syncFolder puts the names in a folder on disk. File systems that cannot do
// that for a folder keep names by themselves.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}
