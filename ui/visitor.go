package ui

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// visitors are the open connections, of which there are never more than most:
// each costs a file descriptor, and the log that it may read another one, which
// jobs and requests need too.
//
// When one more comes, the one goes that has been of least use: it is not being
// answered, and of those it has been quiet for longest. So ten thousand that ask
// nothing, or ask letter by letter, keep nobody else out. If all are being
// answered, the one goes that takes longest, if that is long: nor do they who read
// drop by drop.
type visitors struct {
	most int
	long time.Duration // an answer that takes longer may be broken off for another

	mu    sync.Mutex // guards what follows, and the fields of every visitor
	quiet *list.List // of *visitor: those that are not being answered, longest quiet first
	busy  *list.List // of *visitor: those that are, longest first
	known map[net.Conn]*visitor
}

// visitor is one connection.
type visitor struct {
	conn   net.Conn
	in     *list.List // quiet or busy
	place  *list.Element
	since  time.Time // in busy
	silent bool      // it has asked nothing yet
}

type visitorKey struct{}

func newVisitors(most int) *visitors {
	const long = 10 * time.Second
	return &visitors{most: most, long: long, quiet: list.New(), busy: list.New(), known: map[net.Conn]*visitor{}}
}

// come is a http.Server's ConnContext: it takes in a connection.
func (v *visitors) come(ctx context.Context, c net.Conn) context.Context {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= v.most {
		v.turnAway(c)
	}
	one := &visitor{conn: c, silent: true}
	one.move(v.quiet)
	v.known[c] = one
	return context.WithValue(ctx, visitorKey{}, one)
}

// move puts it last in a list.
func (one *visitor) move(to *list.List) {
	one.leave()
	one.in, one.place = to, to.PushBack(one)
}

func (one *visitor) leave() {
	if one.in != nil {
		one.in.Remove(one.place)
	}
}

// turnAway closes the connection that is of least use, which is the new one if
// all others are being answered and have not been for long. The caller holds mu.
func (v *visitors) turnAway(fresh net.Conn) {
	front := v.quiet.Front()
	if front == nil {
		front = v.busy.Front()
		if front == nil || time.Since(front.Value.(*visitor).since) < v.long {
			_ = fresh.Close() // its end is told to note
			return
		}
	}
	one := front.Value.(*visitor)
	one.leave()
	delete(v.known, one.conn)
	_ = one.conn.Close()
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
		v.begin(one)
		defer v.end(one)
		next.ServeHTTP(w, r)
	})
}

func (v *visitors) begin(one *visitor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if one != nil && v.known[one.conn] == one {
		one.since = time.Now()
		one.move(v.busy)
	}
}

func (v *visitors) end(one *visitor) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if one != nil && v.known[one.conn] == one {
		one.move(v.quiet)
	}
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
