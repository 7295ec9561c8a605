package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"jobrunner/jobs"
)

// clean makes a foreign string fit to be shown: no control characters, and at
// most limit bytes once a template has escaped it.
func clean(s string, limit int) string {
	cutEarly := len(s) > 4*limit // no need to look at a megabyte to show a line
	if cutEarly {
		s = s[:4*limit]
	}
	out := fit(jobs.Sanitize(s), limit)
	if cutEarly && !strings.HasSuffix(out, "…") {
		out += "…"
	}
	return out
}

// fit cuts s with "…" so that it escapes to at most limit bytes of HTML, the
// ellipsis counted.
func fit(s string, limit int) string {
	size, cut := 0, 0
	for i, r := range s {
		if size <= limit-len("…") {
			cut = i
		}
		size += escapedLen(r)
		if size > limit {
			return s[:cut] + "…"
		}
	}
	return s
}

// escapedLen is the number of bytes that html/template makes of r.
func escapedLen(r rune) int {
	switch r {
	case '&', '"', '\'', '+':
		return len("&#34;")
	case '<', '>':
		return len("&lt;")
	case 0:
		return len("\uFFFD")
	}
	return max(1, utf8.RuneLen(r))
}

// duration writes d as people say it, at two units at most.
func duration(d time.Duration) string { return jobs.RoughTime(d) }

// ticking writes how long something has been going on, in whole seconds.
func ticking(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", max(0, d)/time.Second)
	}
	return duration(d)
}

// calm is ticking that counts no seconds after the first minute.
func calm(d time.Duration) string {
	if d >= time.Minute && d < time.Hour {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return ticking(d)
}

// age writes how long ago d was, coarse enough not to flicker.
func age(d time.Duration) string {
	switch {
	case d < 2*time.Second && d > -2*time.Second:
		return "now"
	case d < 0:
		return "in " + coarse(-d)
	}
	return coarse(d) + " ago"
}

func coarse(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/(24*time.Hour))
}

// clock writes t in the server's zone, with as much of the date as is needed.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// shortClock is clock without seconds, for what is only expected.
func shortClock(t, now time.Time) string {
	if t.Local().Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return t.Local().Format("15:04")
	}
	return clock(t, now)
}

// zone names the server's zone at that time, which is that of every clock shown.
func zone(t time.Time) string {
	name, offset := t.Local().Zone()
	if offset == 0 && name == "UTC" {
		return name
	}
	return t.Local().Format("MST (UTC-07:00)")
}

// sentence makes a message, which begins in lower case and ends without a stop,
// one that stands alone.
func sentence(words string) string {
	r, n := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(r)) + words[n:] + "."
}
