package runner

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// orphanPoll is how often a process that cannot be waited for is looked at.
const orphanPoll = 500 * time.Millisecond

// watch follows a process that is not ours to wait for until it ends. Where the
// system can tell it learns the exit status, also if somebody else reaped it.
type watch struct {
	ended  chan exitStatus // gets one value
	cancel context.CancelFunc
	done   chan struct{} // closed when the goroutine is gone
}

// follow watches p, which may have ended a moment ago. It returns false if no
// such process is there.
func follow(p jobs.ProcessID) (*watch, bool) {
	h, ok := openHandle(p)
	if !ok {
		return nil, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{ended: make(chan exitStatus, 1), cancel: cancel, done: make(chan struct{})}
	stop := context.AfterFunc(ctx, h.close)
	go func() {
		defer close(w.done)
		status, ok := h.wait(ctx)
		if stop() {
			h.close()
		}
		if ok {
			w.ended <- status
		}
	}()
	return w, true
}

// Ended gives the exit status once; Known is false in it if only the end was
// seen. It gives nothing for a nil watch or after Close.
func (w *watch) Ended() <-chan exitStatus {
	if w == nil {
		return nil
	}
	return w.ended
}

// Close stops watching and releases what that took. A nil watch is closed.
func (w *watch) Close() {
	if w == nil {
		return
	}
	w.cancel()
	<-w.done
}

// pause waits for d and reports whether ctx still runs.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// present reports whether p still has its pid, be it as a zombie.
func present(p jobs.ProcessID) bool {
	now, ok := identify(p.PID)
	return ok && now == p
}
