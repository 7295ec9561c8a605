package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"jobrunner/jobs"
)

type typePageView struct {
	Type  typeView
	Facts []fact
	Links []linkView
}

type linkView struct{ URL, Words string }

func (s *server) typePage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	v, err := s.viewTypePage(r.Context(), name)
	if err != nil {
		code, words := s.explain(r, err)
		s.renderError(w, r, code, errorView{Heading: "Not now", Words: sentence(words)})
		return
	}
	if v == nil {
		s.renderError(w, r, http.StatusNotFound, errorView{Heading: "No such type", Words: fmt.Sprintf("There is no type %q.", fit(name, 100))})
		return
	}
	s.render(w, r, http.StatusOK, typePage, frame{Title: "Type " + v.Type.Name, Nav: "types", Every: every, Reload: 6 * reload, Main: v})
}

// viewTypePage gives nil for a type that is neither configured nor known.
func (s *server) viewTypePage(ctx context.Context, name string) (*typePageView, error) {
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	t, states := s.Catalog().Types[name], stats.Types[name]
	if t == nil && states == nil {
		return nil, nil
	}
	brakes, err := s.Queue.Brakes(ctx)
	if err != nil {
		return nil, err
	}
	runs, err := s.Queue.RunsOf(ctx, name, states)
	if err != nil {
		return nil, err
	}
	v := &typePageView{Type: viewType(name, t, states, runs, brakes)}
	for _, state := range jobs.States {
		if n := states[state]; n > 0 {
			q := url.Values{"type": {name}, "state": {string(state)}}
			v.Links = append(v.Links, linkView{"/jobs?" + q.Encode(), fmt.Sprintf("%d %s", n, state)})
		}
	}
	return v, nil
}
