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

// What the timeline shows at most, so that the page stays within its bound.
const (
	maxBars     = 180
	maxDrawn    = 43_000 // bytes of HTML of bars and rows, about
	maxSpanRows = 40
	maxLanes    = 32
	maxNext     = 4   // lanes of jobs that wait
	maxBarWords = 60  // bytes of HTML of a command line
	maxBarWhy   = 40  // likewise of a reason
	leastNamed  = 7.0 // per cent of the width in which a bar's name is written
)

// window is a length of time that the timeline offers.
type window struct {
	Name   string
	length time.Duration
	step   time.Duration // between two marks
	mark   string        // how they are written
}

var windows = []window{
	{"1h", time.Hour, 10 * time.Minute, "15:04"},
	{"6h", 6 * time.Hour, time.Hour, "15:04"},
	{"24h", 24 * time.Hour, 4 * time.Hour, "15:04"},
	{"7d", 7 * 24 * time.Hour, 24 * time.Hour, "Mon 2"},
}

type timelineView struct {
	Windows        []windowView
	Earlier, Later string // addresses; "" if there is nothing
	From, Until    *timeView
	Zone           string
	Marks          []markView
	Lanes          []laneView
	Rows           []spanView
	Notes          []string
	Nothing        bool
	Legend         []legendView
}

type legendView struct {
	stateView
	Pattern string
}

type windowView struct {
	Name, URL string
	Chosen    bool
}

type markView struct{ X, Words string }

// laneView is a place where jobs ran one after the other, or where they wait.
type laneView struct {
	Label string
	Bars  []spanBar
}

// spanBar is an attempt as it is drawn, or a number of short ones.
type spanBar struct {
	URL          string // "" for several
	Class, Title string
	Pattern      string // drawn over it; "" for none
	X, Width     string
	WaitX        string // from where its wait is drawn; "" if it is not
	WaitWidth    string
	Words        string // written into it; "" if there is no room
	Bad          string // of several: the part of Width that did not come out COMPLETED; "" if all did
	Waits        bool   // it has not started
}

// spanView is an attempt in words.
type spanView struct {
	ID, What, Place, Took, Why string
	State                      stateView
	At                         *timeView
}

func (s *server) timeline(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewTimeline(r)
	if err != nil {
		code, words := s.explain(r, err)
		s.renderError(w, r, code, errorView{Heading: "No timeline", Words: sentence(words)})
		return
	}
	s.render(w, r, http.StatusOK, timelinePage, frame{Title: "Timeline", Nav: "timeline", Every: every, Reload: 6 * reload, Main: v})
}

// parseWindow reads the length of time, and its end if that is not now.
func (s *server) parseWindow(r *http.Request) (win window, end time.Time, err error) {
	query, err := parseQuery(r)
	if err != nil {
		return win, end, err
	}
	name, known := query.Get("window"), []string{}
	if name == "" {
		name = "24h"
	}
	for _, w := range windows {
		if w.Name == name {
			win = w
		}
		known = append(known, w.Name)
	}
	if win.length == 0 {
		return win, end, badRequest(fmt.Sprintf("window is %q, want one of %s", fit(name, 60), strings.Join(known, ", ")))
	}
	text := query.Get("end")
	if text == "" {
		return win, time.Time{}, nil
	}
	end, ok := jobs.ParseWhen(text, s.now())
	if !ok || end.Year() < 1971 || end.Year() > 9999 {
		return win, end, badRequest(fmt.Sprintf("end is %q, want a time such as 2026-12-01T02:00:00Z, or how long ago, such as 24h", fit(text, 60)))
	}
	return win, end, nil
}

func (s *server) viewTimeline(r *http.Request) (*timelineView, error) {
	win, end, err := s.parseWindow(r)
	if err != nil {
		return nil, err
	}
	// In steps that nobody sees, so that the picture stands still between them.
	grain := max(win.length/1440, time.Second)
	now := s.now()
	live := end.IsZero() || !end.Before(now)
	if live {
		end = now.Truncate(grain).Add(grain)
	}
	scale := scale{end.Add(-win.length), end}
	v := &timelineView{From: minuteOf(scale.from, now), Until: minuteOf(end, now), Zone: zoneName(end), Marks: marks(win, scale)}
	for _, w := range windows {
		v.Windows = append(v.Windows, windowView{w.Name, timelineURL(w, end, live), w.Name == win.Name})
	}
	v.Earlier = timelineURL(win, end.Add(-win.length/2), false)
	if !live {
		later := end.Add(win.length / 2)
		v.Later = timelineURL(win, later, !later.Before(now))
	}
	for _, state := range []jobs.State{jobs.Running, jobs.Completed, jobs.Failed, jobs.Timeout, jobs.Cancelled, jobs.Lost} {
		v.Legend = append(v.Legend, legendView{viewState(state), patterns[state]})
	}
	return v, s.drawTimeline(r.Context(), v, scale, live)
}

// minuteOf is a time to the minute.
func minuteOf(t, now time.Time) *timeView {
	v := viewTime(t, now)
	v.Clock, v.Short = shortClock(t, now), true
	return v
}

func timelineURL(w window, end time.Time, live bool) string {
	q := url.Values{"window": {w.Name}}
	if !live {
		q.Set("end", end.UTC().Format(time.RFC3339))
	}
	return "/timeline?" + q.Encode()
}

// zoneName is the short name of the server's zone.
func zoneName(t time.Time) string { return t.Local().Format("MST") }

// marks are the round times of the server's clock.
func marks(win window, scale scale) []markView {
	from := scale.from.Local()
	at := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, time.Local)
	var out []markView
	for ; at.Before(scale.until); at = next(at, win.step) {
		if x := scale.at(at); at.After(scale.from) && x > 1 && x < 92 {
			out = append(out, markView{percent(x), at.Format(win.mark)})
		}
	}
	return out
}

// next is a step later by the clock: a day has 23 hours at times.
func next(at time.Time, step time.Duration) time.Time {
	if step < 24*time.Hour {
		return at.Add(step)
	}
	return at.AddDate(0, 0, int(step/(24*time.Hour)))
}

func percent(x float64) string { return fmt.Sprintf("%.4g%%", x) }

// drawTimeline fills in what ran, and if the window reaches up to now what runs
// and waits.
func (s *server) drawTimeline(ctx context.Context, v *timelineView, scale scale, live bool) error {
	ran, err := s.Queue.Ran(ctx, scale.from, scale.until)
	if err != nil {
		return err
	}
	spans := ran.Spans
	running, err := s.Queue.Running(ctx)
	if err != nil {
		return err
	}
	for _, j := range running {
		if span := j.Span(); span.StartedAt.Before(scale.until) {
			spans = append(spans, span)
		}
	}
	now := s.now()
	lanes := pack(spans, now)
	if len(lanes) > maxLanes {
		v.Notes = append(v.Notes, fmt.Sprintf("%d more places are not shown.", len(lanes)-maxLanes))
		lanes = lanes[:maxLanes]
	}
	v.crowds(ran.Crowds, scale)
	v.rows(lanes, now)
	v.Nothing = len(spans) == 0
	if live {
		if err := s.drawWaiting(ctx, v, scale); err != nil {
			return err
		}
	}
	var drawn []laneView
	for most, left := maxBars, maxDrawn-v.size(); ; most -= most/4 + 1 {
		drawn = viewLanes(lanes, scale, most, now)
		if sizeOf(drawn) < left || most < 20 {
			break
		}
	}
	v.Lanes = append(drawn, v.Lanes...)
	return nil
}

// size is about how many bytes of HTML all takes that is there so far.
func (v *timelineView) size() int {
	n := sizeOf(v.Lanes)
	for _, r := range v.Rows {
		n += 330 + escapedSize(r.What) + escapedSize(r.Place) + escapedSize(r.Why)
	}
	return n
}

func sizeOf(lanes []laneView) int {
	n := 0
	for _, l := range lanes {
		n += 80 + len(l.Label)
		for _, b := range l.Bars {
			n += 130 + escapedSize(b.Title) + len(b.Class)
			if b.Words != "" {
				n += 70 + escapedSize(b.Words)
			}
			for _, extra := range []string{b.Pattern, b.WaitX, b.Bad} {
				if extra != "" {
					n += 60
				}
			}
		}
	}
	return n
}

// viewLanes draws lanes with at most so many bars.
func viewLanes(lanes []lane, scale scale, most int, now time.Time) []laneView {
	var views []laneView
	for i, bars := range drawAll(lanes, scale, most) {
		v := laneView{Label: clean(lanes[i].label, maxName)}
		for _, d := range bars {
			v.Bars = append(v.Bars, d.bar(now))
		}
		views = append(views, v)
	}
	return views
}

// bar shows one span, or several.
func (d drawn) bar(now time.Time) spanBar {
	width := max(d.to-d.from-gap, leastBar)
	b := spanBar{X: percent(d.from), Width: percent(width)}
	if len(d.spans) > 1 {
		bad := 0
		b.Title, bad = several(d.spans, now)
		b.Bad = badPart(width, bad, len(d.spans))
		return b
	}
	s := d.spans[0]
	st := viewState(s.State)
	b.URL, b.Class, b.Pattern = "/jobs/"+short(s.ID), spanClass(s.State), patterns[s.State]
	b.Title = fmt.Sprintf("%s %s %s: %s, %s", st.Glyph, st.Word, spanWhat(s), shortClock(s.StartedAt, now), spanTook(s, now))
	if waited := s.StartedAt.Sub(s.CouldAt); waited >= time.Second {
		b.Title += " after a wait of " + duration(waited)
	}
	if d.wait < d.from {
		b.WaitX, b.WaitWidth = percent(d.wait), percent(d.from-d.wait)
	}
	if d.to-d.from >= leastNamed {
		b.Words = st.Glyph + " " + spanWhat(s)
	} else if d.to-d.from >= leastNamed/4 && s.State != jobs.Completed {
		b.Words = st.Glyph
	}
	return b
}

// spanClass gives the colour of a state; that of COMPLETED is the usual one.
func spanClass(s jobs.State) string {
	if s == jobs.Completed {
		return ""
	}
	return "s-" + viewState(s).Class
}

// patterns tell states apart where colours do not.
var patterns = map[jobs.State]string{jobs.Failed: "hatch", jobs.Timeout: "cross", jobs.Lost: "dots", jobs.Cancelled: "dots"}

// badPart is the part of a width that so many of all take; "" of none.
func badPart(width float64, bad, all int) string {
	if bad == 0 {
		return ""
	}
	return percent(max(width*float64(bad)/float64(all), leastBar))
}

// several says what a number of short spans came to, and how many of them are
// not COMPLETED.
func several(spans []jobs.Span, now time.Time) (words string, bad int) {
	counts := map[jobs.State]int{}
	for _, s := range spans {
		counts[s.State]++
	}
	var parts []string
	for _, state := range jobs.States {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	words = fmt.Sprintf("%d short ones from %s on: %s", len(spans), shortClock(spans[0].StartedAt, now), strings.Join(parts, ", "))
	return words, len(spans) - counts[jobs.Completed] - counts[jobs.Running]
}

func spanWhat(s jobs.Span) string {
	return words(append([]string{s.Target}, s.Args...), maxBarWords, "(no target)")
}

func spanTook(s jobs.Span, now time.Time) string {
	if s.FinishedAt.IsZero() {
		return "running for " + coarse(max(0, now.Sub(s.StartedAt)))
	}
	return "took " + duration(s.FinishedAt.Sub(s.StartedAt))
}

// crowds are what is too much to be told of one by one.
func (v *timelineView) crowds(all []jobs.Crowd, scale scale) {
	if len(all) == 0 {
		return
	}
	lv := laneView{Label: "others"}
	n, more := 0, ""
	for _, c := range all {
		from, to := scale.at(c.From), scale.at(c.Until)
		width := to - from - leastBar
		b := spanBar{X: percent(from), Width: percent(width), Bad: badPart(width, c.Failed, c.N)}
		plus := ""
		if c.More {
			plus, more = "+", "more than "
		}
		b.Title = fmt.Sprintf("%d%s shorter ones, %d not COMPLETED", c.N, plus, c.Failed)
		lv.Bars = append(lv.Bars, b)
		n += c.N
	}
	v.Lanes = append(v.Lanes, lv)
	v.Notes = append(v.Notes, fmt.Sprintf("Shown one by one are the longest; %s%d others ended in this time. A shorter window shows more of them.", more, n))
}

// rows are the spans in words, the latest start first, each once.
func (v *timelineView) rows(lanes []lane, now time.Time) {
	type placed struct {
		jobs.Span
		place string
	}
	var all []placed
	for _, l := range lanes {
		for _, s := range l.spans {
			i := slices.IndexFunc(all, func(p placed) bool { return p.ID == s.ID && p.Attempt == s.Attempt })
			if i >= 0 {
				all[i].place += ", " + l.label
				continue
			}
			all = append(all, placed{s, l.label})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return b.StartedAt.Compare(a.StartedAt) })
	for i, p := range all {
		if i == maxSpanRows {
			v.Notes = append(v.Notes, fmt.Sprintf("The table has the latest %d of %d.", i, len(all)))
			break
		}
		v.Rows = append(v.Rows, spanView{
			ID: short(p.ID), What: spanWhat(p.Span), Place: clean(p.place, maxBarWhy), State: viewState(p.State),
			Took: spanTook(p.Span, now), At: viewTime(p.StartedAt, now), Why: clean(p.Reason, maxBarWhy),
		})
	}
}

// drawWaiting shows the jobs that are to start next, each on a lane of its own.
func (s *server) drawWaiting(ctx context.Context, v *timelineView, scale scale) error {
	stats, err := s.Queue.Stats(ctx)
	if err != nil {
		return err
	}
	next, err := s.Queue.ListActive(ctx, stats.States[jobs.Running]+maxNext)
	if err != nil {
		return err
	}
	now := s.now()
	for _, j := range next {
		if j.State != jobs.Pending {
			continue
		}
		from := scale.at(j.SubmittedAt)
		v.Lanes = append(v.Lanes, laneView{Label: "next", Bars: []spanBar{{
			URL: "/jobs/" + short(j.ID), Class: "s-pending", Waits: true, X: percent(from), Width: percent(max(100-from, leastBar)),
			Title: fmt.Sprintf("◌ PENDING %s: waits for %s, %s", what(j, maxBarWords), coarse(max(0, now.Sub(j.SubmittedAt))), clean(j.Reason, maxBarWhy)),
			Words: waitingWords(j, 100-from),
		}}})
		v.Nothing = false
	}
	return nil
}

func waitingWords(j *jobs.Job, width float64) string {
	if width < leastNamed {
		return ""
	}
	return "◌ " + what(j, maxBarWords)
}
