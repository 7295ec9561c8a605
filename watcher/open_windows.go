package watcher

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// Written after the documentation and cross-compiled; not tried on Windows.

// openRequest opens a file that anybody may have put there, without following
// a link. It shares nothing, so that success proves that nobody writes it;
// errBusy means that another program has it open.
func openRequest(path string) (*os.File, look, error) {
	h, err := openHandle(path, windows.GENERIC_READ, 0)
	switch err {
	case nil:
	case windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION:
		return nil, look{}, errBusy
	default:
		return nil, look{}, &os.PathError{Op: "open", Path: path, Err: err}
	}
	l, err := lookOf(h)
	if err != nil {
		windows.CloseHandle(h)
		return nil, look{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), l, nil
}

// lookAt looks at path without following a link; it disturbs nobody, because
// asking for attributes alone is never in conflict with sharing.
func lookAt(path string) (look, error) {
	const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := openHandle(path, 0, shareAll)
	if err != nil {
		return look{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	defer windows.CloseHandle(h)
	return lookOf(h)
}

// lookInto looks at an open file.
func lookInto(f *os.File) (look, error) {
	c, err := f.SyscallConn()
	if err != nil {
		return look{}, err
	}
	var l look
	var inner error
	err = c.Control(func(fd uintptr) { l, inner = lookOf(windows.Handle(fd)) })
	if err != nil {
		return look{}, err
	}
	return l, inner
}

func openHandle(path string, access, share uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	const flags = windows.FILE_FLAG_OPEN_REPARSE_POINT | windows.FILE_FLAG_BACKUP_SEMANTICS
	return windows.CreateFile(name, access, share, nil, windows.OPEN_EXISTING, flags, 0)
}

func lookOf(h windows.Handle) (look, error) {
	kind, err := windows.GetFileType(h)
	if err != nil {
		return look{}, err
	}
	if kind == windows.FILE_TYPE_PIPE {
		return look{mode: fs.ModeNamedPipe}, nil
	}
	if kind != windows.FILE_TYPE_DISK {
		return look{mode: fs.ModeDevice}, nil
	}
	var d windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(h, &d); err != nil {
		return look{}, err
	}
	l := look{
		device: uint64(d.VolumeSerialNumber),
		inode:  uint64(d.FileIndexHigh)<<32 | uint64(d.FileIndexLow),
		links:  uint64(d.NumberOfLinks),
		mode:   0o666,
		size:   int64(d.FileSizeHigh)<<32 | int64(d.FileSizeLow),
		mtime:  d.LastWriteTime.Nanoseconds(),
		ctime:  d.CreationTime.Nanoseconds(),
	}
	switch {
	case d.FileAttributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0:
		l.mode |= fs.ModeSymlink
	case d.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY != 0:
		l.mode |= fs.ModeDir
	}
	return l, nil
}
