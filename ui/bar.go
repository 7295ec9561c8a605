package ui

import (
	"fmt"
	"strconv"
	"time"

	"jobrunner/jobs"
)

const (
	maxSaid   = 80 // bytes of HTML of what a job says of its progress
	maxSource = 24
)

// barView is how far a job has come, for the part "bar".
type barView struct {
	Value   string // of the <progress>, 0…100; "" if no share is known
	Percent string // the same for people
	Guess   bool   // it is only what earlier runs suggest
	Text    string // what the job says itself; "" if nothing
	Source  string // how Value was found, in words
	Left    *leftView
}

// leftView is how long a job will go on, for the part "left".
type leftView struct {
	Words  string // "2 h 10 left"
	End    *timeView
	Source string // on what that rests, in words
}

// viewBar gives nil where nothing is known.
func viewBar(p *jobs.Progress, now time.Time) *barView {
	if p == nil {
		return nil
	}
	v := &barView{Text: clean(p.Text, maxSaid), Guess: p.Source == jobs.ProgressHistory, Source: sourceWords(p.Source)}
	if p.Percent != nil {
		v.Value = strconv.FormatFloat(p.Tenths(), 'f', -1, 64)
		v.Percent = fmt.Sprintf("%d %%", int(p.Tenths()))
	}
	if p.ETA != nil {
		v.Left = viewLeft(*p.ETA, p.ETASource, now)
	}
	return v
}

func viewLeft(left time.Duration, source string, now time.Time) *leftView {
	v := &leftView{Words: calm(left) + " left", End: viewSoon(now.Add(left), now), Source: etaWords(source)}
	switch {
	case left < time.Second:
		v.Words, v.End = "any moment", nil
	case source == jobs.ProgressHistory:
		v.Words = "~" + v.Words
	}
	return v
}

// sourceWords says how it was found out how far a job has come.
func sourceWords(source string) string {
	switch source {
	case "":
		return ""
	case jobs.ProgressSaid:
		return "as the job says in its output"
	case jobs.ProgressFile:
		return "as the job says in its progress file"
	case jobs.ProgressPattern:
		return "found by the type's pattern in its output"
	case jobs.ProgressHistory:
		return "by how long earlier runs took; the job itself tells nothing"
	}
	return "found in its output, as " + clean(source, maxSource) + " writes it"
}

// etaWords says on what the time left rests.
func etaWords(source string) string {
	switch source {
	case "":
		return ""
	case jobs.ETARate:
		return "by how fast it went lately"
	case jobs.ProgressHistory:
		return "by how long earlier runs took"
	case jobs.ProgressSaid, jobs.ProgressFile, jobs.ProgressPattern:
		return "as the job says"
	}
	return "as " + clean(source, maxSource) + " says in its output"
}
