package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"jobrunner/jobs"
)

// noLogError says in words why there is no log to show.
type noLogError struct{ words string }

func (e *noLogError) Error() string { return e.words }

// openLog opens the output of one attempt of j, with its past; attempt 0 means the latest. The
// latest is logs/<id>.log, earlier ones are logs/<id>.<n>.log. It returns a
// *noLogError where there is nothing to open.
func (s *server) openLog(j *jobs.Job, attempt int) (*os.File, fs.FileInfo, error) {
	if attempt == 0 {
		attempt = j.Attempt
	}
	if attempt > j.Attempt {
		return nil, nil, &noLogError{fmt.Sprintf("there is no attempt %d: the latest is attempt %d", attempt, j.Attempt)}
	}
	if attempt == j.Attempt && j.Log == "" {
		return nil, nil, &noLogError{notStarted(j)}
	}
	root, err := os.OpenRoot(s.StateDir)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the state folder: %w", err)
	}
	defer root.Close()
	for _, name := range j.LogNames(attempt) {
		f, fi, err := openRegular(root, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, fi, err
		}
	}
	return nil, nil, &noLogError{fmt.Sprintf("attempt %d has no log: it never started, or the file was removed", attempt)}
}

func notStarted(j *jobs.Job) string {
	words := "this job has no log: "
	switch {
	case j.State == jobs.Rejected:
		words += "it was never accepted"
	case j.State.Ended():
		words += "it never started"
	case j.Attempt > 1:
		words += fmt.Sprintf("attempt %d has not started; ?attempt=%d gives the one before", j.Attempt, j.Attempt-1)
	default:
		words += "it has not started"
	}
	return words
}

// openRegular opens a regular file below root. The job could have put anything
// in the place of its log, and opening a FIFO would wait for ever.
func openRegular(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("opening log: %w", err)
	}
	if !before.Mode().IsRegular() {
		return nil, nil, &noLogError{"the job's log is not a regular file any more"}
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("opening log: %w", err)
	}
	fi, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("opening log: %w", err)
	}
	return f, fi, nil
}

// readEnd reads the last limit bytes of the log, from the beginning of a line
// on where there is one.
func readEnd(f io.ReaderAt, size, limit int64) (data []byte, cut bool, err error) {
	start := max(0, size-limit)
	data = make([]byte, size-start)
	n, err := f.ReadAt(data, start)
	if err != nil && err != io.EOF {
		return nil, false, fmt.Errorf("reading log: %w", err)
	}
	data = data[:n]
	if start > 0 {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			data = data[i+1:]
		}
	}
	return data, start > 0, nil
}
