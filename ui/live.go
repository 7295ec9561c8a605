package ui

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"
)

// How a page says what of it is kept fresh while somebody looks at it:
//
//   - frame.Every is set, and the handler answers GET of the page's path and
//     query with all of it;
//   - an element with an id and the attribute data-live is a live region: it is
//     on every answer of that page, and what is in it is brought up to date in
//     place. Regions do not lie in each other;
//   - an element in a live region with an id of its own and the attribute
//     data-row is a live row, such as a <tr>: it is brought up to date alone, and
//     rows come, go and move only while nobody reads the table. Its parent holds
//     nothing but such rows;
//   - a <time datetime> is shown in the browser's zone; with the attribute
//     data-short without seconds.
//
// A page that is watched is made anew by its own handler, once for all who watch
// it, and each of them is sent what differs from what it has. So a client that
// reads slowly gets the newest state late, and never all that was in between.

const (
	liveTick = 125 * time.Millisecond // between two looks whether there is something to do
	liveGap  = 250 * time.Millisecond // between two makings of a page, at least
	liveMove = time.Second            // the same if only what is measured has moved
	liveAge  = 2 * time.Second        // after which it is made again though nothing is known to have changed: logs, ages, the disk
	liveMake = 10 * time.Second       // which making it may take
)

// live answers with a stream of what changes on a page.
func (s *server) live(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	path, err := livePage(query.Get("page"))
	if err != nil {
		code, words := s.explain(r, err)
		fail(w, r, code, words)
		return
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = query.Get("last")
	}
	s.serveStream(w, r, heardBeat, func(ctx context.Context, out *stream) error {
		return s.watch(ctx, out, path, s.views.number(last))
	})
}

// watch sends what changes on a page after that difference, until ctx ends or
// the page cannot be made.
func (s *server) watch(ctx context.Context, out *stream, path string, number int64) error {
	v, leave := s.views.watch(path)
	defer leave()
	changed, stop := s.Changed()
	defer stop()
	tick := time.NewTicker(liveTick)
	defer tick.Stop()
	for first := true; ; first = false {
		code := s.refresh(ctx, v)
		switch {
		case ctx.Err() != nil, code >= http.StatusInternalServerError:
			return nil // the client asks again, and says meanwhile that it knows nothing new
		case code != http.StatusOK: // it became another page
			return out.send(message{name: "resync", data: []byte("{}")})
		}
		var news []message
		news, number = v.since(s.views, number)
		if first && len(news) == 0 {
			news = []message{heardBeat} // so that the client knows that it has contact
		}
		if len(news) > 0 {
			if err := out.send(news...); err != nil {
				return err
			}
		}
		if !out.wait(nil, tick.C) {
			return nil
		}
		select {
		case <-changed:
			v.touch()
		default:
		}
	}
}

// touch notes that something has changed.
func (v *view) touch() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dirtyAt = time.Now()
}

// refresh makes a page anew if it is time to, and gives the status of its answer.
func (s *server) refresh(ctx context.Context, v *view) int {
	v.render.Lock()
	defer v.render.Unlock()
	if !v.due(s) {
		return http.StatusOK
	}
	ctx, cancel := context.WithTimeout(ctx, liveMake)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.path, nil)
	if err != nil {
		return http.StatusBadRequest
	}
	answer := &unsent{header: http.Header{}, code: http.StatusOK}
	began := time.Now()
	s.recovered(s.pages).ServeHTTP(answer, r) // which notes what it made
	if answer.code == http.StatusOK && v.made().Before(began) {
		return http.StatusNotFound // it is no page that is kept fresh
	}
	return answer.code
}

func (v *view) made() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.madeAt
}

// due reports whether the page may differ from what is known of it.
func (v *view) due(s *server) bool {
	now, readings := time.Now(), s.Readings()
	v.mu.Lock()
	defer v.mu.Unlock()
	gap := liveAge
	switch {
	case !v.dirtyAt.Before(v.madeAt):
		gap = liveGap
	case !maps.Equal(v.readings, readings):
		gap = liveMove
	}
	if now.Sub(v.madeAt) < gap {
		return false
	}
	v.readings = readings
	return true
}

// unsent is an answer of which only the status counts: the page itself was noted
// when it was made. What is written for long, as a log, ends at once.
type unsent struct {
	header http.Header
	code   int
}

var errUnsent = errors.New("the answer is not sent to anybody")

func (u *unsent) Header() http.Header       { return u.header }
func (u *unsent) WriteHeader(code int)      { u.code = code }
func (u *unsent) Write([]byte) (int, error) { return 0, errUnsent }

type beganKey struct{}

// timed notes when the making of an answer began: what changes later may be
// missing from it.
func timed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), beganKey{}, time.Now())))
	})
}

// began gives when timed was reached.
func began(ctx context.Context) time.Time {
	at, _ := ctx.Value(beganKey{}).(time.Time)
	return at
}
