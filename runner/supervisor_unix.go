//go:build unix

package runner

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"

	"golang.org/x/sys/unix"
)

var errLocked = errors.New("another supervisor owns this folder")

// lockFile takes the lock that goes with f, until that is closed or this
// process ends; errLocked if another process has it.
func lockFile(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return errLocked
		default:
			return err
		}
	}
}

// askedToEnd gives the signals that ask a process to end; from the call to
// stop on they do nothing by themselves. They are caught and not ignored:
// what is ignored stays so in every process that is started.
func askedToEnd() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT)
	return c, func() { signal.Stop(c) }
}

// prepareProcess closes files that this process was given by accident, so
// that they are not kept open for days and no job gets them, and sets its name.
func prepareProcess() {
	names, err := readNames("/dev/fd")
	if err == nil {
		for _, name := range names {
			fd, err := strconv.Atoi(name)
			if err != nil || fd <= 2 {
				continue
			}
			// All that the Go runtime and this program open has FD_CLOEXEC.
			if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
				unix.Close(fd)
			}
		}
	}
	nameProcess()
}

// nameProcess sets the name that is shown where the command line is not: started as
// /proc/self/exe it would be called "exe". Linux only.
func nameProcess() { _ = os.WriteFile("/proc/self/comm", []byte("jobrunner"), 0) }

func readNames(folder string) ([]string, error) {
	d, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// syncFolder makes a rename in the folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// openLog opens a job's log, at its end. It creates the folder if need be. It
// waits for nobody, whatever lies there: a FIFO would hold up all starts.
func openLog(path string) (*os.File, error) {
	umaskMu.RLock()
	defer umaskMu.RUnlock()
	f, err := openAppend(path, unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err == nil {
		err = unix.SetNonblock(int(f.Fd()), false) // the job has the same open file
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// refused reports whether a connection failed because nobody listens.
func refused(err error) bool { return errors.Is(err, unix.ECONNREFUSED) }
