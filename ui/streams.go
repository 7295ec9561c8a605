package ui

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// How many streams may stand at once: each has a connection and a goroutine for
// as long as its client likes.
const (
	mostStreams     = 64
	mostStreamsEach = 8 // of one address
)

// streams counts those that stand.
type streams struct {
	patience time.Duration // of each with a client that does not read

	mu   sync.Mutex // guards what follows
	all  int
	from map[netip.Prefix]int
}

func newStreams() *streams { return &streams{patience: sendTimeout, from: map[netip.Prefix]int{}} }

// enter takes a place for a client; leave gives it back. Its error is for the
// client. Those who come through a unix socket have no address and share all
// the places.
func (t *streams) enter(remote string) (leave func(), err error) {
	who, known := neighbourhood(remote)
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.all >= mostStreams:
		return nil, fmt.Errorf("%d streams stand already, which is as many as there may be: ask again later, or ask /api/v1/jobs", t.all)
	case known && t.from[who] >= mostStreamsEach:
		return nil, fmt.Errorf("%d streams to your address stand already, which is as many as there may be: close one", t.from[who])
	}
	t.all++
	if known {
		t.from[who]++
	}
	return func() { t.leave(who, known) }, nil
}

func (t *streams) leave(who netip.Prefix, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if !known {
		return
	}
	if t.from[who]--; t.from[who] == 0 {
		delete(t.from, who)
	}
}

// neighbourhood is what counts as one address: of IPv6 the half that names a
// network, because in the other half each host has as many as it likes.
func neighbourhood(remote string) (netip.Prefix, bool) {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}, false
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	who, err := addr.Prefix(bits)
	return who, err == nil
}

type closingKey struct{}

// withClosing tells streams that are answered under the returned context when
// the server ends, which is when closing does. The answers' own contexts do not
// end then: an ordinary one is finished.
func withClosing(closing context.Context) context.Context {
	return context.WithValue(context.Background(), closingKey{}, closing)
}

func closingOf(ctx context.Context) context.Context {
	if closing, ok := ctx.Value(closingKey{}).(context.Context); ok {
		return closing
	}
	return context.Background()
}
