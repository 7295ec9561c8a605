package jobs_test

import (
	"errors"
	"testing"

	"jobrunner/jobs"
)

// No more jobs wait than may. What adds none is taken all the same, and of what
// does not fit, nothing is.
func TestMaxPending(t *testing.T) {
	q, _ := openQueue(t)
	take := func(entries ...jobs.Entry) error {
		_, err := q.Accept(bg, jobs.Intake{Entries: entries, MaxPending: 3})
		return err
	}
	job := func() jobs.Entry { return jobs.Entry{Job: pendingJob()} }
	command := func(a jobs.Action, id string) jobs.Entry {
		return jobs.Entry{Command: &jobs.Command{Action: a, IDs: []string{id}}}
	}
	first, second := job(), job()
	ended := job()
	ended.Job.State = jobs.Completed
	failed := job()
	failed.Job.State = jobs.Failed
	for _, c := range []struct {
		name    string
		entries []jobs.Entry
		adds    int // of the error; 0 means that it is taken
		waiting int // afterwards
	}{
		{"two", []jobs.Entry{first, second}, 0, 2},
		{"two more", []jobs.Entry{job(), job()}, 2, 2},
		{"one more", []jobs.Entry{job()}, 0, 3},
		{"a fourth", []jobs.Entry{job()}, 1, 3},
		{"a known one", []jobs.Entry{first}, 0, 3},
		{"history", []jobs.Entry{ended, failed}, 0, 3},
		{"one that ran, again", []jobs.Entry{command(jobs.Rerun, ended.Job.ID)}, 1, 3},
		{"a retry", []jobs.Entry{command(jobs.Retry, failed.Job.ID)}, 0, 4},
		{"a cancel", []jobs.Entry{command(jobs.Cancel, first.Job.ID)}, 0, 3},
		{"in place of another", []jobs.Entry{command(jobs.Cancel, second.Job.ID), job()}, 0, 3},
	} {
		err := take(c.entries...)
		var full *jobs.FullError
		switch errors.As(err, &full); {
		case c.adds == 0 && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.adds > 0 && (full == nil || *full != jobs.FullError{Most: 3, Adds: c.adds}):
			t.Errorf("%s: %v, want a FullError of %d jobs", c.name, err, c.adds)
		}
		if n, err := q.Pending(bg); err != nil || n != c.waiting {
			t.Errorf("%s: %d wait, %v; want %d", c.name, n, err, c.waiting)
		}
	}
}
