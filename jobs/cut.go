package jobs

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
)

// Cut tells which part of an attempt's output was not kept, because its type
// bounds its size: the bytes from Head up to End of its file. They are a hole
// in it that takes no room and reads as NULs; nothing is cut while Head = End.
// It stands in a file of its own from the moment that the attempt is started,
// and is written before the hole is made.
type Cut struct {
	Max  int64 // the bound
	Head int64 // bytes at the beginning that are always kept; never changes
	End  int64 // where the rest begins that was kept; it only grows
}

// CutBlock is what parts of a file are given back in: Head and End are
// multiples of it.
const CutBlock = 4096

// MinLog is the smallest bound: less would be all but nothing, in blocks.
const MinLog = 64 << 10

// NewCut gives the cut of an output that is bounded to max bytes and empty yet.
func NewCut(max int64) Cut {
	head := (max/4 + CutBlock - 1) / CutBlock * CutBlock
	return Cut{Max: max, Head: head, End: head}
}

// Grown gives the cut as it has to be once size bytes are written: what is kept
// takes no more than Max.
func (c Cut) Grown(size int64) Cut {
	if size < c.End { // the attempt has emptied its own output, and begins anew
		c.End = c.Head
	}
	tail := c.Max - c.Head - CutBlock
	c.End = max(c.End, (size-tail)/CutBlock*CutBlock)
	return c
}

// CutName is the file that holds the cut of an attempt, relative to the state
// folder. It bears the attempt's own number, so that it stays where it is when
// the output is put aside.
func CutName(id string, attempt int) string { return fmt.Sprintf("logs/%s.%d.cut", id, attempt) }

// CutFile is that file of the attempt whose output is, or was at its start, in
// the file named log: <id>.log.
func CutFile(log, id string, attempt int) string {
	return filepath.Join(filepath.Dir(log), filepath.Base(CutName(id, attempt)))
}

// cutLength is that of the file: always the same, so that it is written anew in
// one write.
const cutLength = 96

// Bytes gives the cut as it stands in its file: a line that begins with a
// checksum, since it may be read while it is written.
func (c Cut) Bytes() []byte {
	text := fmt.Sprintf("max_log %d head %d end %d", c.Max, c.Head, c.End)
	line := fmt.Sprintf("%08x %s", crc32.ChecksumIEEE([]byte(text)), text)
	return fmt.Appendf(nil, "%-*s\n", cutLength-1, line)
}

// ParseCut reads what Bytes gave; false if it is torn or something else.
func ParseCut(data []byte) (Cut, bool) {
	var c Cut
	var sum uint32
	n, err := fmt.Sscanf(string(data), "%08x max_log %d head %d end %d", &sum, &c.Max, &c.Head, &c.End)
	ok := err == nil && n == 4 && len(data) == cutLength && c.Head >= 0 && c.End >= c.Head
	return c, ok && string(c.Bytes()) == string(data)
}

// words is the line that stands for n bytes that were not kept.
func (c Cut) words(n int64) string {
	return fmt.Sprintf("[… %s not kept: max_log %s …]\n", RoughSize(n), ExactSize(c.Max))
}
