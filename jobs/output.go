package jobs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrNoRegularFile is what OpenOutput returns if something else lies in the
// place of an output: its job could have put it there.
var ErrNoRegularFile = errors.New("not a regular file any more")

// Output is what an attempt has printed, as it is shown: where a part of it was
// not kept, a line says so in its place. It is read from the beginning on, and
// may grow meanwhile. View gives it as it is at one moment. It is used by one
// goroutine.
type Output struct {
	file *os.File
	cut  *os.File // holds a Cut; nil: the output is not bounded
	seen Cut      // as last read from it

	at      int64  // where in the file reading goes on
	last    byte   // the one before that; 0: none
	pending []byte // to be given before that
}

// OpenOutput opens the output of an attempt of j, below the state folder. The
// error is fs.ErrNotExist if there is none. Of earlier attempts only a job from
// Detail knows all.
func OpenOutput(stateDir string, j *Job, attempt int) (*Output, error) {
	root, err := os.OpenRoot(stateDir)
	if err != nil {
		return nil, fmt.Errorf("opening the state folder: %w", err)
	}
	defer root.Close()
	err = fs.ErrNotExist
	for _, name := range j.LogNames(attempt) {
		var file *os.File
		if file, err = openRegular(root, name); err == nil {
			return &Output{file: file, cut: openCut(root, j.ID, attempt)}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, fmt.Errorf("opening log: %w", err)
}

// openCut opens what tells of an attempt's cut; nil if there is none.
func openCut(root *os.Root, id string, attempt int) *os.File {
	file, err := openRegular(root, CutName(id, attempt))
	if err != nil {
		return nil
	}
	return file
}

// openRegular opens a regular file below root, and neither follows a link nor
// waits for anybody, as opening a FIFO does, whoever may replace it meanwhile.
func openRegular(root *os.Root, name string) (*os.File, error) {
	name = filepath.FromSlash(name)
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is %w", name, ErrNoRegularFile)
	}
	file, err := root.OpenFile(name, os.O_RDONLY|openNonblocking, 0)
	if err != nil {
		return nil, err
	}
	if now, err := file.Stat(); err != nil || !os.SameFile(info, now) {
		file.Close()
		return nil, errors.Join(fmt.Errorf("%s is %w", name, ErrNoRegularFile), err)
	}
	return file, nil
}

// Close closes its files.
func (o *Output) Close() error {
	if o.cut != nil {
		o.cut.Close()
	}
	return o.file.Close()
}

// look reads what is cut now; nothing if the output is not bounded. What is
// there while it is being written is read once more.
func (o *Output) look() (Cut, error) {
	if o.cut == nil {
		return Cut{}, nil
	}
	data := make([]byte, cutLength)
	for range 100 {
		n, err := o.cut.ReadAt(data, 0)
		if err != nil && err != io.EOF {
			return Cut{}, fmt.Errorf("reading what is cut of the log: %w", err)
		}
		if c, ok := ParseCut(data[:n]); ok {
			size, err := o.size()
			if size < c.End {
				return Cut{}, err // emptied by the attempt, which who cuts has yet to notice
			}
			o.seen = c
			return c, err
		}
	}
	return o.seen, nil // it is damaged
}

// Read gives what follows; io.EOF when all that is there has been read, and
// more once there is more. Of what is given up before it was read, only a line
// is given that says so.
func (o *Output) Read(p []byte) (int, error) {
	for {
		if len(o.pending) > 0 {
			n := copy(p, o.pending)
			o.pending = o.pending[n:]
			o.last = p[n-1]
			return n, nil
		}
		cut, err := o.look()
		if err != nil {
			return 0, err
		}
		if o.skip(cut) {
			continue
		}
		n, err := o.file.ReadAt(p, o.at)
		if n, err = o.still(n, err); n > 0 {
			o.at += int64(n)
			o.last = p[n-1]
			return n, nil
		}
		if err != nil {
			return 0, wrapRead(err)
		}
	}
}

// skip goes on behind what is not kept, and reports whether it had to.
func (o *Output) skip(cut Cut) bool {
	if o.at < cut.Head || o.at >= cut.End {
		return false
	}
	if o.last != '\n' && o.at > 0 {
		o.pending = append(o.pending, '\n')
	}
	o.pending = append(o.pending, cut.words(cut.End-o.at)...)
	o.at = cut.End
	return true
}

// still gives how many of n bytes that were read, with err, were still kept
// then: what has been given up since may have been NULs already.
func (o *Output) still(n int, err error) (int, error) {
	if o.cut == nil || n == 0 {
		return n, err
	}
	cut, errCut := o.look()
	if errCut != nil {
		return 0, errCut
	}
	if cut.End <= o.at || cut.End == cut.Head || o.at+int64(n) <= cut.Head {
		return n, err
	}
	return int(max(0, cut.Head-o.at)), nil
}

func (o *Output) size() (int64, error) {
	info, err := o.file.Stat()
	if err != nil {
		return 0, fmt.Errorf("reading log: %w", err)
	}
	return info.Size(), nil
}

// WriteTo writes all that follows.
func (o *Output) WriteTo(w io.Writer) (int64, error) {
	if o.cut != nil {
		return io.Copy(w, struct{ io.Reader }{o})
	}
	if _, err := o.file.Seek(o.at, io.SeekStart); err != nil {
		return 0, wrapRead(err)
	}
	n, err := io.Copy(w, o.file)
	o.at += n
	return n, err
}

// Grown reports whether there is more than was read.
func (o *Output) Grown() bool {
	size, err := o.size()
	return len(o.pending) > 0 || err == nil && size > o.at
}

// Stat tells of its file as it is now; in its size counts what was cut.
func (o *Output) Stat() (fs.FileInfo, error) {
	info, err := o.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading log: %w", err)
	}
	return info, nil
}

// At is where in the file reading goes on.
func (o *Output) At() int64 { return o.at }

// GoOn has reading go on at that place in the file, which may be in the midst of
// a line, whatever was read before.
func (o *Output) GoOn(at int64) { o.at, o.last, o.pending = at, '\n', nil }

// Tail leaves out all but the last n lines.
func (o *Output) Tail(n int) error {
	v, err := o.View()
	if err != nil {
		return err
	}
	from, err := TailOffset(v, v.Size(), n)
	if err != nil {
		return err
	}
	o.at, o.pending = v.place(from)
	o.pending = bytes.Clone(o.pending)
	if from > 0 && len(o.pending) == 0 {
		o.last = '\n' // a line begins here
	}
	return nil
}

func wrapRead(err error) error {
	if err == io.EOF {
		return err
	}
	return fmt.Errorf("reading log: %w", err)
}
