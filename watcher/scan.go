package watcher

import (
	"io"
)

// pieceSize is how much of the file is read at a time. A longer line is read
// as a whole.
const pieceSize = 1 << 20

// scanned is where a walk through the lines of a file has come to.
type scanned struct {
	end  int64  // of the last complete line
	rest []byte // what follows it
	last window // what was read last, rest included
}

// scanLines calls fn for each complete line of f that begins at from or after
// and ends before to. fn must not keep the bytes. Of more blanks before a line
// than mostLead it gives some.
func scanLines(f io.ReaderAt, from, to int64, fn func(start int64, raw []byte)) (scanned, error) {
	buf, at := make([]byte, 0, min(pieceSize, max(0, to-from))), from
	for {
		room := min(int64(cap(buf)-len(buf)), to-at-int64(len(buf)))
		n, err := f.ReadAt(buf[len(buf):len(buf)+int(room)], at+int64(len(buf)))
		if err != nil && err != io.EOF {
			return scanned{}, err
		}
		buf = buf[:len(buf)+n]
		rest := eachLine(buf, at, fn)
		s := scanned{at + int64(len(buf)-len(rest)), rest, window{at, buf}}
		if err == io.EOF || at+int64(len(buf)) >= to {
			return s, nil
		}
		at = s.end
		if n := len(rest) - mostLead; n > 0 && leading(rest) == len(rest) {
			rest, at = rest[n:], at+int64(n)
		}
		if len(rest) == cap(buf) {
			buf = make([]byte, 0, min(2*cap(buf), int(to-at)))
			buf = append(buf, rest...)
			continue
		}
		buf = buf[:copy(buf[:cap(buf)], rest)]
	}
}
