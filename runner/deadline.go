package runner

import (
	"os"
	"sync"
	"time"
)

// uptimeLook is how often a deadline without a timer that counts suspend looks
// at how long the machine is up.
const uptimeLook = 10 * time.Second

// deadline is a moment after which a job is ended. The time that the machine is
// suspended counts, which it does not for a time.Timer, and setting the clock on
// the wall does not move it. A nil deadline never comes.
type deadline struct {
	c    chan struct{} // closed when the moment has come
	done chan struct{} // closed by Stop
	file *os.File      // a timer that counts suspend; nil where the clock is looked at
	once sync.Once     // of Stop
}

// newDeadline gives the moment after d, which is now if d is not positive. It
// holds up a goroutine, and on Linux a file, until it has come or Stop is called.
func newDeadline(d time.Duration) *deadline {
	t := &deadline{c: make(chan struct{}), done: make(chan struct{})}
	if d <= 0 {
		close(t.c)
		return t
	}
	at := uptime() + d
	if t.file = suspendTimer(d); t.file != nil {
		go t.read(at)
	} else {
		go t.watch(at)
	}
	return t
}

// C is closed when the moment has come.
func (t *deadline) C() <-chan struct{} {
	if t == nil {
		return nil
	}
	return t.c
}

// Stop gives up waiting. C may or may not be closed after it.
func (t *deadline) Stop() {
	if t == nil {
		return
	}
	t.once.Do(func() {
		close(t.done)
		if t.file != nil {
			t.file.Close()
		}
	})
}

// read waits for the timer of t.
func (t *deadline) read(at time.Duration) {
	var expirations [8]byte
	if _, err := t.file.Read(expirations[:]); err != nil {
		t.watch(at) // unless it was stopped, which that sees
		return
	}
	close(t.c)
}

// watch looks at how long the machine is up until that is at.
func (t *deadline) watch(at time.Duration) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-timer.C:
		}
		left := at - uptime()
		if left <= 0 {
			close(t.c)
			return
		}
		timer.Reset(min(left, uptimeLook))
	}
}
