package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	c, err := launch(sp)
	at := time.Now()
	a.mu.Lock()
	if err != nil {
		a.state.Ended, a.finished, a.state.StartError = true, true, err.Error()
	} else {
		a.child, a.state.Process, a.state.StartedAt = c, c.process, at
	}
	state := a.state
	a.mu.Unlock()
	a.s.journal.note(state)
	close(a.started)
	answer()
	if err != nil {
		a.s.settle()
		return
	}

	if a.timeout > 0 {
		timer := time.AfterFunc(a.timeout, func() { a.end(jobs.EndTimeout, a.grace) })
		defer timer.Stop()
	}
	c.await()
	a.finish()
}

// finish takes the exit status and tells of the end.
func (a *attempt) finish() {
	at := time.Now()
	a.mu.Lock()
	a.finished = true
	ending := a.ending
	a.mu.Unlock()
	if ending != nil {
		<-ending
	}
	exit := a.child.reap()
	exit.At = at
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

// launch puts an older log aside, opens the attempt's own and starts the
// process. The error says in words why it could not be started.
func launch(sp *spec) (*child, error) {
	if len(sp.Argv) == 0 || sp.Argv[0] == "" {
		return nil, errors.New("the command is empty")
	}
	nul := func(word string) bool { return strings.IndexByte(word, 0) >= 0 }
	if slices.ContainsFunc(sp.Argv, nul) || slices.ContainsFunc(sp.Env, nul) || nul(sp.Dir) {
		return nil, errors.New("an argument or environment value holds a NUL byte")
	}
	rotateLog(sp.Log, sp.Attempt)
	log, err := openLog(sp.Log)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	defer log.Close()
	return startChild(sp, log)
}

// rotateLog puts the log of the attempt before this one aside, from <id>.log
// to <id>.<n>.log. It never replaces a file: what is in the way stays, and the
// attempt's output goes behind that of the one before.
func rotateLog(path string, attempt int) {
	if attempt <= 1 {
		return
	}
	stem := strings.TrimSuffix(path, ".log")
	aside := fmt.Sprintf("%s.%d.log", stem, attempt-1)
	if _, err := os.Lstat(aside); os.IsNotExist(err) {
		_ = os.Rename(path, aside) // there may be none
	}
}
