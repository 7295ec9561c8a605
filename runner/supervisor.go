package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

const (
	supervisorLog = "supervisor.log"

	firstTime = 10 * time.Second // how long the first client is waited for
)

var (
	idleTime   = 10 * time.Second // how long a supervisor stays without work and clients
	socketTime = 4 * time.Second  // how often it is made sure that the socket can be found
)

// umaskMu is held for reading while a file is created or a process started,
// and for writing while a process is started with a umask of its own: the
// umask belongs to the whole process.
var umaskMu sync.RWMutex

// supervisor owns the processes of all jobs of one state folder.
type supervisor struct {
	instance string
	log      zerolog.Logger
	journal  *journal
	folder   *folder
	limiter  *limiter
	idle     *time.Timer // runs only while there is nothing to do
	quit     chan struct{}

	mu       sync.Mutex // guards what follows
	attempts map[attemptKey]*attempt
	past     pastAttempts
	clients  map[*client]bool // connected; true once it has said hello
	leaving  bool             // asked to end, or out of reach: it stays only while something runs
	closed   bool             // takes no more clients
}

// Supervise is the supervisor: it starts, waits for and ends the processes of
// a state folder's jobs, at the request of clients on a socket, and keeps how
// they ended until that is acknowledged. It returns when it has had nothing to
// do for a while, or when ctx ends; processes are left alone then. A second
// supervisor of the same folder is refused with an error.
func Supervise(ctx context.Context, stateDir string) error {
	stateDir, err := filepath.Abs(stateDir)
	if err != nil {
		return fmt.Errorf("finding the state folder: %w", err)
	}
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return fmt.Errorf("creating the state folder: %w", err)
	}
	own, err := lockFolder(ctx, stateDir)
	if err != nil {
		return err
	}
	defer own.lock.Close()
	jobs.Step("supervisor: has the folder")
	prepareProcess()
	log := zerolog.New(os.Stderr).With().Timestamp().Int("pid", os.Getpid()).Logger()
	s := &supervisor{
		instance: uuid.NewString(), log: log, folder: own, limiter: newLimiter(stateDir), quit: make(chan struct{}),
		attempts: make(map[attemptKey]*attempt), clients: make(map[*client]bool),
	}
	if s.journal, err = openJournal(own, s.instance, log); err != nil {
		return err
	}
	defer s.journal.close()
	jobs.Step("supervisor: has the journal")
	return s.serve(ctx)
}

// serve answers clients until there is nothing left to do or ctx ends.
func (s *supervisor) serve(ctx context.Context) error {
	l, err := listenSocket(s.folder.path)
	if err != nil {
		return fmt.Errorf("listening in the state folder: %w", err)
	}
	jobs.Step("supervisor: listens")
	s.log.Info().Str("instance", s.instance).Str("folder", s.folder.path).Msg("supervisor started")
	s.mu.Lock()
	s.idle = time.AfterFunc(firstTime, s.leave)
	s.mu.Unlock()
	signals, stop := askedToEnd()
	defer stop()

	var wg sync.WaitGroup
	accepting := l
	wg.Go(func() { s.accept(accepting, &wg) })
	for open := true; open; {
		select {
		case sig := <-signals:
			s.leaveWhenDone("signal " + sig.String())
		case <-time.After(jobs.UntilBeat(socketTime)):
			if !s.folder.ours() {
				s.leaveWhenDone("the state folder was moved or removed")
				continue
			}
			// Somebody may have tidied up the folder that the socket is in.
			if l.found() {
				continue
			}
			fresh, err := listenSocket(s.folder.path)
			if err != nil {
				s.log.Warn().Err(err).Msg("socket lost")
				continue
			}
			l.abandon()
			l = fresh
			wg.Go(func() { s.accept(fresh, &wg) })
		case <-s.quit:
			open = false
		case <-ctx.Done():
			open = false
		}
	}
	l.Close()
	s.hangUp()
	wg.Wait()
	s.log.Info().Msg("supervisor ended")
	return ctx.Err()
}

// accept takes in clients until the socket is closed.
func (s *supervisor) accept(l *socket, wg *sync.WaitGroup) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of file descriptors, mostly: that passes.
			s.log.Warn().Err(err).Msg("client not accepted")
			select {
			case <-time.After(100 * time.Millisecond):
			case <-s.quit:
				return
			}
			continue
		}
		wg.Go(func() { s.talk(conn) })
	}
}

// admit notes a client that has connected, and once more when it has said
// hello; false if it came too late.
func (s *supervisor) admit(c *client, greeted bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.clients[c] = greeted
	if greeted {
		s.idle.Stop()
	}
	return true
}

// dismiss forgets a client that has gone.
func (s *supervisor) dismiss(c *client) {
	s.mu.Lock()
	delete(s.clients, c)
	s.mu.Unlock()
	s.settle()
}

// hangUp ends all conversations.
func (s *supervisor) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.clients {
		c.wire.close()
	}
}

// settle looks whether there is anything left to do, and else starts the time
// after which the supervisor leaves.
func (s *supervisor) settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || !s.unused():
	case s.leaving:
		s.idle.Reset(0)
	default:
		s.idle.Reset(idleTime)
	}
}

// leaveWhenDone lets the supervisor leave as soon as nothing runs any more.
func (s *supervisor) leaveWhenDone(why string) {
	s.mu.Lock()
	if !s.leaving {
		s.log.Info().Str("why", why).Msg("the supervisor stays until its jobs have ended")
	}
	s.leaving = true
	s.mu.Unlock()
	s.settle()
}

// unused reports whether nobody is connected and nothing runs or waits to be
// acknowledged. An end that is written down does not keep a supervisor that
// was asked to leave. The caller holds mu.
func (s *supervisor) unused() bool {
	for _, greeted := range s.clients {
		if greeted {
			return false
		}
	}
	if s.leaving {
		for _, a := range s.attempts {
			if !a.look().Ended {
				return false
			}
		}
		return true
	}
	return len(s.attempts) == 0
}

// leave ends serve if there is still nothing to do. From then on no client is
// admitted, so none can hand in work that would be lost.
func (s *supervisor) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.unused() {
		s.closed = true
		close(s.quit)
	}
}
