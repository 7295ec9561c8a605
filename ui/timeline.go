package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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

func (s *server) timeline(w http.ResponseWriter, r *http.Request) {
	v, err := s.viewTimeline(r)
	if err != nil {
		s.pageError(w, r, "No timeline", err)
		return
	}
	s.render(w, r, http.StatusOK, timelinePage, frame{Title: "Timeline", Nav: "timeline", Every: every, Reload: 6 * reload, Main: v})
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
		if j.State != jobs.Pending || j.Hold || j.Doubt {
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
