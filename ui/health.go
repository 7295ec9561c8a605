package ui

import "net/http"

// healthz says that the daemon answers at all.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "ok")
}

// readyz says whether requests are taken.
func (s *server) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.Ready(); err != nil {
		plain(w, http.StatusServiceUnavailable, "not ready: "+clean(err.Error(), 2000))
		return
	}
	plain(w, http.StatusOK, "ready")
}
