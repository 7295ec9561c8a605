package ui

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"strconv"
)

type systemView struct {
	Problems []noteView
	Notes    []noteView
	Facts    []fact
}

func (s *server) system(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewSystem(r.Context())
	if err != nil {
		code, words := s.explain(r, err)
		s.renderError(w, r, code, errorView{Heading: "Not now", Words: sentence(words)})
		return
	}
	s.render(w, r, http.StatusOK, systemPage, frame{Title: "System", Nav: "system", Every: every, Reload: 6 * reload, Main: v})
}

func (s *server) viewSystem(ctx context.Context) (*systemView, error) {
	now, st := s.now(), s.Status()
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	v := &systemView{}
	v.Problems, v.Notes = viewNotes(st)
	total := 0
	for _, n := range stats.States {
		total += n
	}
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, fact{Name: name, Values: []string{clean(value, 400)}})
		}
	}
	add("Version", st.Version)
	add("Go", runtime.Version())
	add("Process", strconv.Itoa(os.Getpid()))
	add("Machine", st.Node)
	if at := viewTime(st.StartedAt, now); at != nil {
		v.Facts = append(v.Facts, fact{Name: "Started", At: at})
	}
	add("Jobs", strconv.Itoa(total))
	return v, nil
}
