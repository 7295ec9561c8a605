package main

import (
	"fmt"
	"strings"
	"time"

	"jobrunner/jobs"
)

// stateColours are the colours of the states on a terminal.
var stateColours = map[jobs.State]string{
	jobs.Pending:   dim,
	jobs.Running:   cyan,
	jobs.Completed: green,
	jobs.Failed:    red,
	jobs.Cancelled: dim,
	jobs.Timeout:   yellow,
	jobs.Lost:      yellow,
	jobs.Rejected:  red,
}

// state shows a state: on a terminal by glyph, word and colour, so that no one
// of them is needed to tell it.
func (s *screen) state(of jobs.State) cell {
	word := string(of)
	if s.terminal() {
		word = s.states[of] + " " + word
	}
	return cell{text: word, colour: stateColours[of]}
}

// short is as much of an id as a person needs.
func short(id string) string { return id[:min(8, len(id))] }

// what is the target and the arguments of a job as they would be typed.
func what(j *jobs.Job) string {
	if j.Target == "" {
		return "-"
	}
	return jobs.Sanitize(j.Target) + spaced(j.Args)
}

// title is what a job is called: its name, if it has one, and what was asked for.
func title(j *jobs.Job) string {
	if j.Name == "" {
		return what(j)
	}
	return jobs.Sanitize(j.Name) + ": " + what(j)
}

// argv is a command as it would be typed.
func argv(words []string) string { return strings.TrimPrefix(spaced(words), " ") }

func spaced(words []string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteByte(' ')
		b.WriteString(jobs.Sanitize(jobs.Quote(w)))
	}
	return b.String()
}

// why says why a job is in its state: the reason, and what the way in which it
// ended usually means.
func why(j *jobs.Job) string {
	reason := jobs.Sanitize(j.Reason)
	if means := j.EndWords(); means != "" {
		reason += ": " + means
	}
	return reason
}

// ran says how long a job has run, or ran; "" if it did not.
func ran(j *jobs.Job, now time.Time) string {
	switch {
	case j.StartedAt.IsZero():
		return ""
	case j.State == jobs.Running:
		return span(now.Sub(j.StartedAt))
	case j.FinishedAt.IsZero():
		return ""
	}
	return span(j.FinishedAt.Sub(j.StartedAt))
}

// span writes a duration as people say it, in two units at most.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", max(0, d.Seconds()))
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// age writes how long ago something was, in one unit.
func age(d time.Duration) string {
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// instant writes a time as programs read it.
func instant(t time.Time) string { return t.UTC().Format(jobs.TimeFormat) }

// count writes n with the noun, in the plural where there is not one of them.
func count(n int, noun string) string { return counted(n, noun, noun+"s") }

// counted is count for a noun with a plural of its own.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
