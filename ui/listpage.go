package ui

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	listRows     = 40
	maxTypeHints = 30
)

type listView struct {
	Q, Type string
	States  []choice
	Types   []string
	Problem string // what is wrong with the search; "" if nothing is
	Table   tableView
	Nothing string // said where no job fits
	Newest  string // address of the first page; "" on it
	Older   string // address of the next page; "" on the last
}

type choice struct {
	Value  string
	Chosen bool
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	query, filter, err := parseFilter(r, s.now())
	if err == nil {
		filter.Before, err = cursor(query, "before")
	}
	v := &listView{Q: clean(query.Get("q"), 5*maxQuery), Type: clean(query.Get("type"), 5*maxQuery)}
	v.States = stateChoices(filter.States)
	code := http.StatusOK
	if err == nil {
		err = s.viewList(r, v, filter)
	}
	if err != nil {
		if code, v.Problem = s.explain(r, err); code == http.StatusInternalServerError {
			s.renderError(w, r, code, errorView{Heading: "Not now", Words: sentence(v.Problem)})
			return
		}
		v.Problem, v.Nothing = clean(sentence(v.Problem), 1000), ""
	}
	// Without a script a reload empties the form: leave time to fill it in.
	s.render(w, r, code, listPage, frame{Title: "Jobs", Nav: "jobs", Every: every, Reload: 6 * reload, Main: v})
}

func (s *server) viewList(r *http.Request, v *listView, f jobs.Filter) error {
	stats, err := s.Queue.Stats(r.Context())
	if err != nil {
		return err
	}
	for name := range stats.Types {
		v.Types = append(v.Types, clean(name, maxType))
	}
	slices.Sort(v.Types)
	v.Types = v.Types[:min(len(v.Types), maxTypeHints)]

	f.Limit = listRows
	found, more, err := s.page(r, f)
	if err != nil {
		return err
	}
	now := s.now()
	v.Table = tableView{Caption: "Jobs, newest first", When: "Submitted"}
	for _, j := range found {
		v.Table.Rows = append(v.Table.Rows, viewRow(j, j.SubmittedAt, now))
	}
	v.Nothing = "No job fits."
	if f.Before > 0 {
		v.Newest = listURL(f, 0)
	}
	if more {
		v.Older = listURL(f, found[len(found)-1].Seq)
	}
	return nil
}

// stateChoices are those of the form; several states at once, as in a link from
// the overview, make one choice more.
func stateChoices(chosen []jobs.State) []choice {
	var out []choice
	if len(chosen) > 1 {
		out = append(out, choice{joinStates(chosen), true})
	}
	for _, state := range jobs.States {
		out = append(out, choice{string(state), len(chosen) == 1 && chosen[0] == state})
	}
	return out
}

func joinStates(states []jobs.State) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = string(s)
	}
	return strings.Join(words, ",")
}

// listURL is the address of the page of jobs before seq; 0 means the newest.
func listURL(f jobs.Filter, seq int64) string {
	q := url.Values{}
	if f.Query != "" {
		q.Set("q", f.Query)
	}
	if len(f.States) > 0 {
		q.Set("state", joinStates(f.States))
	}
	if f.Type != "" {
		q.Set("type", f.Type)
	}
	if f.Group != "" {
		q.Set("group", f.Group)
	}
	for _, key := range slices.Sorted(maps.Keys(f.Labels)) {
		label := key
		if value := f.Labels[key]; value != "" {
			label += "=" + value
		}
		q.Add("label", label)
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if seq > 0 {
		q.Set("before", strconv.FormatInt(seq, 10))
	}
	if len(q) == 0 {
		return "/jobs"
	}
	return "/jobs?" + q.Encode()
}
