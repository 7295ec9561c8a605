package progress_test

import (
	"math"
	"strconv"
	"testing"

	"jobrunner/jobs"
)

func itoa(n int) string { return strconv.Itoa(n) }

// want checks a progress that has a percentage.
func want(t *testing.T, p *jobs.Progress, percent float64, text, source string) {
	t.Helper()
	switch {
	case p == nil:
		t.Fatalf("got no progress, want %v %% %q", percent, text)
	case p.Percent == nil:
		t.Fatalf("got no percentage but %q, want %v %%", p.Text, percent)
	case math.Abs(*p.Percent-percent) > 0.001 || p.Text != text || p.Source != source:
		t.Fatalf("got %v %% %q by %q, want %v %% %q by %q", *p.Percent, p.Text, p.Source, percent, text, source)
	}
}

// show gives a progress in words.
func show(p *jobs.Progress) string {
	if p == nil {
		return "nothing"
	}
	s := "-"
	if p.Percent != nil {
		s = strconv.FormatFloat(*p.Percent, 'f', 2, 64) + " %"
	}
	s += " " + strconv.Quote(p.Text) + " by " + p.Source
	if p.ETA != nil {
		s += ", " + p.ETA.String() + " left by " + p.ETASource
	}
	return s
}
