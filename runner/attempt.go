package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"jobrunner/jobs"
)

// attempt is one attempt of a job under this supervisor, from the moment that
// its start is asked for until its end is acknowledged.
type attempt struct {
	s       *supervisor
	timeout time.Duration
	grace   time.Duration // at the timeout

	started chan struct{} // closed when it runs, has failed to start, or was refused
	refused error         // why it was not even tried; set before started is closed

	mu       sync.Mutex // guards what follows
	child    *child     // set before started is closed; nil if it does not run
	state    attemptState
	ending   chan struct{} // closed when its tree has been ended; nil if it is not being ended
	finished bool          // it has ended: too late to end it
}

// look returns what is known of the attempt.
func (a *attempt) look() attemptState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state
}

// run starts the attempt, calls answer when it is known how that went, and
// returns when the attempt has ended and that is written down.
func (a *attempt) run(sp *spec, answer func()) {
	if err := a.s.journal.starting(sp.ID, sp.Attempt); err != nil {
		a.refused = err
		a.s.drop(sp.key())
		close(a.started)
		answer()
		return
	}
	limits := a.s.limiter.bind(sp)
	c, err := launch(sp, limits)
	at := time.Now()
	a.mu.Lock()
	if err != nil {
		a.state.Ended, a.finished, a.state.StartError = true, true, err.Error()
	} else {
		a.child, a.state.Process, a.state.StartedAt, a.state.Limits = c, c.process, at, c.limits
	}
	state := a.state
	a.mu.Unlock()
	a.s.journal.note(state)
	close(a.started)
	answer()
	if err != nil {
		limits.release()
		a.s.settle()
		return
	}
	a.await(c)
	a.finish(limits)
}

// await blocks until the process has ended, and ends it when its time is up.
func (a *attempt) await(c *child) {
	if a.timeout <= 0 {
		c.await()
		return
	}
	late, gone := newDeadline(a.timeout), make(chan struct{})
	defer late.Stop()
	defer close(gone)
	go func() {
		select {
		case <-late.C():
			a.end(jobs.EndTimeout, a.grace)
		case <-gone:
		}
	}()
	c.await()
}

// finish takes the exit status and tells of the end.
func (a *attempt) finish(limits *bounds) {
	at := time.Now()
	a.mu.Lock()
	a.finished = true
	ending := a.ending
	a.mu.Unlock()
	if ending != nil {
		<-ending
	}
	exit := a.child.reap()
	exit.At, exit.Note = at, limits.release()
	a.mu.Lock()
	a.state.Ended, a.state.Exit = true, &exit
	state := a.state
	a.mu.Unlock()
	a.s.journal.note(state)
	a.s.publish(state)
	a.s.settle()
}

// end ends the attempt and all that it started, and returns when that is
// done. Nothing happens if its first process has ended, or it is being ended.
func (a *attempt) end(why jobs.EndReason, grace time.Duration) {
	<-a.started
	a.mu.Lock()
	if a.child == nil || a.finished || a.ending != nil || a.child.exited() {
		a.mu.Unlock()
		return
	}
	a.state.EndedBy = why
	a.ending = make(chan struct{})
	state := a.state
	a.mu.Unlock()
	defer close(a.ending)
	a.s.journal.note(state)
	a.s.log.Info().Str("job", state.ID).Int("attempt", state.Attempt).Str("why", string(why)).Msg("ending attempt")

	ctx := context.Background()
	t := newTree(state.Process, state.ID, state.Attempt)
	// Whoever has exited before the first signal has ended by itself, and what
	// it leaves behind is left alone.
	left, begun := t.end(ctx, grace, func() bool { return !a.child.exited() })
	if begun && !a.child.exited() {
		// It hangs in the kernel: it has not ended before it is gone.
		a.child.await()
		left, _ = t.end(ctx, 0, func() bool { return true })
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state.Survivors = left
	if !begun {
		a.state.EndedBy = ""
	}
}

// launch puts an older log aside, opens the attempt's own and starts the process
// within its bounds. The error says in words why it could not be started; then
// the logs are as they were.
func launch(sp *spec, limits *bounds) (*child, error) {
	if len(sp.Argv) == 0 || sp.Argv[0] == "" {
		return nil, errors.New("the command is empty")
	}
	nul := func(word string) bool { return strings.IndexByte(word, 0) >= 0 }
	if slices.ContainsFunc(sp.Argv, nul) || slices.ContainsFunc(sp.Env, nul) || nul(sp.Dir) {
		return nil, errors.New("an argument or environment value holds a NUL byte")
	}
	aside := rotateLog(sp.Log, sp.Attempt)
	log, err := openLog(sp.Log)
	if err != nil {
		restoreLog(sp.Log, aside)
		return nil, fmt.Errorf("log: %w", err)
	}
	defer log.Close()
	c, err := startChild(sp, log, limits)
	if err != nil {
		restoreLog(sp.Log, aside)
	}
	return c, err
}
