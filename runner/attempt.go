package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

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

// answerDelay is how long the answer to a start waits for the attempt's end: one
// that is over by then costs one message instead of two.
var answerDelay = 2 * time.Millisecond

// run starts the attempt, answers by when it is known how that went, and returns
// when the attempt has ended and that is written down and told.
func (a *attempt) run(sp *spec, by asker) {
	// Before anything is written down: it can be undone as if it never was.
	out, err := openOutput(sp, a.s.log)
	refused := err
	if !isHindrance(err) {
		refused = a.s.journal.starting(sp.ID, sp.Attempt)
	}
	if refused != nil {
		out.undo()
		a.refuse(sp, refused)
		by.tell(a, attemptState{})
		return
	}
	jobs.Step("attempt: start noted in the journal")
	limits := a.s.limiter.bind(sp)
	sp.clearProgress(a.s.log)
	var c *child
	if err == nil {
		c, err = launch(sp, out, limits)
	}
	if lacksFiles(err) {
		limits.release()
		a.s.journal.acked(sp.ID, sp.Attempt) // as if it had never been about to be started
		a.refuse(sp, err)
		by.tell(a, attemptState{})
		return
	}
	at := time.Now()
	jobs.Step("attempt: started")
	state := a.look()
	if err != nil {
		state.Ended, state.StartError = true, err.Error()
	} else {
		state.Process, state.StartedAt, state.Limits = c.process, at, c.limits
	}
	a.s.journal.note(state)
	jobs.Step("attempt: process noted in the journal")
	a.mu.Lock()
	a.child, a.state, a.finished = c, state, state.Ended
	a.mu.Unlock()
	close(a.started)
	if err != nil {
		by.tell(a, state)
		a.s.publish(state, by.client)
		limits.release()
		a.s.settle()
		return
	}
	late := time.AfterFunc(answerDelay, func() { by.tell(a, state) })
	out.trim.begin()
	a.await(c)
	jobs.Step("attempt: ended")
	a.finish(limits, out)
	end, knows := a.look(), by.client
	if late.Stop() {
		by.tell(a, end)
	} else {
		knows = nil
	}
	a.s.publish(end, knows)
	jobs.Step("attempt: end told")
	a.s.settle()
}

// refuse forgets the attempt, which was not tried: whoever asked for it is to
// ask again.
func (a *attempt) refuse(sp *spec, why error) {
	why = commonWords(sp, why)
	a.refused = why
	a.s.log.Error().Err(why).Str("job", sp.ID).Int("attempt", sp.Attempt).Msg("attempt not tried")
	a.s.drop(sp.key())
	close(a.started)
}

// commonWords leaves out of a hindrance what differs from attempt to attempt, so
// that it is told once and not for each of them.
func commonWords(sp *spec, why error) error {
	var path *os.PathError
	switch logs := filepath.Dir(sp.Log); {
	case lacksFiles(why):
		return errors.New("the supervisor has too many files open; a higher limit of open files (ulimit -n, LimitNOFILE= of systemd) helps")
	case errors.As(why, &path) && filepath.Dir(path.Path) == logs:
		return fmt.Errorf("%s: %w", logs, path.Err)
	}
	return why
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

// finish takes the exit status and writes it down; only then anybody sees it.
func (a *attempt) finish(limits *bounds, out output) {
	at := time.Now()
	a.mu.Lock()
	a.finished = true
	ending := a.ending
	a.mu.Unlock()
	if ending != nil {
		<-ending
	}
	out.term.await()
	exit := a.child.reap()
	exit.At, exit.Note = at, limits.release()
	out.trim.stop(true)
	jobs.Step("attempt: exit status taken")
	state := a.look()
	state.Ended, state.Exit = true, &exit
	a.s.journal.note(state)
	jobs.Step("attempt: end noted in the journal")
	a.mu.Lock()
	a.state = state
	a.mu.Unlock()
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
	jobs.Step("attempt: ending noted in the journal")
	a.s.log.Info().Str("job", state.ID).Int("attempt", state.Attempt).Str("why", string(why)).Msg("ending attempt")

	ctx := context.Background()
	t := newTree(state.Process, state.ID, state.Attempt)
	// Whoever has exited before the first signal has ended by itself, and what
	// it leaves behind is left alone.
	left, begun := t.end(ctx, grace, func() bool { return !a.child.exited() })
	jobs.Step("attempt: its processes ended")
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

// output is the file that an attempt's output goes to.
type output struct {
	file  *os.File // nil if it could not be opened
	path  string
	aside string    // where the log of the attempt before was put; "" if there was none
	term  *terminal // what the attempt writes to instead; nil for the file itself
	trim  *trimmer
	bound string // what keeps it within max_log, in words; "" if nothing is to
}

// openOutput puts an older log aside and opens the attempt's own.
func openOutput(sp *spec, log zerolog.Logger) (output, error) {
	out := output{path: sp.Log, aside: rotateLog(sp.Log, sp.Attempt)}
	jobs.Step("attempt: older log put aside")
	file, err := openLog(sp.Log)
	if err != nil {
		restoreLog(out.path, out.aside)
		return output{}, fmt.Errorf("log: %w", err)
	}
	out.file = file
	if out.term, err = openTerminal(sp, file, log); err != nil {
		out.undo()
		return output{}, err
	}
	if sp.Limits.Log > 0 {
		out.trim, err = newTrimmer(sp.Log, sp.ID, sp.Attempt, sp.Limits.Log, log)
		out.bound = logWords(sp.Limits.Log, err)
	}
	if isHindrance(err) {
		out.undo()
		return output{}, fmt.Errorf("log: %w", err)
	}
	return out, nil // an output that cannot be bounded keeps nothing from running
}

// undo leaves the logs as they were.
func (o output) undo() {
	o.term.discard()
	o.trim.discard()
	if o.file != nil {
		o.file.Close()
		restoreLog(o.path, o.aside)
	}
}

// launch starts the process within its bounds, and closes out. The error says in
// words why it could not be started; then the logs are as they were.
func launch(sp *spec, out output, limits *bounds) (*child, error) {
	c, err := startWithin(sp, out.term.output(out.file), limits)
	if err != nil {
		out.undo()
		return nil, err
	}
	out.file.Close()
	out.term.started(c.process)
	c.limits = joined(c.limits, out.bound)
	return c, nil
}

func startWithin(sp *spec, out *os.File, limits *bounds) (*child, error) {
	if len(sp.Argv) == 0 || sp.Argv[0] == "" {
		return nil, errors.New("the command is empty")
	}
	nul := func(word string) bool { return strings.IndexByte(word, 0) >= 0 }
	if slices.ContainsFunc(sp.Argv, nul) || slices.ContainsFunc(sp.Env, nul) || nul(sp.Dir) {
		return nil, errors.New("an argument or environment value holds a NUL byte")
	}
	return startChild(sp, out, limits)
}
