package watcher

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// look is what tells a file and its content from any other, as far as the
// system says without reading it.
type look struct {
	device, inode uint64
	links         uint64
	mode          fs.FileMode
	size          int64
	mtime, ctime  int64 // Unix ns by the file system's clock: compared, never trusted
}

// unsuited says why a file must not be read, whatever its content, or "".
func (l look) unsuited() string {
	switch {
	case l.mode&fs.ModeSymlink != 0:
		return "it is a link"
	case l.mode.IsDir():
		return "it is a folder"
	case l.mode&fs.ModeNamedPipe != 0:
		return "it is a named pipe"
	case l.mode&fs.ModeSocket != 0:
		return "it is a socket"
	case l.mode&fs.ModeDevice != 0:
		return "it is a device"
	case !l.mode.IsRegular():
		return "it is not a regular file"
	case l.links > 1:
		return "it has a second hard link"
	}
	return ""
}

// sameFile reports whether both are looks at one file.
func (l look) sameFile(m look) bool { return l.device == m.device && l.inode == m.inode }

// sameContent reports whether both are looks at one file that was not written
// in between. A rename, which changes the ctime, does not count.
func (l look) sameContent(m look) bool {
	return l.sameFile(m) && l.size == m.size && l.mtime == m.mtime
}

// errChanged says that a file was written while it was read.
var errChanged = errors.New("it changed while it was read")

// readUnchanged reads f, which looked like before, to its end.
func readUnchanged(f *os.File, before look) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, before.size+1))
	if err != nil {
		return nil, err
	}
	after, err := lookInto(f)
	if err != nil {
		return nil, err
	}
	if after != before || int64(len(data)) != before.size {
		return nil, errChanged
	}
	return data, nil
}

// writers is what is known about who has a file open for writing.
type writers int

const (
	writersUnknown writers = iota // the system does not tell
	writersNone                   // nobody has, and the file is on this machine
	writersSome                   // another program has
)
