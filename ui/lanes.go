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
