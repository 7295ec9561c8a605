package access

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	triesAtOnce = 10              // wrong passwords from one place, before each further one
	triesEach   = 6 * time.Second // has to wait that long
	mostPlaces  = 10_000          // that are remembered
)

// tries counts the wrong passwords that came from each place.
type tries struct {
	mu    sync.Mutex           // guards since
	since map[string]time.Time // by place: when its last try will be forgotten
	now   func() time.Time
}

func newTries() *tries { return &tries{since: map[string]time.Time{}, now: time.Now} }

// take counts a try, and gives 0; or how long to wait for the next.
func (t *tries) take(place string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	at := t.since[place]
	if at.Before(now) {
		at = now
	}
	if wait := at.Add(triesEach).Sub(now) - triesAtOnce*triesEach; wait > 0 {
		return wait
	}
	if len(t.since) >= mostPlaces {
		t.forget(now)
	}
	t.since[place] = at.Add(triesEach)
	return 0
}

// giveBack takes back a try that was no wrong password.
func (t *tries) giveBack(place string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.since[place]; ok {
		t.since[place] = at.Add(-triesEach)
	}
}

// forget makes room. The caller holds mu.
func (t *tries) forget(now time.Time) {
	for place, at := range t.since {
		if at.Before(now) {
			delete(t.since, place)
		}
	}
	if len(t.since) >= mostPlaces {
		clear(t.since) // from so many places at once: what bounds all of them together has to do
	}
}

// origin is where a request comes from: an address, of IPv6 the network of one
// customer; "" through a socket.
func origin(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return ""
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	network, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return network.String()
}
