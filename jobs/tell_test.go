package jobs

import (
	"testing"
	"time"
)

// What is committed while tokens are given out is told once more: whoever has got
// one already may have read before.
func TestTellWhileTelling(t *testing.T) {
	q := &Queue{listeners: map[chan struct{}]struct{}{}}
	changed, stop := q.Changed()
	defer stop()
	q.mu.Lock() // they are being given out
	q.tell()
	for end := time.Now().Add(5 * time.Second); q.telling.Load() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	late := q.telling.Load()
	q.mu.Unlock()
	if late {
		t.Error("what is committed now would be told by nobody")
	}
	select {
	case <-changed:
	case <-time.After(5 * time.Second):
		t.Error("no token came")
	}
}
