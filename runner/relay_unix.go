//go:build unix

package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// relay copies what comes out of a terminal into a log.
type relay struct {
	terminal *os.File
	log      *os.File
	whole    *os.File

	ended atomic.Bool // the job's process has
}

// Relay is the relay of one attempt. It is run by the supervisor, which gives it
// its files, and returns when nobody has the terminal open any more. Nothing but
// SIGKILL ends it before: the job might have something to say to that.
func Relay() error {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT)
	nameProcess()
	if err := unix.SetNonblock(relayTerminal, true); err != nil {
		return fmt.Errorf("opening the terminal: %w", err)
	}
	r := &relay{
		terminal: os.NewFile(relayTerminal, "terminal"),
		log:      os.NewFile(relayLog, "log"), whole: os.NewFile(relayWhole, "whole"),
	}
	go r.follow(os.NewFile(relayOrders, "orders"))
	return r.copy()
}

// follow waits for the end of the job's process, and then interrupts copy.
func (r *relay) follow(orders *os.File) {
	var p jobs.ProcessID
	if err := json.NewDecoder(orders).Decode(&p); err != nil {
		return // the supervisor is gone, or the job did not start: the terminal tells when that is over
	}
	orders.Close()
	if w, ok := follow(p); ok {
		<-w.Ended()
		w.Close()
	}
	r.ended.Store(true)
	jobs.Step("relay: job has ended")
	_ = r.terminal.SetReadDeadline(time.Unix(1, 0))
}

// copy copies until nobody has the terminal open any more.
func (r *relay) copy() error {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.terminal.Read(buf)
		if n > 0 {
			if err := r.write(buf[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := r.drain(buf); err != nil {
				return err
			}
			_ = r.terminal.SetReadDeadline(time.Time{})
		case err != nil: // EIO on Linux, the end of the file elsewhere
			return nil
		}
	}
}

// drainMost is more than a terminal holds, and so more than a job that has ended
// can have left in it. What others write meanwhile has no end.
const drainMost = 1 << 20

// drain copies what the terminal holds now, and says that the output is whole.
func (r *relay) drain(buf []byte) error {
	conn, err := r.terminal.SyscallConn()
	if err != nil {
		return err
	}
	for left := drainMost; left > 0; {
		n, errRead := 0, error(nil)
		if err := conn.Control(func(fd uintptr) { n, errRead = unix.Read(int(fd), buf) }); err != nil {
			return err
		}
		if errRead == unix.EINTR {
			continue
		}
		if n <= 0 {
			break // nothing is there, or nobody has it open any more
		}
		if err := r.write(buf[:n]); err != nil {
			return err
		}
		left -= n
	}
	jobs.Step("relay: output is whole")
	_, _ = r.whole.Write([]byte{1}) // the supervisor may be gone
	_ = r.whole.Close()
	return unix.Flock(relayLog, unix.LOCK_UN)
}

// write puts a piece of output into the log. While that cannot be done, as on a
// full disk, the job waits. Once it has ended, that is tried for a while only.
func (r *relay) write(piece []byte) error {
	const tries, again = 10, time.Second
	jobs.Step("relay: output taken")
	for left := tries; ; {
		n, err := r.log.Write(piece)
		if err == nil {
			jobs.Step("relay: output in the log")
			return nil
		}
		if piece = piece[n:]; r.ended.Load() {
			left--
		}
		if left == 0 {
			return fmt.Errorf("writing the output of a terminal: %w", err)
		}
		time.Sleep(again)
	}
}
