package ui

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// lane is one place where jobs ran one after the other.
type lane struct {
	label string
	spans []jobs.Span // by their start
	free  time.Time   // when the last one ended
}

// group is the lanes of places that are alike: of one token of a slot, which
// several jobs may share, or those of jobs that had no token.
type group struct {
	label string // "" for the latter
	lanes []lane
}

// pack lays spans out on lanes: each token of a slot has lanes of its own. Within
// a group a span takes the first lane that is free when it starts.
func pack(spans []jobs.Span, now time.Time) []lane {
	slices.SortStableFunc(spans, func(a, b jobs.Span) int { return a.StartedAt.Compare(b.StartedAt) })
	places := &group{}
	tokens := map[string]*group{}
	for _, s := range spans {
		if len(s.Slots) == 0 {
			places.add(s, now)
		}
		for name, list := range s.Slots {
			for _, token := range list {
				label := name + " " + token
				if tokens[label] == nil {
					tokens[label] = &group{label: label}
				}
				tokens[label].add(s, now)
			}
		}
	}
	named := slices.SortedFunc(maps.Keys(tokens), func(a, b string) int { // gpu 10 comes after gpu 9
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	var all []lane
	for _, label := range named {
		all = append(all, tokens[label].lanes...)
	}
	return append(all, places.lanes...)
}

func (g *group) add(s jobs.Span, now time.Time) {
	at := slices.IndexFunc(g.lanes, func(l lane) bool { return !l.free.After(s.StartedAt) })
	if at < 0 {
		at = len(g.lanes)
		label := g.label
		switch {
		case label == "":
			label = strconv.Itoa(at + 1)
		case at > 0:
			label = "… " + strconv.Itoa(at+1) // beside another one on the same token
		}
		g.lanes = append(g.lanes, lane{label: label})
	}
	l := &g.lanes[at]
	l.spans, l.free = append(l.spans, s), spanEnd(s, now)
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
