package watcher

import "time"

// backoff spaces out repeated tries. Its zero value is ready and has just
// succeeded.
type backoff struct {
	pause time.Duration
	at    time.Time // not before this time
}

// failed notes a failure: the next try is to be made after a pause that begins
// at first and doubles up to most.
func (b *backoff) failed(first, most time.Duration) {
	b.pause = min(max(first, 2*b.pause), most)
	b.at = time.Now().Add(b.pause)
}

// ready reports whether the pause is over.
func (b *backoff) ready() bool { return !time.Now().Before(b.at) }
