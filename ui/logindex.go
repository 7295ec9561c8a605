package ui

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"jobrunner/jobs"
)

// Bounds of counting lines. A log of 10 GB takes some hundreds of looks at it to count,
// while each of them stays quick.
const (
	countBlock = 256 << 10 // bytes read at once
	countMost  = 128 << 20 // bytes for one look
	countTime  = 10 * time.Millisecond
	maxMarks   = 16 << 10 // of a log; where that is not enough, each stands for more of it
	maxIndexes = 64
)

// lineIndex knows how many lines the beginning of a log has, so that lines have
// numbers. It is made as far as there is time, and goes on where it was left.
type lineIndex struct {
	mu      sync.Mutex
	step    int64   // bytes between two marks: a power of two, at least countBlock
	marks   []int64 // line ends before byte i*step
	counted int64   // bytes
	ends    int64   // line ends in them
	lost    int64   // bytes of the log that were not kept when it was counted
}

// look gives the log as it is now, and counts on until all of it is counted or the
// time is over. Of two that look at once none may come with what is older.
func (x *lineIndex) look(out *jobs.Output) (*jobs.View, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	log, err := out.View()
	if err == nil {
		x.count(log)
	}
	return log, err
}

// count counts on, one block at least. What cannot be read just now is counted
// another time.
func (x *lineIndex) count(log *jobs.View) {
	if log.Size() < x.counted || log.Lost() != x.lost { // it is another text now
		x.marks, x.counted, x.ends, x.lost = nil, 0, 0, log.Lost()
	}
	if x.marks == nil {
		x.step, x.marks = countBlock, []int64{0}
	}
	if x.counted >= log.Size() {
		return
	}
	block, until := make([]byte, countBlock), time.Now().Add(countTime)
	for most := x.counted + countMost; x.counted < log.Size() && x.counted < most; {
		n, _ := log.ReadAt(block[:min(countBlock-x.counted%countBlock, log.Size()-x.counted)], x.counted)
		if n == 0 {
			return
		}
		x.ends += int64(bytes.Count(block[:n], []byte{'\n'}))
		x.counted += int64(n)
		x.mark()
		if time.Now().After(until) {
			return
		}
	}
}

// done is how much is counted, of bytes and of line ends.
func (x *lineIndex) done() (bytes, ends int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.counted, x.ends
}

// mark notes what is counted, if a mark is due there.
func (x *lineIndex) mark() {
	if x.counted%x.step != 0 {
		return
	}
	if len(x.marks) == maxMarks {
		for i := range maxMarks / 2 {
			x.marks[i] = x.marks[2*i]
		}
		x.marks, x.step = x.marks[:maxMarks/2], 2*x.step
		if x.counted%x.step != 0 {
			return
		}
	}
	x.marks = append(x.marks, x.ends)
}

// before is how many line ends are before a byte of the log; false if it is not
// counted so far.
func (x *lineIndex) before(log io.ReaderAt, at int64) (int64, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at > x.counted {
		return 0, false
	}
	if at == x.counted {
		return x.ends, true
	}
	i := at / x.step
	ends := x.marks[i]
	_, err := eachBlock(log, i*x.step, at, func(b []byte, _ int64) bool {
		ends += int64(bytes.Count(b, []byte{'\n'}))
		return true
	})
	return ends, err == nil
}

// begin gives where a line begins, counted from 1; false if it is not counted so
// far. What follows the last line counts as one more.
func (x *lineIndex) begin(log io.ReaderAt, line int64) (int64, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if line <= 1 {
		return 0, true
	}
	if line > x.ends+1 {
		return 0, false
	}
	ends := line - 1 // the line begins behind that line end
	low, high := 0, len(x.marks)
	for high-low > 1 { // the last mark with fewer
		if i := (low + high) / 2; x.marks[i] < ends {
			low = i
		} else {
			high = i
		}
	}
	left, place := ends-x.marks[low], int64(-1)
	_, err := eachBlock(log, int64(low)*x.step, x.counted, func(b []byte, at int64) bool {
		if n := int64(bytes.Count(b, []byte{'\n'})); n < left {
			left -= n
			return true
		}
		for i := -1; ; {
			i += bytes.IndexByte(b[i+1:], '\n') + 1
			if left--; left == 0 {
				place = at + int64(i) + 1
				return false
			}
		}
	})
	return place, err == nil && place >= 0
}

// eachBlock calls do with what stands from one place to another, in blocks, until
// it returns false; done reports whether it never did.
func eachBlock(log io.ReaderAt, from, to int64, do func(b []byte, at int64) bool) (done bool, err error) {
	block := make([]byte, min(lineBlock, to-from))
	for from < to {
		n, err := log.ReadAt(block[:min(int64(len(block)), to-from)], from)
		if n == 0 {
			return false, fmt.Errorf("reading log: %w", err)
		}
		if !do(block[:n], from) {
			return false, nil
		}
		from += int64(n)
	}
	return true, nil
}

// lineIndexes holds those of the logs that were looked at lately.
type lineIndexes struct {
	mu    sync.Mutex
	known map[string]*lineIndex // by id and attempt
}

func newLineIndexes() *lineIndexes { return &lineIndexes{known: map[string]*lineIndex{}} }

// of gives that of an attempt's log.
func (l *lineIndexes) of(id string, attempt int) *lineIndex {
	key := attemptKey(id, attempt)
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.known[key]
	if x == nil {
		if len(l.known) >= maxIndexes {
			clear(l.known)
		}
		x = &lineIndex{}
		l.known[key] = x
	}
	return x
}
