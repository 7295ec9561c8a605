package watcher

import (
	"bytes"
	"hash/maphash"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// viewLine is a job's line as it stands in the queue file.
type viewLine struct {
	id      uuid.UUID
	start   int64 // of the whole line, leading spaces included; in the view that of its text
	length  int   // from there, line end included
	lead    int   // blanks before its text
	wordAt  int   // of the state word, from start
	room    int   // bytes that a state word may fill there
	word    jobs.State
	text    uint32    // fingerprint, 24 bits, of all but the state word and outer spaces
	placed  time.Time // when it was taken, appended or moved
	changed time.Time // when its word was last written by us; zero if unknown
}

// at is where the line's text stands. What is blanked before a line becomes
// blanks of its own, but its text stays where it is.
func (l viewLine) at() int64 { return l.start + int64(l.lead) }

// stretch is that of the line's text.
func (l viewLine) stretch() stretch { return stretch{l.at(), l.length - l.lead} }

// parseViewLine reads a job's line: a UUID first, a state word last. It
// returns false for every other line.
func parseViewLine(raw []byte) (viewLine, bool) {
	text := trimSpace(raw)
	if len(text) < 36+1 || !isSpace(text[36]) {
		return viewLine{}, false
	}
	id, err := uuid.ParseBytes(text[:36])
	if err != nil {
		return viewLine{}, false
	}
	last := bytes.LastIndexFunc(text, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) })
	word, ok := jobs.ParseState(string(text[last+1:]))
	if !ok {
		return viewLine{id: id, length: len(raw), lead: leading(raw), text: fingerprint(text)}, true
	}
	lead := leading(raw)
	wordAt := lead + last + 1
	end := wordAt
	for end < len(raw) && raw[end] != '\n' && raw[end] != '\r' && raw[end] != 0 {
		end++
	}
	return viewLine{
		id: id, length: len(raw), lead: lead, wordAt: wordAt, room: end - wordAt, word: word,
		text: fingerprint(trimSpace(text[:last])),
	}, true
}

// fingerprint tells texts apart for as long as this process lives.
func fingerprint(text []byte) uint32 { return uint32(maphash.Bytes(seed, text) >> 40) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

// trimSpace takes away what means nothing at either end of a line, the NUL
// bytes of a torn append included.
func trimSpace(raw []byte) []byte { return bytes.Trim(raw, " \t\r\n\v\f\x00") }

// pageSize is the stretch within which a read on Linux does not see half of a
// write: the state word of a line must not straddle its border.
const pageSize = 4096

// formatViewLine gives a job's line as it is to stand at offset at, with its
// line end, led by spaces where the state word would straddle a page.
func formatViewLine(text []byte, at int64) []byte {
	wordAt := at + int64(len(text)-jobs.StateWidth)
	pad := 0
	if rest := int(wordAt % pageSize); rest+jobs.StateWidth > pageSize {
		pad = pageSize - rest
	}
	line := make([]byte, 0, pad+len(text)+1)
	line = append(line, bytes.Repeat([]byte{' '}, pad)...)
	line = append(line, text...)
	return append(line, '\n')
}

// eachLine calls fn for each complete line of data, whose first byte stands at
// offset base of the file, and returns what follows the last line end.
func eachLine(data []byte, base int64, fn func(start int64, raw []byte)) (rest []byte) {
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 {
			return data
		}
		fn(base, data[:i+1])
		base += int64(i + 1)
		data = data[i+1:]
	}
}

// blanks are what may stand before a line's text and means nothing.
const blanks = " \t\v\f\r\x00"

// leading counts the bytes before a line's text.
func leading(raw []byte) int { return len(raw) - len(bytes.TrimLeft(raw, blanks)) }
