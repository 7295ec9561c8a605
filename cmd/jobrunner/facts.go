package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jobrunner/jobs"
)

// fact is a line of show; without a text it is left out.
type fact struct{ name, text string }

// printFacts prints facts in two columns.
func printFacts(s *screen, facts []fact) {
	width := 0
	for _, f := range facts {
		if f.text != "" {
			width = max(width, len(f.name))
		}
	}
	for _, f := range facts {
		if f.text != "" {
			fmt.Fprintf(s, "%s %s\n", s.paint(dim, fmt.Sprintf("%-*s", width, f.name)), f.text)
		}
	}
}

// facts are all that show prints of a job, what people look for first on top.
func (c *client) facts(ctx context.Context, s *screen, j *jobs.Job, now time.Time) ([]fact, error) {
	facts := []fact{
		{"id", j.ID},
		{"job", what(j)},
		{"name", jobs.Sanitize(j.Name)},
		{"type", jobs.Sanitize(j.Type)},
		{"sweep", jobs.Sanitize(j.Group)},
		{"source", jobs.Sanitize(j.Source)},
		{"submitted", when(s, j.SubmittedAt, now)},
		{"started", when(s, j.StartedAt, now)},
		{"finished", when(s, j.FinishedAt, now)},
		{"time", ran(j, now)},
		{"usage", usageWords(j)},
	}
	waiting, err := c.waitFacts(ctx, s, j, now)
	if err != nil {
		return nil, err
	}
	facts = append(facts, waiting...)
	facts = append(facts, fact{"attempt", attemptWords(j)}, fact{"priority", fmt.Sprint(j.Priority)})
	if j.Timeout > 0 {
		facts = append(facts, fact{"timeout", j.Timeout.String()})
	}
	facts = append(facts, fact{"unique key", jobs.Sanitize(j.UniqueKey)}, fact{"slots", slotWords(j.Slots)}, fact{"limits", jobs.Sanitize(j.Limits)},
		fact{"runs as", jobs.Sanitize(j.RunAs)})
	if j.State == jobs.Running && j.PID > 0 {
		facts = append(facts, fact{"pid", fmt.Sprint(j.PID)})
	}
	if j.ScriptNoted != "" {
		facts = append(facts, fact{"script", "was changed between its acceptance and its start"})
	}
	return append(facts, c.runFacts(j)...), nil
}

// runFacts are what a job was, or is to be, run with.
func (c *client) runFacts(j *jobs.Job) []fact {
	facts := []fact{
		{"node", jobs.Sanitize(j.Node)},
		{"params", pairs(j.Params)},
		{"command", argv(j.Command)},
		{"workdir", jobs.Sanitize(j.Workdir)},
		{"env", jobs.Sanitize(strings.Join(slices.Sorted(maps.Keys(j.Env)), " "))}, // never the values
		{"labels", pairs(j.Labels)},
	}
	if j.Log != "" {
		facts = append(facts, fact{"log", jobs.Sanitize(filepath.Join(c.cfg.StateDir, filepath.FromSlash(j.Log)))})
	}
	return facts
}

// waitFacts say what a job waits for, or waited for, and while it is PENDING
// its place in the order and when it is likely to start.
func (c *client) waitFacts(ctx context.Context, s *screen, j *jobs.Job, now time.Time) ([]fact, error) {
	after, err := c.others(ctx, j.After)
	if err != nil {
		return nil, err
	}
	afterAny, err := c.others(ctx, j.AfterAny)
	if err != nil {
		return nil, err
	}
	facts := []fact{{"after", after}, {"after any", afterAny}, {"not before", when(s, j.NotBefore, now)}}
	if j.State != jobs.Pending {
		return facts, nil
	}
	if j.Hold {
		facts = append(facts, fact{"hold", fmt.Sprintf("until jobrunner release %s", short(j.ID))})
	}
	forecast, err := c.queue.Forecast(ctx, j.ID)
	if errors.Is(err, jobs.ErrNotFound) {
		return facts, nil // it waits no more
	}
	if err != nil {
		return nil, err
	}
	facts = append(facts, fact{"order", orderWords(forecast, j)})
	_, served, err := lockHolder(c.cfg.StateDir)
	switch {
	case err != nil:
		return nil, err
	case !served:
		facts = append(facts, fact{"expected", "no daemon runs: it " + waitsForServe})
	case forecast.Basis != j.Reason: // that stands on the first line
		facts = append(facts, fact{"expected", expected(s, forecast, now)})
	}
	return facts, nil
}

func orderWords(f jobs.Forecast, j *jobs.Job) string {
	switch {
	case f.Ahead > 0:
		return count(f.Ahead, "job") + " before it"
	case j.Reason != "" && f.Basis == j.Reason: // it is not its turn that it waits for
		return "next, once it may start"
	}
	return "next"
}

// expected says when a job is likely to start, and what that rests on.
func expected(s *screen, f jobs.Forecast, now time.Time) string {
	basis := jobs.Sanitize(f.Basis)
	if f.StartAt.IsZero() {
		return basis
	}
	words := "now"
	if in := f.StartAt.Sub(now); in >= time.Second {
		words = "in " + fromNow(in) + ", " + moment(s, f.StartAt)
	}
	if basis != "" {
		words += " (" + basis + ")"
	}
	return words
}

// fromNow writes a duration that is not known to the second.
func fromNow(d time.Duration) string {
	if d < 10*time.Second {
		return age(d)
	}
	return span(d)
}

// others names jobs that a job waits for, with their states.
func (c *client) others(ctx context.Context, ids []string) (string, error) {
	const most = 8
	var words []string
	for i, id := range ids {
		if i == most && len(ids) > most+1 {
			words = append(words, fmt.Sprintf("and %d more", len(ids)-most))
			break
		}
		word := short(id)
		var gone *jobs.PrunedError
		j, err := c.queue.Job(ctx, id)
		switch {
		case errors.As(err, &gone):
			word += " " + string(gone.State)
		case err == nil:
			word += " " + string(j.State)
		case !errors.Is(err, jobs.ErrNotFound):
			return "", err
		}
		words = append(words, word)
	}
	return strings.Join(words, ", "), nil
}

// attemptWords says which attempt it is, and how many more there may be.
func attemptWords(j *jobs.Job) string {
	words := fmt.Sprint(j.Attempt)
	if j.Retries > 0 {
		words += fmt.Sprintf(", %d of %s used", j.Retried, counted(j.Retries, "retry", "retries"))
	}
	return words
}

// slotWords writes slots with their tokens: gpu 0,1.
func slotWords(slots map[string][]string) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(slots)) {
		words = append(words, jobs.Sanitize(name+" "+strings.Join(slots[name], ",")))
	}
	return strings.Join(words, ", ")
}

func pairs(of map[string]string) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		words = append(words, key+"="+of[key])
	}
	return argv(words)
}

// moment writes a time for people on a terminal, else for programs.
func moment(s *screen, t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case !s.terminal():
		return instant(t)
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// when is moment, and on a terminal how long ago that was or is to be.
func when(s *screen, t, now time.Time) string {
	words := moment(s, t)
	if words == "" || !s.terminal() {
		return words
	}
	switch ago := now.Sub(t); {
	case ago >= time.Second:
		return words + ", " + age(ago) + " ago"
	case ago <= -time.Second:
		return words + ", in " + age(-ago)
	}
	return words
}
