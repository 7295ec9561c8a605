package watcher

import (
	"bytes"
	"os"
)

// tailStands reports whether the bytes below q.end are those that were seen;
// what e holds of them was compared already.
func (q *queueFile) tailStands(f *os.File, e *edit) bool {
	from := q.end - int64(len(q.tail))
	if from >= e.from {
		return true
	}
	return standsAt(f, from, q.tail[:e.from-from])
}

// standsAt reports whether text stands in f at an offset.
func standsAt(f *os.File, at int64, text []byte) bool {
	b := make([]byte, min(len(text), pieceSize))
	for len(text) > 0 {
		n, _ := f.ReadAt(b[:min(len(text), len(b))], at)
		if n == 0 || !bytes.Equal(b[:n], text[:n]) {
			return false
		}
		at, text = at+int64(n), text[n:]
	}
	return true
}
