package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

const (
	minPrefix = 4  // letters of an id that a verb needs
	wholeID   = 36 // letters of an id
)

// named is what a word of the command line names: a job, or a sweep with all
// its jobs.
type named struct {
	id    string // of the job or of the sweep
	sweep bool
	jobs  []*jobs.Job // the job alone, or those of the sweep in order of acceptance
}

// named gives what a word names: an id or the beginning of one.
func (c *client) named(ctx context.Context, word string) (*named, error) {
	if len(word) < minPrefix {
		return nil, &usageError{
			message: fmt.Sprintf("%s is too short for an id", strconv.Quote(word)),
			hint:    fmt.Sprintf("give at least its first %d letters; jobrunner list shows them", minPrefix),
		}
	}
	if c.queue == nil {
		return nil, noJob(word, c.whyNot(word, "no daemon has run here yet: jobrunner serve starts one"))
	}
	var fits []string
	var several *jobs.AmbiguousError
	var gone *jobs.PrunedError
	j, err := c.queue.Find(ctx, word)
	errors.As(err, &gone)
	switch {
	case errors.As(err, &several):
		fits = several.IDs
	case err != nil && !errors.Is(err, jobs.ErrNotFound):
		return nil, err
	case err == nil && len(word) == wholeID:
		return &named{id: j.ID, jobs: []*jobs.Job{j}}, nil
	case err == nil:
		fits = []string{j.ID}
	}
	members, err := c.queue.Members(ctx, word)
	switch {
	case errors.As(err, &several):
		fits = append(fits, several.IDs...)
	case err != nil && !errors.Is(err, jobs.ErrNotFound):
		return nil, err
	case len(members) > 0:
		fits = append(fits, members[0].Group)
	}
	switch {
	case len(fits) == 0 && gone != nil:
		return nil, gone
	case len(fits) == 0:
		return nil, noJob(word, c.whyNot(word, "jobrunner list shows the jobs that are known"))
	case len(fits) > 1:
		return nil, &hintedError{
			err:  fmt.Errorf("%s fits several jobs: %s", strconv.Quote(word), strings.Join(fits, ", ")),
			hint: "give more letters of the id",
		}
	case len(members) > 0:
		return &named{id: fits[0], sweep: true, jobs: members}, nil
	}
	return &named{id: j.ID, jobs: []*jobs.Job{j}}, nil
}

// find gives the one job that a word names.
func (c *client) find(ctx context.Context, word string) (*jobs.Job, error) {
	n, err := c.named(ctx, word)
	if err != nil {
		return nil, err
	}
	if n.sweep {
		return nil, &hintedError{
			err:  fmt.Errorf("%s is a sweep of %s", short(n.id), count(len(n.jobs), "job")),
			hint: fmt.Sprintf("name one of them; jobrunner list --group %s shows them", short(n.id)),
		}
	}
	return n.jobs[0], nil
}

// resolve gives the whole ids of the jobs and sweeps that words name. Without a
// daemon a job may still lie in the inbox, so a whole id is then taken as it is.
func (c *client) resolve(ctx context.Context, words []string) ([]string, error) {
	var ids []string
	for _, word := range words {
		n, err := c.named(ctx, strings.TrimSpace(word))
		if err == nil {
			ids = append(ids, n.id)
			continue
		}
		if !errors.Is(err, jobs.ErrNotFound) {
			return nil, err
		}
		_, held, lockErr := lockHolder(c.cfg.StateDir)
		if lockErr != nil {
			return nil, lockErr
		}
		if _, bad := uuid.Parse(word); held || bad != nil || len(word) != wholeID {
			return nil, err
		}
		ids = append(ids, strings.ToLower(word))
	}
	return ids, nil
}

// whyNot says where the request of add lies whose job a word names and that was
// not taken yet, or else what else is to be said of a job that is not there.
func (c *client) whyNot(word, otherwise string) string {
	names, err := os.ReadDir(c.cfg.Inbox)
	if err != nil {
		return otherwise
	}
	for _, n := range names {
		if strings.HasPrefix(n.Name(), requestName(strings.ToLower(short(word)))) {
			return "its request was not taken yet, and waits in " + filepath.Join(c.cfg.Inbox, n.Name())
		}
	}
	return otherwise
}

func noJob(word, hint string) error {
	return &hintedError{err: &absentError{word}, hint: hint}
}

// absentError says that no job has that id.
type absentError struct{ word string }

func (e *absentError) Error() string { return "there is no job " + strconv.Quote(e.word) }
func (e *absentError) Unwrap() error { return jobs.ErrNotFound }
