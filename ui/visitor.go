package ui

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// visitors are the open connections, of which there are never more than most:
// each costs a file descriptor, and the log that it may read another one, which
// jobs and requests need too.
//
// When one more comes, the one goes that has been of least use: it is not being
// answered, and of those it has been quiet for longest. So ten thousand that ask
// nothing, or ask letter by letter, keep nobody else out.
type visitors struct {
	most int

	mu    sync.Mutex // guards what follows, and the fields of every visitor
	quiet *list.List // of *visitor: those that are not being answered, longest quiet first
	known map[net.Conn]*visitor
}

// visitor is one connection.
type visitor struct {
	conn   net.Conn
	place  *list.Element // in quiet; nil while it is being answered
	silent bool          // it has asked nothing yet
}

type visitorKey struct{}

func newVisitors(most int) *visitors {
	return &visitors{most: most, quiet: list.New(), known: map[net.Conn]*visitor{}}
}

// come is a http.Server's ConnContext: it takes in a connection.
func (v *visitors) come(ctx context.Context, c net.Conn) context.Context {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.known) >= v.most {
		v.turnAway(c)
	}
	one := &visitor{conn: c, silent: true}
	one.place = v.quiet.PushBack(one)
	v.known[c] = one
	return context.WithValue(ctx, visitorKey{}, one)
}

// turnAway closes the connection that has been quiet for longest, or the new one
// if all others are being answered. The caller holds mu.
func (v *visitors) turnAway(fresh net.Conn) {
	front := v.quiet.Front()
	if front == nil {
		_ = fresh.Close() // its end is told to note
		return
	}
	one := v.quiet.Remove(front).(*visitor)
	one.place = nil
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
		if one.place != nil {
			v.quiet.Remove(one.place)
		}
		delete(v.known, c)
	case state == http.StateActive:
		one.silent = false
	}
}

// answered notes which connections are being answered.
func (v *visitors) answered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, _ := r.Context().Value(visitorKey{}).(*visitor)
		v.busy(one, true)
		defer v.busy(one, false)
		next.ServeHTTP(w, r)
	})
}

func (v *visitors) busy(one *visitor, busy bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case one == nil || v.known[one.conn] != one:
	case busy && one.place != nil:
		v.quiet.Remove(one.place)
		one.place = nil
	case !busy && one.place == nil:
		one.place = v.quiet.PushBack(one)
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
