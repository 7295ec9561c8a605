package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

const defaultLimit = 100

// listFlags is what list takes, as it is given and as it was understood.
type listFlags struct {
	state     string
	states    []jobs.State // none means all
	kind      string
	group     string
	label     []string
	labels    map[string]string
	ago       string
	since     time.Time
	search    string
	limit     int
	scheduled bool
	watch     bool
	json      bool
}

func (f *listFlags) define(a *app, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.state, "state", "", "only jobs in this `STATE`, or in one of several: failed,lost")
	flags.StringVar(&f.kind, "type", "", "only jobs of this `TYPE`")
	flags.StringVar(&f.group, "group", "", "only jobs of the sweep `ID`")
	flags.StringArrayVar(&f.label, "label", nil, "only jobs with this label, `KEY=VALUE` or KEY (repeatable)")
	flags.StringVar(&f.ago, "since", "", "only jobs submitted since a `TIME`: 2h or 3d ago, or '2026-12-01 02:00'")
	flags.StringVar(&f.search, "search", "", "only jobs that `TEXT` fits: words, and state: type: exit: name: label: source: id:")
	flags.IntVar(&f.limit, "limit", defaultLimit, "at most `N` jobs")
	flags.BoolVar(&f.scheduled, "scheduled", false, "list the schedules and when each is due")
	flags.BoolVar(&f.watch, "watch", false, "go on printing until interrupted")
	flags.BoolVar(&f.json, "json", false, "print the jobs as JSON")
	for name, complete := range map[string]cobra.CompletionFunc{
		"state": cobra.FixedCompletions(stateWords(), cobra.ShellCompDirectiveNoFileComp),
		"type": func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return a.types(), cobra.ShellCompDirectiveNoFileComp
		},
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, complete) // the flag is there
	}
}

func stateWords() []string {
	words := make([]string, len(jobs.States))
	for i, s := range jobs.States {
		words[i] = string(s)
	}
	return words
}

// check understands the flags, or says which of them is wrong.
func (f *listFlags) check(cmd *cobra.Command, now time.Time) error {
	if f.limit < 1 {
		return misused(cmd, fmt.Sprintf("--limit must be at least 1, not %d", f.limit))
	}
	if f.scheduled && (f.narrows() || f.watch) {
		return misused(cmd, "--scheduled lists schedules, not jobs: of the other flags only --json goes with it")
	}
	if f.state != "" {
		for word := range strings.SplitSeq(f.state, ",") {
			s, ok := jobs.ParseState(strings.ToUpper(strings.TrimSpace(word)))
			if !ok {
				return &usageError{message: "unknown state " + strconv.Quote(word), hint: "known states: " + strings.Join(stateWords(), ", ")}
			}
			f.states = append(f.states, s)
		}
	}
	f.labels = map[string]string{}
	for _, word := range f.label {
		key, value, _ := strings.Cut(word, "=")
		if key == "" {
			return misused(cmd, "--label must be KEY=VALUE or KEY, not "+strconv.Quote(word))
		}
		f.labels[key] = value
	}
	if f.ago != "" {
		var ok bool
		if f.since, ok = parseSince(f.ago, now); !ok {
			return misused(cmd, "--since must be a time ago such as 90m, 2h or 3d, or a time such as '2026-12-01 02:00', not "+strconv.Quote(f.ago))
		}
	}
	return nil
}

// narrows reports whether only some jobs are asked for.
func (f *listFlags) narrows() bool {
	return f.state != "" || f.kind != "" || f.group != "" || len(f.label) > 0 || f.ago != "" || f.search != ""
}

// parseSince reads a time, or how long ago it was, also in days.
func parseSince(text string, now time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), d >= 0
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 100_000 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), true
		}
	}
	return parseTime(text)
}

// group gives the whole id of the sweep that a word names.
func (c *client) group(ctx context.Context, word string) (string, error) {
	if word == "" {
		return "", nil
	}
	n, err := c.named(ctx, word)
	var absent *absentError
	switch {
	case errors.As(err, &absent):
		return "", noSweep(word)
	case err != nil:
		return "", err
	case n.sweep:
		return n.id, nil
	case n.jobs[0].Group != "": // one of its jobs names it as well
		return n.jobs[0].Group, nil
	}
	return "", noSweep(word)
}

func noSweep(word string) error {
	return &hintedError{
		err:  fmt.Errorf("there is no sweep %s: %w", strconv.Quote(word), jobs.ErrNotFound),
		hint: "jobrunner show ID says to which sweep a job belongs",
	}
}
