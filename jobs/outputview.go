package jobs

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// errGivenUp ends a read of what was there when its View was made.
var errGivenUp = errors.New("a part of it was given up meanwhile, since the job writes on and its type has a max_log")

// View is an Output as it was at one moment, without what was written since. It
// is an io.ReaderAt for as long as the Output is open. Where the attempt goes on
// and its output is bounded, the oldest part of what follows the cut may be gone
// when it is to be read, which is an error.
type View struct {
	output *Output
	size   int64 // of the file
	time   time.Time
	cut    Cut
	mark   string // stands in place of what is cut; "" if nothing is
}

// View gives the output as it is now.
func (o *Output) View() (*View, error) {
	cut, err := o.look()
	if err != nil {
		return nil, err
	}
	info, err := o.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading log: %w", err)
	}
	v := &View{output: o, size: info.Size(), time: info.ModTime()}
	if cut.End > cut.Head && cut.End <= v.size {
		v.cut, v.mark = cut, cut.words(cut.End-cut.Head)
		last := make([]byte, 1)
		if _, err := o.file.ReadAt(last, cut.Head-1); err != nil {
			return nil, wrapRead(err)
		}
		if last[0] != '\n' {
			v.mark = "\n" + v.mark
		}
	}
	return v, nil
}

// Size is how many bytes it has, the line in place of what is cut among them.
func (v *View) Size() int64 { return v.size - v.Lost() + int64(len(v.mark)) }

// Lost is how many bytes were not kept.
func (v *View) Lost() int64 { return v.cut.End - v.cut.Head }

// WrittenAt is when it was last written to.
func (v *View) WrittenAt() time.Time { return v.time }

// Max is the bound on the output if something of it is cut, else 0.
func (v *View) Max() int64 { return v.cut.Max }

// Head is how many bytes stand before the line in place of what is cut; all if
// nothing is.
func (v *View) Head() int64 {
	if v.mark == "" {
		return v.size
	}
	return v.cut.Head
}

// Mark is that line, "" if nothing is cut.
func (v *View) Mark() string { return strings.TrimPrefix(v.mark, "\n") }

// Tag tells it from every other view of the same output.
func (v *View) Tag() string { return fmt.Sprintf("%x-%x-%x", v.size, v.cut.End, v.time.UnixNano()) }

// place gives where in the file the view's byte at off stands, and what comes
// before that: the rest of the line in place of what is cut.
func (v *View) place(off int64) (at int64, before []byte) {
	switch behind := off - v.cut.Head; {
	case v.mark == "" || behind < 0:
		return off, nil
	case behind < int64(len(v.mark)):
		return v.cut.End, []byte(v.mark[behind:])
	default:
		return v.cut.End + behind - int64(len(v.mark)), nil
	}
}

// ReadAt is that of an io.ReaderAt.
func (v *View) ReadAt(p []byte, off int64) (int, error) {
	read := 0
	for read < len(p) {
		at, before := v.place(off + int64(read))
		if len(before) > 0 {
			read += copy(p[read:], before)
			continue
		}
		end := v.size
		if v.mark != "" && at < v.cut.Head {
			end = v.cut.Head
		}
		if at >= end {
			return read, io.EOF
		}
		n, err := v.output.file.ReadAt(p[read:][:min(int64(len(p)-read), end-at)], at)
		if errCut := v.still(at, n); errCut != nil {
			return read, errCut
		}
		if read += n; err != nil {
			return read, err
		}
	}
	return read, nil
}

// still returns an error if something of the n bytes that were read at a place
// in the file may have been given up before that.
func (v *View) still(at int64, n int) error {
	cut, err := v.output.look()
	if err != nil {
		return err
	}
	if cut.End > cut.Head && at < cut.End && at+int64(n) > cut.Head {
		return errGivenUp
	}
	return nil
}
