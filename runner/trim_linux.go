package runner

import (
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

// hasWriter reports whether somebody has a file open for writing: then no read
// lease is granted on it.
func hasWriter(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|noFollow, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd) // which gives up the lease
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return err == unix.EAGAIN
}
