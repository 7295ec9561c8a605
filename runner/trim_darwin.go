package runner

// Written against the manual pages and cross-compiled; not yet tried on macOS.

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// fPunchHole and punchHole are F_PUNCHHOLE and fpunchhole_t of fcntl(2).
const fPunchHole = 99

type punchHole struct {
	flags, reserved uint32
	offset, length  int64
}

// punch gives back the blocks of a part of a file.
func punch(f *os.File, from, length int64) error {
	hole := &punchHole{offset: from, length: length}
	_, err := unix.FcntlInt(f.Fd(), fPunchHole, int(uintptr(unsafe.Pointer(hole))))
	runtime.KeepAlive(hole)
	return os.NewSyscallError("fcntl", err)
}

// canPunch tells from the file system, as only APFS can.
func canPunch(f *os.File) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return err
	}
	if unix.ByteSliceToString(st.Fstypename[:]) != "apfs" {
		return unix.ENOTSUP
	}
	return nil
}

// whileReleased cannot tell here whether somebody else writes a file.
func whileReleased(f *os.File) (again *os.File, written bool, err error) { return f, false, nil }
