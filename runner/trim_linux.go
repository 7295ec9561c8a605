package runner

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

const punchMode = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE

// punch gives back the blocks of a part of a file.
func punch(f *os.File, from, length int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), punchMode, from, length)
		if err != unix.EINTR {
			return os.NewSyscallError("fallocate", err)
		}
	}
}

// canPunch tries it where there is nothing.
func canPunch(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return punch(f, (info.Size()/4096+1)*4096, 4096)
}

// whileReleased reports whether somebody else has a file open for writing: then no
// read lease is granted on it. For that it closes f, and gives it opened anew, nil
// if that failed.
func whileReleased(f *os.File) (again *os.File, written bool, err error) {
	defer f.Close()
	look, err := unix.Open(ownFile(int(f.Fd())), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false, os.NewSyscallError("open", err)
	}
	defer unix.Close(look)
	name := f.Name()
	f.Close()
	_, err = unix.FcntlInt(uintptr(look), unix.F_SETLEASE, unix.F_RDLCK)
	written = err == unix.EAGAIN
	_, _ = unix.FcntlInt(uintptr(look), unix.F_SETLEASE, unix.F_UNLCK) // else we would wait for ourselves
	fd, err := unix.Open(ownFile(look), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false, os.NewSyscallError("open", err)
	}
	return os.NewFile(uintptr(fd), name), written, nil
}

// ownFile leads to an open file of this process, also if it has no name any more.
func ownFile(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }
