//go:build !windows

package watcher

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openRequest opens a file that anybody may have put there. It neither follows
// a link nor blocks, as open(2) of a named pipe would; the look says what was
// opened. errBusy means that another program keeps it from being opened now.
func openRequest(path string) (*os.File, look, error) {
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOCTTY
	var fd int
	err := retried(func() (err error) {
		fd, err = unix.Open(path, flags, 0)
		return err
	})
	if err == unix.EAGAIN { // somebody's write lease on it is being broken
		return nil, look{}, errBusy
	}
	if err != nil {
		return nil, look{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	f := os.NewFile(uintptr(fd), path)
	l, err := lookInto(f)
	if err != nil {
		f.Close()
		return nil, look{}, err
	}
	return f, l, nil
}

// lookAt looks at path without opening it or following a link.
func lookAt(path string) (look, error) {
	var st unix.Stat_t
	if err := retried(func() error { return unix.Lstat(path, &st) }); err != nil {
		return look{}, &os.PathError{Op: "lstat", Path: path, Err: err}
	}
	return lookOf(&st), nil
}

// lookInto looks at an open file.
func lookInto(f *os.File) (look, error) {
	var st unix.Stat_t
	err := withFD(f, func(fd int) error { return unix.Fstat(fd, &st) })
	if err != nil {
		return look{}, &os.PathError{Op: "fstat", Path: f.Name(), Err: err}
	}
	return lookOf(&st), nil
}

func lookOf(st *unix.Stat_t) look {
	return look{
		device: uint64(st.Dev), inode: uint64(st.Ino), links: uint64(st.Nlink),
		mode: fs.FileMode(st.Mode&0o777) | kindOf(uint32(st.Mode)), size: st.Size,
		mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano(),
	}
}

func kindOf(mode uint32) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	case unix.S_IFBLK, unix.S_IFCHR:
		return fs.ModeDevice
	}
	return fs.ModeIrregular
}

// withFD calls fn with f's descriptor, again for as long as a signal interrupts it.
func withFD(f *os.File, fn func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = c.Control(func(fd uintptr) {
		inner = retried(func() error { return fn(int(fd)) })
	})
	if err != nil {
		return err
	}
	return inner
}

func retried(fn func() error) error {
	for {
		if err := fn(); err != unix.EINTR {
			return err
		}
	}
}
