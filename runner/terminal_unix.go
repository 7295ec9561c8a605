//go:build unix

package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/creack/pty"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// terminal is an attempt's pseudo-terminal with its relay, as the supervisor has
// it. A nil terminal is that of an attempt that writes straight into its log.
type terminal struct {
	log    zerolog.Logger
	path   string   // of the attempt's log
	master *os.File // where its output comes out
	slave  *os.File // what it is given to write to; nil once it has that

	whole     chan struct{} // closed when the log holds all that the attempt wrote
	wholeOnce sync.Once

	mu      sync.Mutex     // guards what follows
	process jobs.ProcessID // zero until it is started
	relay   *relayProcess
	closed  bool // the attempt has ended: no other relay follows
}

// relayProcess is a relay that the supervisor has started.
type relayProcess struct {
	process *os.Process
	orders  *os.File
}

// openTerminal opens a terminal for an attempt, and starts the relay that copies
// what comes out of it into out.
func openTerminal(sp *spec, out *os.File, log zerolog.Logger) (*terminal, error) {
	if !sp.TTY {
		return nil, nil
	}
	master, slave, err := openPair(sp.Account)
	if err != nil {
		return nil, fmt.Errorf("pseudo-terminal: %w", err)
	}
	t := &terminal{
		log: log.With().Str("job", sp.ID).Int("attempt", sp.Attempt).Logger(), path: sp.Log,
		master: master, slave: slave, whole: make(chan struct{}),
	}
	if err := t.begin(out); err != nil {
		master.Close()
		slave.Close()
		return nil, fmt.Errorf("relay: %w", err)
	}
	go t.keep()
	jobs.Step("attempt: relay started")
	return t, nil
}

// openPair opens both ends of a new terminal. The attempt's end is its user's own,
// and can only be written to: nothing is to wait there for somebody at a keyboard, as
// pagers do.
func openPair(a *jobs.Account) (master, slave *os.File, err error) {
	master, both, err := pty.Open()
	if errors.Is(err, unix.ENOSPC) {
		// No room on a disk would keep every job waiting, and this has nothing to do
		// with those that need no terminal.
		err = errors.New("all that this machine may have are in use; a higher kernel.pty.max helps")
	}
	if err != nil {
		return nil, nil, err
	}
	defer both.Close()
	if err = prepareTerminal(both, a); err == nil {
		slave, err = os.OpenFile(both.Name(), os.O_WRONLY|unix.O_NOCTTY, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, slave, nil
}

// prepareTerminal sets its size, lets lines end as the job ends them, without a
// carriage return, and keeps others from writing to it.
func prepareTerminal(f *os.File, a *jobs.Account) error {
	if err := pty.Setsize(f, &pty.Winsize{Cols: ttyColumns, Rows: ttyRows}); err != nil {
		return os.NewSyscallError("TIOCSWINSZ", err)
	}
	settings, err := unix.IoctlGetTermios(int(f.Fd()), termiosGet)
	if err == nil {
		settings.Oflag &^= unix.ONLCR
		settings.Lflag &^= unix.ECHO
		err = unix.IoctlSetTermios(int(f.Fd()), termiosSet, settings)
	}
	if err != nil {
		return os.NewSyscallError("termios", err)
	}
	if err := f.Chmod(0o200); err != nil || a == nil {
		return err
	}
	return f.Chown(int(a.UID), -1)
}

// begin starts a relay into the file, which it locks as long as output may be
// missing there. mu must be held, or nobody else know t yet.
func (t *terminal) begin(out *os.File) error {
	// Somebody else's lock makes nothing worse than a longer wait at the end.
	_ = unix.Flock(int(out.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	read, orders, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	whole, wrote, err := os.Pipe()
	if err != nil {
		orders.Close()
		return err
	}
	defer wrote.Close()
	p, err := startRelay(t.path, []*os.File{read, out, os.Stderr, t.master, wrote})
	if err != nil {
		orders.Close()
		whole.Close()
		return err
	}
	t.relay = &relayProcess{process: p, orders: orders}
	if t.process.PID != 0 {
		t.order()
	}
	go t.listen(whole)
	return nil
}

// startRelay starts this program once more, in a session of its own: neither is it
// found among the job's processes, nor does it end with anybody's.
func startRelay(path string, files []*os.File) (*os.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	umaskMu.RLock()
	defer umaskMu.RUnlock()
	return os.StartProcess(ownBinary(self), []string{"jobrunner", RelayVerb, path}, &os.ProcAttr{
		Dir: rootOf(path), Files: files, Sys: detachedAttr(),
	})
}

// order tells the relay which process is the job's. mu must be held.
func (t *terminal) order() {
	_ = json.NewEncoder(t.relay.orders).Encode(t.process) // it may be dead, and replaced soon
	t.relay.orders.Close()
}

// listen waits for the relay's word that the output is whole.
func (t *terminal) listen(whole *os.File) {
	defer whole.Close()
	if n, _ := whole.Read(make([]byte, 1)); n == 1 {
		t.isWhole()
	}
}

// output is what the attempt writes to instead of its log.
func (t *terminal) output(log *os.File) *os.File {
	if t == nil {
		return log
	}
	return t.slave
}

// started leaves the terminal to the attempt, whose process is p.
func (t *terminal) started(p jobs.ProcessID) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slave.Close()
	t.slave, t.process = nil, p
	t.order()
	jobs.Step("attempt: relay told of the process")
}

// keep replaces the relay if it dies, until the attempt has ended.
func (t *terminal) keep() {
	defer t.isWhole() // nobody has it open any more, or it is too late to do better
	for {
		t.mu.Lock()
		relay := t.relay
		t.mu.Unlock()
		state, err := relay.process.Wait()
		if err == nil && state.Success() || t.over() {
			return
		}
		t.log.Warn().Err(err).Stringer("status", state).Msg("relay of a terminal died, another one follows")
		if !t.replace() {
			return
		}
	}
}

func (t *terminal) isWhole() { t.wholeOnce.Do(func() { close(t.whole) }) }

func (t *terminal) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// lostOutput stands in a log where a relay was killed: what it had taken from the
// terminal by then, 4 KiB at most, may be missing.
const lostOutput = "\n[… some output may be missing here: the process that wrote it down was killed …]\n"

// replace starts another relay; false if the attempt has ended meanwhile.
func (t *terminal) replace() bool {
	told := false
	for pause := relayPause; ; pause = min(2*pause, relayLong) {
		time.Sleep(pause)
		again, err := t.tryReplace(&told)
		if err == nil {
			return again
		}
		t.log.Error().Err(err).Msg("relay of a terminal not replaced, trying again")
	}
}

func (t *terminal) tryReplace(told *bool) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false, nil
	}
	out, err := openLog(t.path)
	if err != nil {
		return false, err
	}
	defer out.Close()
	if !*told {
		if _, err := out.WriteString(lostOutput); err != nil {
			return false, err
		}
		*told = true
	}
	return true, t.begin(out)
}

// await returns when the log holds all that the attempt wrote, its process having
// ended, or when that has taken too long. What it has left behind may write on.
func (t *terminal) await() {
	if t == nil {
		return
	}
	select {
	case <-t.whole:
	case <-time.After(relayTime):
		t.log.Warn().Msg("the last output is not in the log yet")
	}
	t.close()
	jobs.Step("attempt: output in its log")
}

// close gives up this process's ends of the terminal: the relay ends when nobody
// else has it open.
func (t *terminal) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.master.Close()
	t.relay.orders.Close() // unless it was told of a process
	if t.slave != nil {
		t.slave.Close()
		t.slave = nil
	}
}

// discard ends a terminal whose attempt did not start, and its relay with it.
func (t *terminal) discard() {
	if t == nil {
		return
	}
	t.close()
	t.mu.Lock()
	_ = t.relay.process.Kill() // it ends anyway, unless somebody has stopped it
	t.mu.Unlock()
	<-t.whole
}

// CheckTerminal tells why no pseudo-terminal can be had on this system; nil if one
// can.
func CheckTerminal() error {
	master, slave, err := openPair(nil)
	if err != nil {
		return err
	}
	return errors.Join(master.Close(), slave.Close())
}

// awaitOutput returns when nobody's relay holds the lock on a log, or when that has
// taken too long, or stop is closed.
func awaitOutput(path string, stop <-chan struct{}) {
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return
	}
	defer f.Close()
	const look = 5 * time.Millisecond
	for end := time.Now().Add(relayTime); time.Now().Before(end); {
		if unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB) != unix.EWOULDBLOCK {
			return
		}
		select {
		case <-time.After(look):
		case <-stop:
			return
		}
	}
}
