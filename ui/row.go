package ui

import (
	"fmt"
	"strings"
	"time"

	"jobrunner/jobs"
)

// Bounds of what a row shows, in bytes of HTML.
const (
	maxWhat = 180
	maxName = 60
	maxType = 70
	maxWhy  = 240
)

// stateView is a state as it is shown: a glyph, a word and, by its class, a
// colour, so that none of them is needed to tell it.
type stateView struct{ Glyph, Word, Class string }

var glyphs = map[jobs.State]string{
	jobs.Pending:   "◌",
	jobs.Running:   "▶\uFE0E", // as text, not as a picture
	jobs.Completed: "✓",
	jobs.Failed:    "✗",
	jobs.Cancelled: "⊘",
	jobs.Timeout:   "◷",
	jobs.Lost:      "?",
	jobs.Rejected:  "!",
}

func viewState(s jobs.State) stateView {
	return stateView{glyphs[s], string(s), strings.ToLower(string(s))}
}

// tableView is a table of jobs.
type tableView struct {
	Region   string // id of the live region around it; "" if its rows are not kept fresh one by one
	Caption  string
	Note     string
	When     string // heading of the times
	Rows     []rowView
	MoreURL  string // "" if all are shown
	MoreText string
}

type rowView struct {
	ID, Short string
	State     stateView
	What      string // target and arguments
	Name      string
	Type      string
	Why       string
	Line      string // of its output, that says why it failed; "" if there is none
	At        *timeView
	Took      string
}

// viewRow shows j; the row's time is at.
func viewRow(j *jobs.Job, at, now time.Time) rowView {
	row := rowView{
		ID: j.ID, Short: short(j.ID), State: viewState(j.State), What: what(j, maxWhat),
		Name: clean(j.Name, maxName), Why: clean(why(j), maxWhy), At: viewTime(at, now),
	}
	if j.Type != j.Target {
		row.Type = clean(j.Type, maxType)
	}
	switch {
	case j.State == jobs.Running && row.At != nil && at.Equal(j.StartedAt):
		row.At.Age = "for " + ticking(now.Sub(at))
	case hasRun(j):
		row.Took = "took " + duration(j.FinishedAt.Sub(j.StartedAt))
	}
	return row
}

// hasRun reports whether j ended and it is known how long it ran.
func hasRun(j *jobs.Job) bool {
	return j.State.Ended() && !j.StartedAt.IsZero() && !j.FinishedAt.Before(j.StartedAt)
}

// short is as much of an id as a person needs.
func short(id string) string { return id[:min(8, len(id))] }

// what is the target and its arguments as they would be typed.
func what(j *jobs.Job, limit int) string {
	return words(append([]string{j.Target}, j.Args...), limit, "(no target)")
}

func words(argv []string, limit int, none string) string {
	var b strings.Builder
	for i, arg := range argv {
		if b.Len() > 4*limit {
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		} else if arg == "" {
			b.WriteString(none)
			continue
		}
		b.WriteString(jobs.Quote(arg[:min(len(arg), 4*limit)]))
	}
	return clean(b.String(), limit)
}

// why says why j is in its state: the reason and, where the reason does not
// have them, exit status, signal, and what they usually mean.
func why(j *jobs.Job) string {
	out := withExit(j)
	if w := j.EndWords(); w != "" {
		out += " – " + w
	}
	return out
}

// withExit is the reason and, where it does not have them, the exit status or
// the signal.
func withExit(j *jobs.Job) string {
	reason := j.Reason
	var exit string
	switch {
	case j.ExitCode != nil:
		exit = fmt.Sprintf("exit %d", *j.ExitCode)
	case j.Signal != "":
		exit = j.Signal
	}
	switch {
	case j.State == jobs.Running && reason == "" && j.PID != 0:
		return fmt.Sprintf("process %d", j.PID)
	case j.State == jobs.Pending && reason == "":
		return "ready to start"
	case exit == "" || strings.Contains(reason, exit):
		return reason
	case reason == "":
		return exit
	}
	return reason + " (" + exit + ")"
}
