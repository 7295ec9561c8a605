package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jobrunner/jobs"
)

const (
	maxSpans = 90 // with more the page would be too long
	maxLanes = 24
	maxBar   = 60 // bytes of what a bar says of its command line
)

// windows are the lengths of time that the timeline offers, and how far apart
// its marks are.
var windows = []window{
	{"1h", time.Hour, 10 * time.Minute},
	{"6h", 6 * time.Hour, time.Hour},
	{"24h", 24 * time.Hour, 3 * time.Hour},
	{"7d", 7 * 24 * time.Hour, 24 * time.Hour},
}

type window struct {
	name   string
	length time.Duration
	step   time.Duration
}

type timelineView struct {
	Windows []choice
	Marks   []string
	Lanes   []laneView
	Rows    []spanView
	Nothing string
	Note    string
}

type choice struct {
	Value  string
	Chosen bool
}

type laneView struct {
	Label string
	Bars  []spanBar
}

type spanBar struct {
	Short, Class, Title string
	X, Width            string // per cent
}

type spanView struct {
	Short, What, Place, Words string
	State                     stateView
	At                        *timeView
}

func (s *server) timeline(w http.ResponseWriter, r *http.Request) {
	win, err := parseWindow(r)
	var v *timelineView
	if err == nil {
		v, err = s.viewTimeline(r.Context(), win)
	}
	if err != nil {
		code, words := s.explain(r, err)
		s.renderError(w, r, code, errorView{Heading: "No timeline", Words: sentence(words)})
		return
	}
	s.render(w, r, http.StatusOK, timelinePage, frame{Title: "Timeline", Nav: "timeline", Every: every, Reload: 6 * reload, Main: v})
}

func parseWindow(r *http.Request) (window, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return window{}, badRequest("the query cannot be read: " + err.Error())
	}
	name := query.Get("window")
	if name == "" {
		name = "24h"
	}
	var known []string
	for _, w := range windows {
		if w.name == name {
			return w, nil
		}
		known = append(known, w.name)
	}
	return window{}, badRequest(fmt.Sprintf("window is %q, want one of %s", fit(name, 60), strings.Join(known, ", ")))
}

func (s *server) viewTimeline(ctx context.Context, win window) (*timelineView, error) {
	now := s.now()
	from := now.Add(-win.length)
	v := &timelineView{Nothing: "Nothing ran in this time."}
	for _, w := range windows {
		v.Windows = append(v.Windows, choice{w.name, w.name == win.name})
	}
	spans, err := s.Queue.Spans(ctx, from, now, maxSpans)
	if err != nil {
		return nil, err
	}
	if len(spans) == maxSpans {
		v.Note = fmt.Sprintf("the latest %d", maxSpans)
	}
	running, err := s.Queue.Running(ctx)
	if err != nil {
		return nil, err
	}
	for _, j := range running {
		spans = append(spans, jobs.Span{ID: j.ID, Type: j.Type, Target: j.Target, Args: j.Args, State: j.State, Attempt: j.Attempt,
			SubmittedAt: j.SubmittedAt, StartedAt: j.StartedAt, Slots: j.Slots})
	}
	lanes := pack(spans, now)
	for _, l := range lanes[:min(len(lanes), maxLanes)] {
		lv := laneView{Label: clean(l.label, maxName)}
		for _, span := range l.spans {
			lv.Bars = append(lv.Bars, viewSpanBar(span, from, now))
			v.Rows = append(v.Rows, viewSpan(span, lv.Label, now))
		}
		v.Lanes = append(v.Lanes, lv)
	}
	return v, nil
}

func viewSpanBar(s jobs.Span, from, now time.Time) spanBar {
	all := now.Sub(from)
	begin, end := max(0, s.StartedAt.Sub(from)), min(all, spanEnd(s, now).Sub(from))
	st := viewState(s.State)
	return spanBar{
		Short: short(s.ID), Class: st.Class, X: percent(begin, all), Width: percent(max(end-begin, all/500), all),
		Title: st.Glyph + " " + st.Word + " " + spanWhat(s) + ", " + spanWords(s, now),
	}
}

func percent(part, all time.Duration) string {
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(all))
}

func spanWhat(s jobs.Span) string {
	return words(append([]string{s.Target}, s.Args...), maxBar, "(no target)")
}

func spanWords(s jobs.Span, now time.Time) string {
	if s.FinishedAt.IsZero() {
		return "for " + ticking(now.Sub(s.StartedAt))
	}
	return "took " + duration(s.FinishedAt.Sub(s.StartedAt))
}

func viewSpan(s jobs.Span, place string, now time.Time) spanView {
	return spanView{Short: short(s.ID), What: spanWhat(s), Place: place, State: viewState(s.State), Words: spanWords(s, now), At: viewTime(s.StartedAt, now)}
}
