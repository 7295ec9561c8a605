package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// Options is what a Runner needs. All of it but Log and Drained must be set.
type Options struct {
	StateDir string               // absolute; holds the supervisor's socket and the logs
	Queue    *jobs.Queue          // open for writing
	Catalog  func() *jobs.Catalog // the types and limits in force; never nil
	Command  []string             // argv that runs the supervisor for StateDir
	Log      zerolog.Logger       // the zero value logs nothing

	// Drained is called once, when the queue is being drained and nothing runs
	// any more. It must not block. nil means that nobody waits for that.
	Drained func()
}

// Runner starts jobs and records how they end.
type Runner struct {
	options  Options
	reload   chan struct{}
	hindered hindrance
	known    atomic.Pointer[Supervisor] // the supervisor that is connected; nil if none is
}

// Supervisor is the process that owns the jobs.
type Supervisor struct {
	PID      int
	Protocol int // version of the protocol that it speaks
}

// New returns a Runner that does nothing until Run.
func New(o Options) *Runner {
	return &Runner{options: o, reload: make(chan struct{}, 1)}
}

// Run first takes over what already runs and then starts jobs within the limits,
// until ctx ends. It returns nil then, once nothing that it began is half done;
// the jobs run on. An error means that the queue could not be read at all.
func (r *Runner) Run(ctx context.Context) error {
	if err := makeLogs(r.options.StateDir); err != nil {
		return err
	}
	s := newScheduler(r.options)
	s.hindered, s.known = &r.hindered, &r.known
	defer s.close()
	running, err := s.queue.Running(ctx)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("reading running jobs: %w", err)
	}
	for _, job := range running {
		s.take(job)
	}
	s.settle(ctx)
	s.serve(ctx, r.reload)
	return nil
}

// Reload says that Options.Catalog gives something new. Limits hold from now on
// for what is started; nothing that runs is ended.
func (r *Runner) Reload() {
	select {
	case r.reload <- struct{}{}:
	default:
	}
}

// Hindered says in words what keeps jobs from being started although they could
// be, as a full disk does; "" if nothing does. They wait and are tried again. It
// may be called from any goroutine.
func (r *Runner) Hindered() string { return r.hindered.words() }

// Supervisor is the one that is connected; nil if none is, as before the first
// job starts. It may be called from any goroutine.
func (r *Runner) Supervisor() *Supervisor { return r.known.Load() }

func makeLogs(stateDir string) error {
	if err := os.MkdirAll(filepath.Join(stateDir, "logs"), 0o700); err != nil {
		return fmt.Errorf("making the folder of logs: %w", err)
	}
	return nil
}
