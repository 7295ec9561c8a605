package ui

import (
	"errors"
	"fmt"
	"io/fs"

	"jobrunner/jobs"
)

// noLogError says in words why there is no log to show.
type noLogError struct{ words string }

func (e *noLogError) Error() string { return e.words }

// openLog opens the output of one attempt of j, with its past; attempt 0 means
// the latest. It returns a *noLogError where there is nothing to open.
func (s *server) openLog(j *jobs.Job, attempt int) (*jobs.Output, error) {
	if attempt == 0 {
		attempt = j.Attempt
	}
	if attempt > j.Attempt {
		return nil, noAttempt(j, attempt)
	}
	if attempt == j.Attempt && j.Log == "" {
		return nil, &noLogError{notStarted(j)}
	}
	out, err := jobs.OpenOutput(s.StateDir, j, attempt)
	switch {
	case errors.Is(err, jobs.ErrNoRegularFile):
		return nil, &noLogError{"the job's log is not a regular file any more"}
	case errors.Is(err, fs.ErrNotExist):
		return nil, &noLogError{fmt.Sprintf("attempt %d has no log: it never started, or the file was removed", attempt)}
	}
	return out, err
}

func noAttempt(j *jobs.Job, attempt int) error {
	return &noLogError{fmt.Sprintf("there is no attempt %d: the latest is attempt %d", attempt, j.Attempt)}
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
