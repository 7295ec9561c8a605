package watcher

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"jobrunner/jobs"
)

// rawLine is a line as its writer wrote it. As many may wait as fit into the
// file, so only what is asked of all of them is kept; their words stay where
// they are and are read again when their turn comes.
type rawLine struct {
	hash   uint64 // jobs.RawHash of it
	at     uint32 // where its text stands
	length uint32 // of that, line end included
	number uint32 // of the line
	lead   uint16 // blanks before its text; there may be more
	traits traits
}

// traits say what can be told of a line at a glance.
type traits uint8

const (
	named    traits = 1 << iota // it begins with an id: whether that is known is to be looked up
	remark                      // it is a comment
	object                      // it may be JSON
	order                       // it may be a command
	examined                    // it was found to be no command that can be taken before others
)

// mostLead is how many of the blanks before a line are kept as its own.
const mostLead = math.MaxUint16

// newRawLine is the line raw, which begins at start.
func newRawLine(start int64, raw []byte, number int) rawLine {
	lead := leading(raw)
	r := rawLine{
		hash: jobs.RawHash(raw), at: uint32(start) + uint32(lead), length: uint32(len(raw) - lead),
		number: uint32(number), lead: uint16(min(lead, mostLead)),
	}
	text := trimSpace(raw)
	switch {
	case bytes.HasPrefix(text, []byte{'#'}):
		r.traits |= remark
	case bytes.HasPrefix(text, []byte{'{'}):
		r.traits |= object
	}
	if mayCommand(text) {
		r.traits |= order
	}
	return r
}

func (r rawLine) is(t traits) bool { return r.traits&t != 0 }

// start is where the line begins, as far as it is known to.
func (r rawLine) start() int64 { return int64(r.at) - int64(r.lead) }

// end is where the next line begins.
func (r rawLine) end() int64 { return int64(r.at) + int64(r.length) }

// stretch is that of the line's text.
func (r rawLine) stretch() stretch { return stretch{int64(r.at), int(r.length)} }

// window is a part of the file as it was read.
type window struct {
	start int64
	data  []byte
}

// of gives the line's bytes, if the window has them all and they are its own.
func (w window) of(r rawLine) ([]byte, bool) {
	if r.start() < w.start || r.end() > w.start+int64(len(w.data)) {
		return nil, false
	}
	raw := w.data[r.start()-w.start : r.end()-w.start]
	return raw, jobs.RawHash(raw) == r.hash
}

// windowSize is how much is read at once of lines that wait.
const windowSize = 256 << 10

// text gives the line's bytes, which are good until another one's are asked for.
// errBusy means that it is not where it was: the next look tells.
func (q *queueFile) text(r rawLine) ([]byte, error) {
	if raw, ok := q.texts.of(r); ok {
		return raw, nil
	}
	f, err := openPlain(q.o.Path)
	if errors.Is(err, os.ErrNotExist) {
		q.distrust()
		return nil, errBusy
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, max(windowSize, r.end()-r.start()))
	n, err := f.ReadAt(data, r.start())
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s: %w", q.name, err)
	}
	q.texts = window{r.start(), data[:n]}
	raw, ok := q.texts.of(r)
	if !ok {
		q.distrust()
		return nil, errBusy
	}
	return raw, nil
}
