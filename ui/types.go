package ui

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"jobrunner/jobs"
)

const (
	maxTypes    = 40
	maxOutcomes = 20
)

type typesView struct {
	Types []typeView
	More  string
}

type typeView struct {
	Name        string
	Description string
	Command     string
	Paused      bool
	Gone        bool // it is not configured any more
	Running     int
	Waiting     int
	Figures     string
	Outcomes    []outcomeView
}

type outcomeView struct {
	Short string
	State stateView
	Took  string
}

func (s *server) types(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewTypes(r.Context())
	if err != nil {
		code, words := s.explain(r, err)
		s.renderError(w, r, code, errorView{Heading: "Not now", Words: sentence(words)})
		return
	}
	s.render(w, r, http.StatusOK, typesPage, frame{Title: "Types", Nav: "types", Every: every, Reload: 6 * reload, Main: v})
}

func (s *server) viewTypes(ctx context.Context) (*typesView, error) {
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	brakes, err := s.Queue.Brakes(ctx)
	if err != nil {
		return nil, err
	}
	configured := s.Catalog().Types
	names := typeNames(configured, stats)
	v := &typesView{}
	for i, name := range names {
		if i == maxTypes {
			v.More = fmt.Sprintf("and %d more", len(names)-i)
			break
		}
		runs, err := s.Queue.RunsOf(ctx, name, stats.Types[name])
		if err != nil {
			return nil, err
		}
		v.Types = append(v.Types, viewType(name, configured[name], stats.Types[name], runs, brakes))
	}
	return v, nil
}

// typeNames are the types of the configuration and those of which jobs are known.
func typeNames(configured map[string]*jobs.Type, stats jobs.Stats) []string {
	var names []string
	for name := range configured {
		names = append(names, name)
	}
	for name := range stats.Types {
		if configured[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func viewType(name string, t *jobs.Type, n map[jobs.State]int, runs jobs.Runs, b jobs.Brakes) typeView {
	v := typeView{
		Name: clean(name, maxType), Gone: t == nil, Paused: b.All || b.Types[name],
		Running: n[jobs.Running], Waiting: n[jobs.Pending], Figures: figureWords(runs),
	}
	if t != nil {
		v.Description, v.Command = clean(t.Description, 200), typeCommand(t, 200)
	}
	for _, run := range runs.Latest[:min(len(runs.Latest), maxOutcomes)] {
		v.Outcomes = append(v.Outcomes, outcomeView{short(run.ID), viewState(run.State), duration(run.Took())})
	}
	return v
}

// typeCommand is how a type's jobs are started.
func typeCommand(t *jobs.Type, limit int) string {
	if len(t.Command) > 0 {
		return words(t.Command, limit, "")
	}
	return words(t.Interpreter, limit, "") + " SCRIPT"
}

func figureWords(r jobs.Runs) string {
	if r.Runs == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %% of the last %d COMPLETED; half of them took at most %s, 95 of 100 at most %s",
		100*r.Completed, r.Runs, duration(seconds(r.RunP50)), duration(seconds(r.RunP95)))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
