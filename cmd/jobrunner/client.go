package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"jobrunner/config"
	"jobrunner/jobs"
)

const (
	configFile   = "jobrunner.yaml"
	configEnv    = "JOBRUNNER_CONFIG"
	databaseFile = "jobs.db" // in the state folder

	minPrefix = 4 // letters of an id that a verb needs
)

// load reads the configuration that the command line names.
func (a *app) load() (*config.Config, error) {
	path := a.config
	if path == "" {
		path = os.Getenv(configEnv)
	}
	if path == "" {
		path = configFile
	}
	return config.Load(path)
}

// client is what the verbs that read jobs need. It works beside a daemon and
// without one.
type client struct {
	*app
	cfg   *config.Config
	queue *jobs.Queue // nil while there is no database
}

// open reads the configuration and opens the database if there is one. The
// caller closes the client.
func (a *app) open() (*client, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	c := &client{app: a, cfg: cfg}
	return c, c.reopen()
}

// reopen looks for the database again if there was none.
func (c *client) reopen() error {
	if c.queue != nil {
		return nil
	}
	q, err := jobs.OpenReader(c.database())
	if errors.Is(err, jobs.ErrNoQueue) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the jobs: %w", err)
	}
	q.SetCatalog(c.cfg.Catalog)
	c.queue = q
	return nil
}

func (c *client) database() string { return filepath.Join(c.cfg.StateDir, databaseFile) }

func (c *client) Close() {
	if c.queue != nil {
		_ = c.queue.Close() // it was only read from
	}
}

// find gives the job that a word of the command line names: an id or the
// beginning of one.
func (c *client) find(ctx context.Context, word string) (*jobs.Job, error) {
	if len(word) < minPrefix {
		return nil, &usageError{
			message: fmt.Sprintf("%s is too short for an id", strconv.Quote(word)),
			hint:    fmt.Sprintf("give at least its first %d letters; jobrunner list shows them", minPrefix),
		}
	}
	if c.queue == nil {
		return nil, noJob(word, "no daemon has run here yet: jobrunner serve starts one")
	}
	j, err := c.queue.Find(ctx, word)
	var several *jobs.AmbiguousError
	switch {
	case errors.As(err, &several):
		return nil, &hintedError{
			err:  fmt.Errorf("%s fits several jobs: %s", strconv.Quote(word), strings.Join(several.IDs, ", ")),
			hint: "give more letters of the id",
		}
	case errors.Is(err, jobs.ErrNotFound):
		return nil, noJob(word, "jobrunner list shows the jobs that are known")
	}
	return j, err
}

func noJob(word, hint string) error {
	return &hintedError{err: &absentError{word}, hint: hint}
}

// absentError says that no job has that id.
type absentError struct{ word string }

func (e *absentError) Error() string { return "there is no job " + strconv.Quote(e.word) }
func (e *absentError) Unwrap() error { return jobs.ErrNotFound }
