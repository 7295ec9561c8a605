package ui

import (
	"bytes"
	"io"
)

// Bounds of the work for one part of a log, in bytes.
const (
	lineBlock = 64 << 10 // read at once
	lineFed   = 16 << 10 // of a line that are drawn
	lineShown = 4 << 10  // of a line that is longer, and is no redrawn bar
	lineFar   = 8 << 20  // for which the end of a line is looked for
)

// lines gives the lines of a log one after the other. It is used by one
// goroutine.
type lines struct {
	log   io.ReaderAt
	at    int64 // where the next one begins
	end   int64 // of the log, or of what of it is wanted
	block []byte
	from  int64 // where block begins
}

// logLine is one line of it.
type logLine struct {
	text  []byte // what is to be drawn; good until the next line is asked for
	from  int64
	next  int64 // where the next one begins
	rest  int64 // bytes at its end that are not in text
	ended bool  // by a line end
}

// next gives the next line; io.EOF if there is none. Of a line that is longer than
// lineFed the beginning is given or, where it was drawn over and over, what was
// drawn last. One that is longer than lineFar is taken apart.
func (l *lines) next() (logLine, error) {
	if l.at >= l.end {
		return logLine{}, io.EOF
	}
	line := logLine{from: l.at}
	stop, err := l.find(l.at)
	if err != nil {
		return line, err
	}
	line.next, line.ended = stop, false
	if b, err := l.read(stop-1, 1); err != nil {
		return line, err
	} else if b[0] == '\n' {
		line.ended, stop = true, stop-1
	}
	if line.text, line.rest, err = l.text(line.from, stop); err != nil {
		return line, err
	}
	l.at = line.next
	return line, nil
}

// find gives the byte behind the line end that follows a place: at most lineFar
// behind it.
func (l *lines) find(at int64) (int64, error) {
	limit := min(l.end, at+lineFar)
	for at < limit {
		b, err := l.ahead(at)
		if err != nil {
			return 0, err
		}
		b = b[:min(int64(len(b)), limit-at)]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		at += int64(len(b))
	}
	return limit, nil
}

// text gives what is to be drawn of the bytes from one place to another.
func (l *lines) text(from, to int64) (text []byte, rest int64, err error) {
	if to-from <= lineFed {
		text, err = l.read(from, to-from)
		return text, 0, err
	}
	if text, err = l.read(to-lineFed, lineFed); err != nil {
		return nil, 0, err
	}
	drawn := bytes.TrimRight(text, "\r")
	if i := bytes.IndexByte(drawn, '\r'); i >= 0 {
		return text[i+1:], 0, nil
	}
	text, err = l.read(from, lineShown)
	return text, to - from - int64(len(text)), err
}

// read gives n bytes of the log, at most lineBlock; good until the next read.
func (l *lines) read(at, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if at < l.from || at+n > l.from+int64(len(l.block)) {
		if err := l.load(at); err != nil {
			return nil, err
		}
	}
	b := l.block[at-l.from:]
	if int64(len(b)) < n {
		return nil, io.ErrUnexpectedEOF // it was made shorter
	}
	return b[:n], nil
}

// ahead gives some bytes of the log from a place before its end on.
func (l *lines) ahead(at int64) ([]byte, error) {
	if at < l.from || at >= l.from+int64(len(l.block)) {
		if err := l.load(at); err != nil {
			return nil, err
		}
	}
	if len(l.block) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return l.block[at-l.from:], nil
}

func (l *lines) load(at int64) error {
	if l.block == nil {
		l.block = make([]byte, lineBlock)
	}
	n, err := l.log.ReadAt(l.block[:min(lineBlock, l.end-at)], at)
	l.block, l.from = l.block[:n], at
	if err == io.EOF {
		return nil
	}
	return err
}

// upward looks for the beginnings of lines, going towards the beginning of a log.
// It is used by one goroutine.
type upward struct {
	log   io.ReaderAt
	block []byte
	from  int64 // where block begins
}

// begin gives where the line begins that a place of the log is in, and reports
// false if that is more than reach bytes before it.
func (u *upward) begin(at, reach int64) (int64, bool, error) {
	for end := at; end > 0; end = u.from {
		if at-end >= reach {
			return at, false, nil
		}
		if end <= u.from || end > u.from+int64(len(u.block)) {
			if err := u.load(end); err != nil {
				return at, false, err
			}
		}
		if i := bytes.LastIndexByte(u.block[:end-u.from], '\n'); i >= 0 {
			return u.from + int64(i) + 1, true, nil
		}
	}
	return 0, true, nil
}

// load reads the bytes before a place.
func (u *upward) load(end int64) error {
	start := max(0, end-lineBlock)
	if u.block == nil {
		u.block = make([]byte, lineBlock)
	}
	u.block = u.block[:end-start]
	n, err := u.log.ReadAt(u.block, start)
	u.from = start
	if int64(n) < end-start {
		u.block = u.block[:0]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // it was made shorter
		}
		return err
	}
	return nil
}
