package runner

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// How often an output that is bounded is looked at: the faster it grows, the
// more often.
const (
	trimOften  = 10 * time.Millisecond
	trimSeldom = time.Second
)

// errNoHoles is why an output is not bounded.
var errNoHoles = errors.New("the file system cannot make holes in a file")

// trimmer keeps an attempt's output within its bound while the attempt writes
// straight into the file: it gives back what lies between the head of the file
// and its last part, so that it becomes a hole. The supervisor has one for each
// attempt that is bounded; if it is killed, the daemon that watches the attempt
// from then on. A nil trimmer does nothing.
type trimmer struct {
	log    zerolog.Logger
	path   string   // of record
	file   *os.File // the output
	record *os.File // tells readers what is cut

	cut    jobs.Cut // touched only by the goroutine, and before and after it
	noted  jobs.Cut // what the record says
	holed  int64    // the hole reaches as far as that
	size   int64    // as last seen
	failed bool     // that is logged

	stopping chan struct{}
	done     chan struct{} // closed when the goroutine is gone
}

// newTrimmer opens the output at path of an attempt, which is to be bounded to
// max bytes; begin has to follow, or discard. What was cut of it before stays
// cut. If max is 0 the trimmer goes on with what another one has begun; it is
// nil if none has. The error is errNoHoles where this cannot be done.
func newTrimmer(path, id string, attempt int, max int64, log zerolog.Logger) (*trimmer, error) {
	t := &trimmer{log: log, path: jobs.CutFile(path, id, attempt), stopping: make(chan struct{}), done: make(chan struct{})}
	if _, err := os.Lstat(t.path); max <= 0 && err != nil {
		return nil, nil
	}
	var err error
	if t.file, err = openRegular(path, 0); err != nil {
		return nil, err
	}
	if t.record, err = openRegular(t.path, os.O_CREATE); err == nil {
		err = t.resume(max)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

// resume takes up what the record says, or begins it.
func (t *trimmer) resume(max int64) error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	t.size = info.Size()
	if data, err := os.ReadFile(t.path); err == nil {
		t.cut, _ = jobs.ParseCut(data)
	}
	if bound := cmp.Or(max, t.cut.Max); bound > 0 && (t.size == 0 || t.cut.Max == 0) {
		t.cut = jobs.NewCut(bound) // nothing is cut of it yet
	}
	t.holed = t.cut.Head // perhaps further: it is only certain that it was to be
	err = holesIn(t.file)
	switch {
	case err == nil && t.cut.Max == 0:
		return errors.New("what was cut of it cannot be read")
	case err == nil:
		return t.note()
	}
	_ = os.Remove(t.path)
	return err
}

// openRegular opens a regular file for writing, which belongs to us alone.
func openRegular(path string, flags int) (*os.File, error) {
	umaskMu.RLock()
	defer umaskMu.RUnlock()
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New(path + " is no regular file")
	}
	return os.OpenFile(path, os.O_WRONLY|flags|noFollow, 0o600)
}

// begin starts to mind the output, until stop.
func (t *trimmer) begin() {
	if t != nil {
		go t.run()
	}
}

func (t *trimmer) run() {
	defer close(t.done)
	pause := trimOften
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-t.stopping:
			t.look()
			return
		case <-timer.C:
			pause = nextPause(pause, t.look(), t.cut.Max)
			timer.Reset(pause)
		}
	}
}

// nextPause is how long to wait if the output grew by some bytes in the last
// pause: until it has about an eighth of its bound more.
func nextPause(pause time.Duration, grown, bound int64) time.Duration {
	switch {
	case grown > bound/8:
		return max(pause/2, trimOften)
	case grown < bound/32:
		return min(pause*2, trimSeldom)
	}
	return pause
}

// look cuts what is too much and returns by how much the output has grown.
func (t *trimmer) look() (grown int64) {
	info, err := t.file.Stat()
	if err != nil {
		t.failing(err)
		return 0
	}
	grown, t.size = info.Size()-t.size, info.Size()
	next := t.cut.Grown(t.size)
	if next.End < t.cut.End {
		t.holed = next.Head
	}
	t.cut = next
	// The readers first: what they are told is gone may still be there, never the
	// other way round. Where the disk is too full for that, the hole makes room.
	errNote := t.note()
	if t.cut.End > t.holed {
		if err := punch(t.file, t.holed, t.cut.End-t.holed); err != nil {
			t.failing(err)
			return grown
		}
		t.holed = t.cut.End
	}
	t.failing(errNote)
	return grown
}

// note writes down what is cut, if that has changed. The first time it is on
// disk before the hole is: a power cut may leave an older record than the hole,
// which the next one who looks makes good, and never a hole without a record.
func (t *trimmer) note() error {
	if t.cut == t.noted {
		return nil
	}
	_, err := t.record.WriteAt(t.cut.Bytes(), 0)
	if first := t.noted.End == t.noted.Head && t.cut.End > t.cut.Head; err == nil && first {
		err = t.record.Sync()
	}
	if err == nil {
		t.noted = t.cut
	}
	return err
}

// failing logs the first of several errors. They are tried again with the next
// look.
func (t *trimmer) failing(err error) {
	if err != nil && !t.failed {
		t.log.Warn().Err(err).Str("file", t.file.Name()).Msg("output cannot be kept within max_log, trying again")
	}
	t.failed = err != nil
}

// stop, called once, looks once more and lets the output be. If the attempt has ended, what
// it has left behind may write on, and is kept within the bound while this
// process lives.
func (t *trimmer) stop(ended bool) {
	if t == nil {
		return
	}
	close(t.stopping)
	<-t.done
	if ended && t.written() {
		go t.linger()
		return
	}
	t.leave(ended)
}

// linger looks after an output that others write although its attempt has
// ended.
func (t *trimmer) linger() {
	for pause := trimOften; t.written(); {
		time.Sleep(pause)
		pause = nextPause(pause, t.look(), t.cut.Max)
	}
	t.leave(true)
}

// written reports whether another process has the output open for writing, as
// far as the system tells, whatever name it bears by now: the next attempt may
// have put it aside.
func (t *trimmer) written() bool {
	f, written, err := whileReleased(t.file)
	t.failing(err)
	t.file = f
	return written && err == nil
}

// leave closes the files. The record of an attempt that has ended is of no use
// if nothing was cut.
func (t *trimmer) leave(ended bool) {
	t.close()
	if ended && t.cut.End == t.cut.Head && t.noted == t.cut {
		_ = os.Remove(t.path)
	}
}

// discard undoes newTrimmer for an attempt that did not start.
func (t *trimmer) discard() {
	if t != nil {
		t.leave(true)
	}
}

func (t *trimmer) close() {
	for _, f := range []*os.File{t.file, t.record} {
		if f != nil {
			f.Close()
		}
	}
}

// tryHoles tells why the outputs in a state folder cannot be bounded; nil if they
// can. A folder that is not there yet is taken for one on the disk of the folder
// that it is to be in.
func tryHoles(stateDir string) error {
	f, err := os.CreateTemp(stateDir, ".try-")
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.CreateTemp(filepath.Dir(stateDir), ".try-")
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	return holesIn(f)
}

// holesIn tells why no holes can be made in a file; nil if they can.
func holesIn(f *os.File) error {
	err := canPunch(f)
	if errors.Is(err, errors.ErrUnsupported) {
		return errNoHoles
	}
	return err
}

// logWords says what became of the bound on an output; "" if there is none.
func logWords(bound int64, err error) string {
	switch {
	case bound <= 0:
		return ""
	case err != nil:
		return "log not limited: " + err.Error()
	}
	return "log " + jobs.ExactSize(bound)
}
