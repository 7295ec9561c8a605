package ui

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// isHealth reports whether a request asks after the daemon's health only, which
// whoever keeps watch over it may.
func isHealth(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// entered lets in who has the password, where there is one.
func (s *server) entered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isHealth(r) {
			next.ServeHTTP(w, r)
			return
		}
		code, after := s.Enter(r)
		switch code {
		case 0:
			next.ServeHTTP(w, r)
		case http.StatusTooManyRequests:
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
			fail(w, r, code, "too many wrong passwords; try again later")
		default:
			w.Header().Set("WWW-Authenticate", `Basic realm="jobrunner", charset="UTF-8"`)
			fail(w, r, code, "this page asks for a name and a password")
		}
	})
}

// ownSite keeps pages of other sites from asking for data, and for anything that is
// not to be a page of its own, which browsers tell by Sec-Fetch-Site and -Dest: they
// could not read the answer, but see how long it takes, as a search does that finds
// something, or keep connections open. Their links to pages work.
func ownSite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Site") == "cross-site" && !isHealth(r) && (isData(r) || isEmbedded(r)) {
			fail(w, r, http.StatusForbidden, "asked for by a page of another site; open it from this one, or by its address")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isData reports whether a route is for programs.
func isData(r *http.Request) bool {
	return isAPI(r) || r.URL.Path == "/live" || strings.HasPrefix(r.URL.Path, "/live/") || r.URL.Path == "/metrics"
}

// isEmbedded reports whether a browser asks for a part of a page, or a script of it.
func isEmbedded(r *http.Request) bool {
	dest := r.Header.Get("Sec-Fetch-Dest")
	return dest != "" && dest != "document"
}
