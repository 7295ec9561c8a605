package ui

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"time"
)

// writeTimeout bounds each write of an answer, not the whole of it: a log may
// be long, but a reader that stands still is let go.
const writeTimeout = 30 * time.Second

// recovered turns a panic into a 500 for that request alone.
func (s *server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &response{ResponseWriter: w}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.Log.Error().Str("path", r.URL.Path).Str("panic", fmt.Sprint(v)).
				Bytes("stack", debug.Stack()).Msg("request panicked")
			if out.wrote {
				panic(http.ErrAbortHandler) // cut the connection: half an answer must not look whole
			}
			plain(out, http.StatusInternalServerError, "something went wrong inside; the daemon's log has it")
		}()
		next.ServeHTTP(out, r)
	})
}

// response notes whether the answer has begun.
type response struct {
	http.ResponseWriter
	wrote bool
}

func (r *response) WriteHeader(code int) {
	r.wrote = true
	r.ResponseWriter.WriteHeader(code)
}

func (r *response) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// readOnly answers every method but GET and HEAD with 405, whatever the path.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			fail(w, r, http.StatusMethodNotAllowed, "this page changes nothing: GET and HEAD only")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// trustworthy reports whether a browser takes where the answer comes from for
// that: over TLS, our own or a proxy's, or on the same machine. Elsewhere it heeds
// no Cross-Origin-Opener-Policy, and complains of one.
func trustworthy(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" || isLoopback(hostName(r.Host))
}

// bounded gives every write its deadline and sets the headers of all answers.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", dataPolicy) // a page sets its own; a redirect of the mux has a body too
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if trustworthy(r) {
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(&deadlined{ResponseWriter: w}, r)
	})
}

// deadlined moves the connection's write deadline on with every write, until the
// handler sets one itself. It hides io.ReaderFrom on purpose: sendfile(2) would
// write a whole log as one write.
type deadlined struct {
	http.ResponseWriter
	own bool // the handler sets its own
}

func (d *deadlined) Write(b []byte) (int, error) {
	if !d.own {
		// The error says only that the writer has no deadlines, as in a test.
		_ = http.NewResponseController(d.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTimeout))
	}
	return d.ResponseWriter.Write(b)
}

// SetWriteDeadline is for http.ResponseController.
func (d *deadlined) SetWriteDeadline(at time.Time) error {
	d.own = true
	return http.NewResponseController(d.ResponseWriter).SetWriteDeadline(at)
}

// Unwrap is for http.ResponseController.
func (d *deadlined) Unwrap() http.ResponseWriter { return d.ResponseWriter }
