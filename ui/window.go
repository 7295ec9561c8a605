package ui

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"jobrunner/jobs"
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
