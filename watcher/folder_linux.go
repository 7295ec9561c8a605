package watcher

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dirWatch is one inotify(7) instance on one folder. It is not fsnotify's,
// because that does not tell a file that was renamed in, and is whole, from
// one that was made in place and is still to be written.
type dirWatch struct {
	f    *os.File
	done chan struct{}
}

const watchedEvents = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_ATTRIB | unix.IN_CLOSE_WRITE |
	unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// openWatch watches dir until Close. report is called for each event, ended
// when the watch is gone by itself; both from one goroutine.
func openWatch(dir string, report func(string, change), ended func()) (*dirWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	switch err {
	case nil:
	case unix.EMFILE:
		return nil, errors.New("this user has no more inotify instances (sysctl fs.inotify.max_user_instances), or the process no more files (ulimit -n)")
	default:
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	_, err = unix.InotifyAddWatch(fd, dir, watchedEvents)
	switch err {
	case nil:
	case unix.ENOSPC: // its text would speak of a full disk
		unix.Close(fd)
		return nil, errors.New("this user has no more inotify watches (sysctl fs.inotify.max_user_watches)")
	default:
		unix.Close(fd)
		return nil, &os.PathError{Op: "inotify_add_watch", Path: dir, Err: err}
	}
	w := &dirWatch{f: os.NewFile(uintptr(fd), "inotify"), done: make(chan struct{})}
	go w.read(report, ended)
	return w, nil
}

// Close ends the watch; nothing is reported once it has returned.
func (w *dirWatch) Close() {
	w.f.Close()
	<-w.done
}

func (w *dirWatch) read(report func(string, change), ended func()) {
	defer close(w.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			ended()
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask := binary.NativeEndian.Uint32(b[4:])
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			name := string(bytes.TrimRight(b[unix.SizeofInotifyEvent:end], "\x00"))
			b = b[end:]
			switch {
			case mask&(unix.IN_IGNORED|unix.IN_UNMOUNT|unix.IN_MOVE_SELF) != 0:
				ended()
			case mask&unix.IN_MOVED_TO != 0:
				report(name, changeMovedIn)
			case mask&(unix.IN_CLOSE_WRITE|unix.IN_ATTRIB) != 0:
				report(name, changeOther)
			default: // also IN_Q_OVERFLOW, which bears no name
				report(name, changeWritten)
			}
		}
	}
}
