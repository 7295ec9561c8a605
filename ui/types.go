package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	maxOutcomes  = 20
	maxTypesSize = 44_000 // bytes of HTML of all types of a page, about
)

type typesView struct {
	Types []typeView
	Total string // how many there are, if not all are shown; "" if they are
	More  string // address of those that follow
}

// typeView is a type as a list shows it.
type typeView struct {
	Name        string
	URL         string
	Description string
	Command     string
	State       string     // "paused", "not configured any more"; "" if jobs of it start
	Now         []linkView // jobs that run, wait, or came out badly; none if there are none
	Figures     []figureView
	Outcomes    []outcomesView
}

// linkView is a place to go to.
type linkView struct{ URL, Words string }

// figureView is a number and what it is of.
type figureView struct{ Name, Value, Title string }

// outcomesView is how jobs that ended one after the other alike came out.
type outcomesView struct {
	State stateView
	Marks string
}

func (s *server) types(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewTypes(r)
	if err != nil {
		s.pageError(w, r, "No types", err)
		return
	}
	s.render(w, r, http.StatusOK, typesPage, frame{Title: "Types", Nav: "types", Every: every, Reload: 6 * reload, Main: v})
}

func (s *server) viewTypes(r *http.Request) (*typesView, error) {
	query, err := parseQuery(r)
	if err != nil {
		return nil, err
	}
	all, err := s.allTypes(r.Context())
	if err != nil {
		return nil, err
	}
	v := &typesView{}
	size := 0
	names := all.names()
	for i, name := range names {
		if name < query.Get("from") {
			continue
		}
		t, err := s.viewType(r.Context(), all, name)
		if err != nil {
			return nil, err
		}
		if size += t.size(); size > maxTypesSize && len(v.Types) > 0 {
			v.More = "/types?" + url.Values{"from": {name}}.Encode()
			v.Total = fmt.Sprintf("%d of %d types", len(v.Types), len(names))
			break
		}
		if i > 0 && len(v.Types) == 0 {
			v.Total = fmt.Sprintf("of %d types", len(names))
		}
		v.Types = append(v.Types, t)
	}
	return v, nil
}

// allTypes is what is known of all types at a moment.
type allTypes struct {
	configured map[string]*jobs.Type
	stats      jobs.Stats
	brakes     jobs.Brakes
}

func (s *server) allTypes(ctx context.Context) (*allTypes, error) {
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	brakes, err := s.Queue.Brakes(ctx)
	return &allTypes{s.Catalog().Types, stats, brakes}, err
}

func (a *allTypes) names() []string { return typeNames(a.configured, a.stats) }

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

func (s *server) viewType(ctx context.Context, a *allTypes, name string) (typeView, error) {
	t, n := a.configured[name], a.stats.Types[name]
	v := typeView{Name: clean(name, maxType), URL: typeURL(name), State: a.stateWords(name)}
	if t != nil {
		v.Description, v.Command = clean(t.Description, 240), typeCommand(t, 160)
	}
	link := func(words string, states ...jobs.State) {
		count := 0
		for _, state := range states {
			count += n[state]
		}
		if count > 0 {
			v.Now = append(v.Now, linkView{listURL(jobs.Filter{States: states, Type: name}.Text(), "", 0), fmt.Sprintf("%d %s", count, words)})
		}
	}
	link("running", jobs.Running)
	link("waiting", jobs.Pending)
	link("failed", jobs.Failed, jobs.Timeout, jobs.Lost)
	runs, err := s.Queue.RunsOf(ctx, name, n)
	if err != nil {
		return v, err
	}
	v.Figures, v.Outcomes = figures(runs), outcomes(runs.Latest)
	return v, nil
}

func typeURL(name string) string {
	if len(name) > maxQuery { // no configuration has such a type, but an old job may
		return listURL("", "", 0)
	}
	return "/types/" + url.PathEscape(name)
}

// stateWords say why no job of a type starts; "" if they do.
func (a *allTypes) stateWords(name string) string {
	switch {
	case a.configured[name] == nil:
		return "not configured any more"
	case a.brakes.All || a.brakes.Types[name]:
		return "paused"
	case a.brakes.Draining:
		return "draining"
	}
	return ""
}

// size is about how many bytes of HTML a type takes.
func (v *typeView) size() int {
	n := 700 + 2*len(v.Description) + 2*len(v.Command) + 6*len(v.Name) + 3*len(v.URL)
	for _, l := range v.Now {
		n += 40 + len(l.URL)
	}
	for _, o := range v.Outcomes {
		n += 40 + len(o.Marks)
	}
	return n
}

// typeCommand is how a type's jobs are started.
func typeCommand(t *jobs.Type, limit int) string {
	if len(t.Command) > 0 {
		return words(t.Command, limit, "")
	}
	return strings.TrimSpace(words(t.Interpreter, limit, "") + " SCRIPT")
}

// figures are what the latest runs of a type came to.
func figures(r jobs.Runs) []figureView {
	if r.Runs == 0 {
		return nil
	}
	of := fmt.Sprintf("of the latest %d that ran", r.Runs)
	return []figureView{
		{"COMPLETED", share(r.Completed), of},
		{"to run", midAndMost(r.RunP50, r.RunP95), "half of them at most the first, 95 of 100 at most the second, " + of},
		{"to wait", midAndMost(r.WaitP50, r.WaitP95), "half of them at most the first, 95 of 100 at most the second, " + of},
	}
}

// figureWords says in a sentence what the latest runs of a type came to; "" if
// none ran.
func figureWords(r jobs.Runs) string {
	if r.Runs == 0 {
		return ""
	}
	return fmt.Sprintf("%s of the last %d COMPLETED; half of them took at most %s, 95 of 100 at most %s",
		share(r.Completed), r.Runs, duration(seconds(r.RunP50)), duration(seconds(r.RunP95)))
}

func midAndMost(p50, p95 float64) string {
	return duration(seconds(p50)) + " … " + duration(seconds(p95))
}

// share is in whole per cent, and 100 only if it is all.
func share(part float64) string { return fmt.Sprintf("%d %%", int(100*part)) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// outcomes are marks of the latest runs, the newest last, as one reads.
func outcomes(latest []jobs.Run) []outcomesView {
	var out []outcomesView
	for _, run := range slices.Backward(latest[:min(len(latest), maxOutcomes)]) {
		state := viewState(run.State)
		if last := len(out) - 1; last >= 0 && out[last].State == state {
			out[last].Marks += state.Glyph
			continue
		}
		out = append(out, outcomesView{state, state.Glyph})
	}
	return out
}
