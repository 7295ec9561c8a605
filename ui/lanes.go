package ui

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// lane is one place where jobs ran one after the other.
type lane struct {
	label string
	spans []jobs.Span // by their start
}

// pack lays spans out on lanes: each token of a slot has one of its own, and
// the others take the first place that is free when they start.
func pack(spans []jobs.Span, now time.Time) []lane {
	slices.SortStableFunc(spans, func(a, b jobs.Span) int { return a.StartedAt.Compare(b.StartedAt) })
	tokens := map[string]*lane{}
	var places []lane
	var free []time.Time
	for _, s := range spans {
		if len(s.Slots) > 0 {
			addTokens(tokens, s)
			continue
		}
		at := slices.IndexFunc(free, func(t time.Time) bool { return !t.After(s.StartedAt) })
		if at < 0 {
			at = len(places)
			places = append(places, lane{label: strconv.Itoa(at + 1)})
			free = append(free, time.Time{})
		}
		places[at].spans = append(places[at].spans, s)
		free[at] = spanEnd(s, now)
	}
	var named []lane
	for _, l := range tokens {
		named = append(named, *l)
	}
	slices.SortFunc(named, func(a, b lane) int {
		return cmp.Or(cmp.Compare(len(a.label), len(b.label)), cmp.Compare(a.label, b.label))
	})
	return append(named, places...)
}

func addTokens(tokens map[string]*lane, s jobs.Span) {
	for name, list := range s.Slots {
		for _, token := range list {
			label := name + " " + token
			if tokens[label] == nil {
				tokens[label] = &lane{label: label}
			}
			tokens[label].spans = append(tokens[label].spans, s)
		}
	}
}

// spanEnd is when a span ended, or now while it runs.
func spanEnd(s jobs.Span, now time.Time) time.Time {
	if s.FinishedAt.IsZero() {
		return now
	}
	return s.FinishedAt
}

// drawn is what becomes one bar: a span, or several that are too short to be
// told apart.
type drawn struct {
	spans []jobs.Span
	from  float64 // per cent of the width
	to    float64
	wait  float64 // where its wait is drawn from; from if it is not
}

// draw makes bars of a lane. Spans shorter than least, per cent of the width,
// become one where less than that lies between them.
func (l lane) draw(scale scale, least float64) []drawn {
	var bars []drawn
	end := 0.0 // of the bar before
	for _, s := range l.spans {
		d := drawn{spans: []jobs.Span{s}, from: scale.at(s.StartedAt), to: scale.at(spanEnd(s, scale.until))}
		d.wait = max(scale.at(s.CouldAt), end)
		if last := len(bars) - 1; last >= 0 && d.to-d.from < least && bars[last].to-bars[last].from < least && d.from-bars[last].to < least {
			bars[last].spans, bars[last].to = append(bars[last].spans, s), max(bars[last].to, d.to)
			end = bars[last].to
			continue
		}
		if d.from-d.wait < leastWait {
			d.wait = d.from
		}
		end = d.to
		bars = append(bars, d)
	}
	return bars
}

const (
	leastBar  = 0.2 // per cent of the width: two points of a screen
	leastWait = 0.6
	gap       = 0.1 // between bars of which one follows the other
)

// drawAll draws lanes with at most so many bars in all.
func drawAll(lanes []lane, scale scale, most int) [][]drawn {
	for least := leastBar; ; least *= 1.5 {
		var all [][]drawn
		n := 0
		for _, l := range lanes {
			bars := l.draw(scale, least)
			n += len(bars)
			all = append(all, bars)
		}
		if n <= most || least > 100 {
			return all
		}
	}
}

// scale is the time that the width stands for.
type scale struct{ from, until time.Time }

// at is where a time lies, in per cent of the width.
func (s scale) at(t time.Time) float64 {
	return min(100, max(0, 100*float64(t.Sub(s.from))/float64(s.until.Sub(s.from))))
}
