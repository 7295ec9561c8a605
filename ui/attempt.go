package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

// pastView is a job's attempts that have ended, the latest first.
type pastView struct {
	Rows []attemptView
	More string // how many earlier ones are not shown; "" if all are
}

type attemptView struct {
	N     int
	State stateView
	Why   string
	At    *timeView
	Took  string
	Slots string
	Log   bool // there is one
}

// maxPast is how many attempts are shown.
const maxPast = 8

// viewPast shows nothing if the page says all of it already: the first attempt
// was the only one.
func (s *server) viewPast(j *jobs.Job, now time.Time) pastView {
	var v pastView
	if j.Attempt == 1 {
		return v
	}
	for i, a := range slices.Backward(j.Past) {
		if len(v.Rows) == maxPast {
			v.More = fmt.Sprintf("and %d earlier", i+1)
			break
		}
		row := viewAttempt(a, now)
		row.Log = a.Log != "" && s.hasLog(j, a.Attempt)
		v.Rows = append(v.Rows, row)
	}
	return v
}

func viewAttempt(a jobs.Attempt, now time.Time) attemptView {
	ended := &jobs.Job{State: a.State, Reason: a.Reason, ExitCode: a.ExitCode, Signal: a.Signal}
	v := attemptView{
		N: a.Attempt, State: viewState(a.State), Why: clean(why(ended), maxWhy),
		At: viewTime(a.StartedAt, now), Slots: clean(slotWords(a.Slots), maxName),
	}
	if v.At != nil && !a.FinishedAt.Before(a.StartedAt) {
		v.Took = "took " + duration(a.FinishedAt.Sub(a.StartedAt))
	}
	return v
}

// slotWords writes the tokens that an attempt had: gpu 0, 1.
func slotWords(slots map[string][]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(slots)) {
		all = append(all, name+" "+strings.Join(slots[name], ", "))
	}
	return strings.Join(all, "; ")
}
