//go:build !386 && !arm

package jobs

import (
	"errors"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// access asks the kernel, access control lists and all, on a thread that has the
// account's rights to files and ends afterwards. Only those rights are changed: a
// thread with the account's user id could be signalled, and so this process be
// killed, by everybody with that account. The error is errors.ErrUnsupported where
// that cannot be done.
func (a *Account) access(path string, use uint32) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The main thread stays to the end: another one, while this is held.
			err = a.access(path, use)
			runtime.UnlockOSThread()
			return
		}
		if err = a.wear(); err == nil {
			err = unix.Faccessat2(unix.AT_FDCWD, path, use, unix.AT_EACCESS)
		}
		if err == unix.ENOSYS || err == unix.EPERM {
			err = errors.ErrUnsupported
		}
	}() // never unlocked: the thread ends with this goroutine
	<-done
	return err
}

// wear gives the calling thread the account's rights to files. Not by package
// syscall, which changes all threads.
func (a *Account) wear() error {
	var first unsafe.Pointer
	if len(a.Groups) > 0 {
		first = unsafe.Pointer(&a.Groups[0])
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(a.Groups)), uintptr(first), 0); errno != 0 {
		return unix.EPERM
	}
	for _, set := range []struct {
		call func(int) (int, error)
		id   uint32
	}{{unix.SetfsgidRetGid, a.GID}, {unix.SetfsuidRetUid, a.UID}} {
		// It answers with the one before, also when it refuses.
		_, _ = set.call(int(set.id))
		if now, err := set.call(-1); err != nil || uint32(now) != set.id {
			return unix.EPERM
		}
	}
	return nil
}
