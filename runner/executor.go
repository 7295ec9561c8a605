package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

var (
	errNoSupervisor = errors.New("no supervisor is running")
	errLost         = errors.New("the connection to the supervisor is lost")
	errHidden       = errors.New("the supervisor has its lock and no socket")
)

const (
	helloTime   = 5 * time.Second  // how long a supervisor may take to answer
	connectTime = 15 * time.Second // how long one may take to come up
)

// executor is a client of the supervisor. Its methods may be called by many
// goroutines at once; the calls travel together.
type executor struct {
	wire     *wire
	instance string
	pid      int
	version  int // of the protocol that the supervisor speaks

	mu     sync.Mutex // guards number, calls, events
	number uint64
	calls  map[uint64]chan reply
	events []attemptState // ended, not yet taken from the channel

	more    chan struct{}     // capacity 1: events has something
	ended   chan attemptState // see Ended
	lost    chan struct{}     // closed when nothing more can be received
	closing chan struct{}     // closed by Close
	once    sync.Once         // of Close
	wg      sync.WaitGroup
}

// connect returns a connection to the supervisor of a state folder. If none
// is running it starts one by command, detached from this process, and waits
// until that answers.
func connect(ctx context.Context, stateDir string, command []string, log zerolog.Logger) (*executor, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	var started *detached
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		e, err := dial(ctx, stateDir)
		if !errors.Is(err, errNoSupervisor) {
			return e, err
		}
		// One that gave up found another that was just leaving, or broke.
		if started == nil || started.gone() {
			if started != nil && started.tries > 2 {
				return nil, fmt.Errorf("starting the supervisor: %s", started.words(stateDir))
			}
			if started, err = detach(stateDir, command, started); err != nil {
				return nil, fmt.Errorf("starting the supervisor: %w", err)
			}
			jobs.Step("start: supervisor started")
			log.Debug().Int("pid", started.pid).Msg("supervisor started")
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("starting the supervisor: pid %d does not answer: %w", started.pid, context.Cause(ctx))
		}
	}
}

// dial returns a connection to the running supervisor of a state folder;
// errNoSupervisor if there is none.
func dial(ctx context.Context, stateDir string) (*executor, error) {
	conn, err := dialSocket(ctx, stateDir)
	switch {
	case errors.Is(err, os.ErrNotExist), refused(err), errors.Is(err, errNoSocket):
		return nil, errNoSupervisor
	case err != nil:
		return nil, fmt.Errorf("connecting to the supervisor: %w", err)
	}
	e := &executor{
		wire:    newWire(conn),
		calls:   make(map[uint64]chan reply),
		more:    make(chan struct{}, 1),
		ended:   make(chan attemptState),
		lost:    make(chan struct{}),
		closing: make(chan struct{}),
	}
	e.wg.Go(e.wire.pump)
	e.wg.Go(e.receive)
	e.wg.Go(e.forward)
	if err := e.hello(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *executor) hello(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, helloTime)
	defer cancel()
	r, err := e.call(ctx, request{Op: opHello, Version: protocolVersion, Oldest: protocolOldest})
	switch {
	case errors.Is(err, errLost):
		return errNoSupervisor // it was just leaving
	case err != nil:
		return fmt.Errorf("greeting the supervisor: %w", err)
	case r.Version < protocolOldest:
		return fmt.Errorf("greeting the supervisor: pid %d speaks protocol %d, older than %d; end its jobs to replace it", r.PID, r.Version, protocolOldest)
	}
	e.instance, e.pid, e.version = r.Instance, r.PID, r.Version
	return nil
}

// Instance is the id that the supervisor made up at its start.
func (e *executor) Instance() string { return e.instance }

// PID is the supervisor's.
func (e *executor) PID() int { return e.pid }

// Attempts returns all that the supervisor knows: what runs, and what has
// ended and is not yet acknowledged. What ends after that comes by Ended.
func (e *executor) Attempts(ctx context.Context) ([]attemptState, error) {
	r, err := e.call(ctx, request{Op: opAttempts})
	if err != nil {
		return nil, fmt.Errorf("listing attempts: %w", err)
	}
	return r.Attempts, nil
}

// Start starts an attempt and returns its state. One that is over within
// answerDelay has Ended then, and that does not come by Ended once more. An
// attempt that the supervisor already knows is not started again; its state is
// returned. One that could not be executed is no error: it has Ended, with a
// StartError. A hinderedError says that it was not tried.
func (e *executor) Start(ctx context.Context, s spec) (attemptState, error) {
	r, err := e.call(ctx, request{Op: opStart, Spec: &s})
	if err == nil && r.State == nil {
		err = errors.New("the answer has no state")
	}
	if r.Hindered {
		return attemptState{}, &hinderedError{r.Error}
	}
	if err != nil {
		return attemptState{}, fmt.Errorf("starting attempt %d of job %s: %w", s.Attempt, s.ID, err)
	}
	return *r.State, nil
}

// End asks that an attempt and all that it started be ended; that it has
// ended comes by Ended. Nothing happens if it has already ended, or is being
// ended.
func (e *executor) End(ctx context.Context, id string, attempt int, why jobs.EndReason, grace time.Duration) error {
	_, err := e.call(ctx, request{Op: opEnd, ID: id, Attempt: attempt, Why: why, Grace: grace})
	if err != nil {
		return fmt.Errorf("ending attempt %d of job %s: %w", attempt, id, err)
	}
	return nil
}

// Ack tells that the attempt's end is committed, so that the supervisor may
// forget it. Nothing happens if it does not know it.
func (e *executor) Ack(ctx context.Context, id string, attempt int) error {
	_, err := e.call(ctx, request{Op: opAck, ID: id, Attempt: attempt})
	if err != nil {
		return fmt.Errorf("acknowledging attempt %d of job %s: %w", attempt, id, err)
	}
	return nil
}

// Forget is Ack that does not wait. If it is lost with the connection, Attempts
// over the next one shows that the attempt is still known.
func (e *executor) Forget(id string, attempt int) error {
	return e.wire.send(request{Op: opAck, ID: id, Attempt: attempt})
}

// Sync returns once the supervisor has taken in all that it was sent, or cannot
// take it any more.
func (e *executor) Sync(ctx context.Context) {
	_, _ = e.call(ctx, request{Op: opSync}) // an older one answers that it does not know this
}

// Ended gives every attempt that ends from now on, but for those of which a Start
// on this connection has told or is about to. It is closed when the connection is
// lost or closed.
func (e *executor) Ended() <-chan attemptState { return e.ended }

// Close ends the connection and waits until all its goroutines have ended.
// What runs under the supervisor is left alone.
func (e *executor) Close() {
	e.once.Do(func() { close(e.closing) })
	e.wire.close()
	e.wg.Wait()
}

// call sends a request and waits for its reply.
func (e *executor) call(ctx context.Context, r request) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, err
	}
	answer := make(chan reply, 1)
	e.mu.Lock()
	e.number++
	r.Number = e.number
	e.calls[r.Number] = answer
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.calls, r.Number)
		e.mu.Unlock()
	}()

	if err := e.wire.send(r); errors.Is(err, net.ErrClosed) {
		return reply{}, errLost
	} else if err != nil {
		return reply{}, err
	}
	jobs.Step("supervisor asked")
	select {
	case got := <-answer:
		return got, asError(got.Error)
	case <-ctx.Done():
		return reply{}, ctx.Err()
	case <-e.lost:
	}
	select {
	case got := <-answer: // it came just before
		return got, asError(got.Error)
	default:
		return reply{}, errLost
	}
}

func asError(words string) error {
	if words == "" {
		return nil
	}
	return errors.New(words)
}

// receive hands replies to their calls and events to forward until the
// connection ends.
func (e *executor) receive() {
	defer close(e.lost)
	defer e.wire.close()
	for {
		var r reply
		err := e.wire.receive(&r)
		var bad *messageError
		switch {
		case errors.As(err, &bad):
			continue
		case err != nil:
			return
		}
		e.mu.Lock()
		switch {
		case r.Number != 0:
			if answer := e.calls[r.Number]; answer != nil {
				delete(e.calls, r.Number)
				answer <- r
			}
		case r.Event == eventEnded && r.State != nil:
			e.events = append(e.events, *r.State)
			select {
			case e.more <- struct{}{}:
			default:
			}
		}
		e.mu.Unlock()
	}
}

// forward puts events into the channel. It keeps a reader of Ended that takes
// its time from holding up the replies.
func (e *executor) forward() {
	defer close(e.ended)
	for open := true; open; {
		select {
		case <-e.more:
		case <-e.lost:
			open = false
		}
		e.mu.Lock()
		events := e.events
		e.events = nil
		e.mu.Unlock()
		for _, s := range events {
			select {
			case e.ended <- s:
			case <-e.closing:
				return
			}
		}
	}
}
