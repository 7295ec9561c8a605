package ui

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// answersEach is how many answers may be made at once for one connection with HTTP/2,
// which all tabs of a browser share.
const answersEach = 4 * mostStreamsEach

// visitors are the open connections, of which there are never more than most:
// each costs a file descriptor, and the log that it may read another one, which
// jobs and requests need too.
//
// When one more comes, the one goes that has been of least use: it is not being
// answered, and of those it has been quiet for longest. So ten thousand that ask
// nothing, or ask letter by letter, keep nobody else out. If all are being
// answered, the one goes that takes longest, if that is long: nor do they who read
// drop by drop. Streams are there to take long: the one that stands longest goes
// only if streams have more than half of the places. Its client comes back.
type visitors struct {
	most int
	long time.Duration // an answer that takes longer may be broken off for another

	mu       sync.Mutex // guards what follows, and the fields of every visitor
	quiet    *list.List // of *visitor: those that are not being answered, longest quiet first
	busy     *list.List // of *visitor: those that are, longest first
	standing *list.List // of *visitor: those that are answered with a stream, longest first
	known    map[net.Conn]*visitor
}

// visitor is one connection.
type visitor struct {
	all     *visitors
	conn    net.Conn
	in      *list.List // quiet, busy or standing; nil at first
	place   *list.Element
	since   time.Time // in busy
	answers int       // that are being made for it; with HTTP/2 several at once
	streams int       // of these
	silent  bool      // it has asked nothing yet
}

type visitorKey struct{}

func newVisitors(most int) *visitors {
	const long = 10 * time.Second
	return &visitors{most: most, long: long, quiet: list.New(), busy: list.New(), standing: list.New(), known: map[net.Conn]*visitor{}}
}

// come is a http.Server's ConnContext: it takes in a connection.
func (v *visitors) come(ctx context.Context, c net.Conn) context.Context {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= v.most {
		v.turnAway(c)
	}
	one := &visitor{all: v, conn: c, silent: true}
	one.settle()
	v.known[c] = one
	return context.WithValue(ctx, visitorKey{}, one)
}

// settle puts it last in the list that it belongs to. The caller holds mu.
func (one *visitor) settle() {
	to := one.all.quiet
	switch {
	case one.streams > 0:
		to = one.all.standing
	case one.answers > 0:
		to = one.all.busy
	}
	if one.in == to {
		return
	}
	one.leave()
	one.in, one.place, one.since = to, to.PushBack(one), time.Now()
}

func (one *visitor) leave() {
	if one.in != nil {
		one.in.Remove(one.place)
	}
}

// turnAway closes the connection that is of least use, which is the new one if
// none of the others may be. The caller holds mu.
func (v *visitors) turnAway(fresh net.Conn) {
	one := v.leastUse()
	if one == nil {
		_ = fresh.Close() // its end is told to note
		return
	}
	one.leave()
	delete(v.known, one.conn)
	_ = one.conn.Close()
}

// leastUse gives whose place a newcomer may have, nil if nobody's.
func (v *visitors) leastUse() *visitor {
	if front := v.quiet.Front(); front != nil {
		return front.Value.(*visitor)
	}
	if front := v.busy.Front(); front != nil {
		if one := front.Value.(*visitor); time.Since(one.since) >= v.long {
			return one
		}
	}
	if v.standing.Len() > v.most/2 {
		return v.standing.Front().Value.(*visitor)
	}
	return nil
}

// note is a http.Server's ConnState.
func (v *visitors) note(c net.Conn, state http.ConnState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	one := v.known[c]
	switch {
	case one == nil:
	case state == http.StateClosed:
		one.leave()
		delete(v.known, c)
	case state == http.StateActive:
		one.silent = false
	}
}

// answered notes which connections are being answered.
func (v *visitors) answered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, _ := r.Context().Value(visitorKey{}).(*visitor)
		one.count(1, 0)
		defer one.count(-1, 0)
		next.ServeHTTP(w, r)
	})
}

// stand notes that the answer under ctx is a stream; the func that it is over.
func stand(ctx context.Context) func() {
	one, _ := ctx.Value(visitorKey{}).(*visitor)
	one.count(0, 1)
	return func() { one.count(0, -1) }
}

// count notes how many answers and streams have begun, or ended if less than 0.
func (one *visitor) count(answers, streams int) {
	if one == nil {
		return // not served by serve
	}
	one.all.mu.Lock()
	defer one.all.mu.Unlock()
	if one.all.known[one.conn] != one {
		return // turned away, or closed
	}
	one.answers += answers
	one.streams += streams
	one.settle()
}

// closeSilent closes the connections that have asked nothing yet. Browsers open
// some ahead, and Shutdown would wait seconds for each to become idle.
func (v *visitors) closeSilent() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for c, one := range v.known {
		if one.silent {
			_ = c.Close()
		}
	}
}
