package meter

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"jobrunner/jobs"
)

const (
	// mostRead is how much of what was printed since the last look is read; if it
	// is more, the latest of it. So a job that prints without end costs next to
	// nothing.
	mostRead = 64 << 10
	// quietTime is how long a log stays open that does not grow.
	quietTime = 30 * time.Second
)

// logs are the outputs that are followed. No more than mostOpen of them are open.
type logs struct {
	stateDir string
	queue    *jobs.Queue
	open     map[*log]bool
	buf      []byte
	taken    int64 // bytes that were read since the beginning
}

func newLogs(stateDir string, queue *jobs.Queue) *logs {
	return &logs{stateDir: stateDir, queue: queue, open: map[*log]bool{}, buf: make([]byte, mostRead)}
}

// log is the output of one attempt.
type log struct {
	*logs
	job  *jobs.Job
	out  *jobs.Output // nil while it is not open
	file fs.FileInfo  // which one it is; nil until it was opened
	at   int64        // it has been read, or left out, as far as that
	grew time.Time    // when it was last written to; zero if it was not

	ended bool // so what bears its name may be the next attempt's
}

func (s *logs) of(j *jobs.Job) *log { return &log{logs: s, job: j} }

// close closes all.
func (s *logs) close() {
	for l := range s.open {
		l.close()
	}
}

// read hands what was appended to a detector; nil if nobody wants it. After a
// fault it is tried again at the next look: there may be no log, or none any more.
func (l *log) read(d Detector, now time.Time) {
	if l.out == nil && (l.ended || !l.reopen()) {
		return
	}
	info, err := l.out.Stat()
	if err != nil {
		l.close()
		return
	}
	if size := info.Size(); size != l.at {
		l.grew = info.ModTime()
		l.take(d, size)
	}
	if now.Sub(l.grew) > quietTime || mostOpen == 0 {
		l.close()
	}
}

// take reads as far as size.
func (l *log) take(d Detector, size int64) {
	switch from := max(0, size-mostRead); {
	case d == nil:
		l.at = size
	case size < l.at: // the attempt has emptied its own output
		l.at = from
		d.Skip()
	case from > l.at:
		l.at = from
		d.Skip()
	}
	if l.out.At() != l.at {
		l.out.GoOn(l.at)
	}
	for l.at < size {
		n, err := l.out.Read(l.buf[:min(mostRead, size-l.at)])
		if n > 0 {
			l.taken += int64(n)
			d.Write(l.buf[:n], l.grew)
		}
		l.at = l.out.At()
		if err != nil {
			return
		}
	}
}

// reopen opens the output, unless nothing was appended since it was closed.
func (l *log) reopen() bool {
	info, err := os.Lstat(filepath.Join(l.stateDir, filepath.FromSlash(l.job.Log)))
	if err != nil || l.file != nil && (info.Size() == l.at || !os.SameFile(info, l.file)) {
		return false
	}
	return l.opens(l.job)
}

// opens opens the output under the name that j has for it, if it is still the
// same file, and closes another one if too many are open.
func (l *log) opens(j *jobs.Job) bool {
	out, err := jobs.OpenOutput(l.stateDir, j, l.job.Attempt)
	if err != nil {
		return false
	}
	info, err := out.Stat()
	if err != nil || l.file != nil && !os.SameFile(info, l.file) {
		_ = out.Close() // it was only read
		return false
	}
	if len(l.open) >= mostOpen {
		l.closeQuietest()
	}
	l.out, l.file = out, info
	l.open[l] = true
	return true
}

// find opens the output of an attempt that has ended, also if the next one has
// put it aside: only the queue knows that, since the next one's may even have the
// same inode.
func (l *log) find(ctx context.Context) {
	l.ended = true
	if l.out != nil || l.file == nil {
		return
	}
	if j, err := l.queue.Detail(ctx, l.job.ID); err == nil {
		l.opens(j)
	}
}

// closeQuietest closes the output that was not written to for the longest time.
func (s *logs) closeQuietest() {
	var quietest *log
	for l := range s.open {
		if quietest == nil || l.grew.Before(quietest.grew) {
			quietest = l
		}
	}
	if quietest != nil {
		quietest.close()
	}
}

func (l *log) close() {
	if l.out != nil {
		_ = l.out.Close() // it was only read
		l.out = nil
		delete(l.open, l)
	}
}

// noteFile is what is known of an attempt's progress file.
type noteFile struct {
	size int64
	at   time.Time // when it was written; zero if there was none
}

// read gives what stands in the file, and when it was written, if it was written
// since it was last read.
func (n *noteFile) read(stateDir string, j *jobs.Job) (content []byte, at time.Time, ok bool) {
	info, err := os.Lstat(jobs.ProgressPath(stateDir, j.ID, j.Attempt, j.RunAs))
	if err != nil || !info.Mode().IsRegular() || info.Size() == n.size && info.ModTime().Equal(n.at) {
		return nil, time.Time{}, false
	}
	if content, err = jobs.ReadProgress(stateDir, j); err != nil {
		return nil, time.Time{}, false // tried again at the next look
	}
	n.size, n.at = info.Size(), info.ModTime()
	return content, n.at, true
}
