package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"jobrunner/config"
	"jobrunner/jobs"
)

const (
	configFile   = "jobrunner.yaml"
	configEnv    = "JOBRUNNER_CONFIG"
	databaseFile = "jobs.db" // in the state folder
)

// load reads the configuration that the command line names.
func (a *app) load() (*config.Config, error) { return config.Load(a.configPath()) }

func (a *app) configPath() string {
	path := a.config
	if path == "" {
		path = os.Getenv(configEnv)
	}
	if path == "" {
		path = configFile
	}
	return path
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
