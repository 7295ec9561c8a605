package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

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
