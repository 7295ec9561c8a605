package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// document makes the request of what add was given, all but its target and
// what it waits for.
func (f *addFlags) document(cmd *cobra.Command, id string, args []string) (string, error) {
	var d document
	d.list("args", args)
	d.text("id", id)
	if f.name != "" {
		d.text("name", f.name)
	}
	if f.uniqueKey != "" {
		d.text("unique_key", f.uniqueKey)
	}
	if f.hold {
		d.truth("hold")
	}
	for _, part := range []func(*cobra.Command, *document) string{f.empty, f.numbers, f.times, f.duplicate, f.tables} {
		if fault := part(cmd, &d); fault != "" {
			return "", misused(cmd, fault)
		}
	}
	return d.String(), nil
}

// empty says which flag has no value. A script's variable that is not set must
// not make a job start at once that is to wait, or twice what is wanted once.
func (f *addFlags) empty(cmd *cobra.Command, _ *document) (fault string) {
	for _, flag := range []struct {
		name  string
		empty bool
	}{
		{"after", len(f.after) == 0}, {"after-any", len(f.afterAny) == 0},
		{"at", f.at == ""}, {"unique-key", f.uniqueKey == ""},
	} {
		if flag.empty && cmd.Flags().Changed(flag.name) {
			return fmt.Sprintf("--%s has no value", flag.name)
		}
	}
	return ""
}

// numbers, and the three below, write some keys of the request, or say which
// flag has a bad value.
func (f *addFlags) numbers(cmd *cobra.Command, d *document) (fault string) {
	if cmd.Flags().Changed("priority") {
		if f.priority < jobs.MinPriority || f.priority > jobs.MaxPriority {
			return fmt.Sprintf("--priority must be from %d to %d, not %d", jobs.MinPriority, jobs.MaxPriority, f.priority)
		}
		d.number("priority", f.priority)
	}
	if cmd.Flags().Changed("retries") {
		if f.retries < 0 {
			return fmt.Sprintf("--retries must be at least 0, not %d", f.retries)
		}
		d.number("retries", f.retries)
	}
	return ""
}

func (f *addFlags) times(cmd *cobra.Command, d *document) (fault string) {
	for _, t := range []struct {
		key   string
		value time.Duration
	}{{"timeout", f.timeout}, {"delay", f.delay}} {
		if !cmd.Flags().Changed(t.key) {
			continue
		}
		if t.value <= 0 {
			return fmt.Sprintf("--%s must be more than 0, not %s", t.key, t.value)
		}
		d.text(t.key, t.value.String())
	}
	if f.at == "" {
		return ""
	}
	if f.delay != 0 {
		return "--at and --delay cannot stand together: each says when it may start"
	}
	at, ok := parseTime(f.at)
	if !ok {
		return fmt.Sprintf("--at must be a time such as '2026-12-01 02:00' or 2026-12-01T02:00:00+01:00, not %s", strconv.Quote(f.at))
	}
	d.text("not_before", at.Format(time.RFC3339Nano))
	return ""
}

func (f *addFlags) duplicate(_ *cobra.Command, d *document) (fault string) {
	if f.onDuplicate == "" {
		return ""
	}
	if f.uniqueKey == "" {
		return "--on-duplicate needs --unique-key"
	}
	switch jobs.Duplicate(f.onDuplicate) {
	case jobs.DuplicateKeep, jobs.DuplicateReplace:
		d.text("on_duplicate", f.onDuplicate)
		return ""
	}
	return fmt.Sprintf("--on-duplicate must be %s or %s, not %s", jobs.DuplicateKeep, jobs.DuplicateReplace, strconv.Quote(f.onDuplicate))
}

func (f *addFlags) tables(_ *cobra.Command, d *document) (fault string) {
	for _, table := range []struct {
		flag, key string
		given     []string
	}{{"--env", "env", f.env}, {"--label", "labels", f.labels}, {"--param", "params", f.params}} {
		pairs, fault := parsePairs(table.given)
		if fault != "" {
			return table.flag + " " + fault
		}
		d.table(table.key, pairs)
	}
	axes, fault := parseAxes(f.foreach)
	if fault != "" {
		return "--foreach " + fault
	}
	d.lists("foreach", axes)
	return ""
}

// parsePairs takes KEY=VALUE apart; of a key that comes again the last one holds.
func parsePairs(given []string) (pairs [][2]string, fault string) {
	at := map[string]int{}
	for _, word := range given {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case !ok || key == "":
			return nil, "must be KEY=VALUE, not " + strconv.Quote(word)
		case !utf8.ValidString(word):
			return nil, strconv.Quote(word) + " is not valid UTF-8"
		}
		if i, ok := at[key]; ok {
			pairs[i][1] = value
			continue
		}
		at[key] = len(pairs)
		pairs = append(pairs, [2]string{key, value})
	}
	return pairs, ""
}

// parseAxes takes NAME=VALUE,VALUE apart; a name that comes again adds values.
func parseAxes(given []string) (axes []jobs.Axis, fault string) {
	at := map[string]int{}
	for _, word := range given {
		name, values, ok := strings.Cut(word, "=")
		switch {
		case !ok || name == "" || values == "":
			return nil, "must be NAME=VALUE,VALUE, not " + strconv.Quote(word)
		case !utf8.ValidString(word):
			return nil, strconv.Quote(word) + " is not valid UTF-8"
		}
		i, ok := at[name]
		if !ok {
			i = len(axes)
			at[name] = i
			axes = append(axes, jobs.Axis{Name: name})
		}
		axes[i].Values = append(axes[i].Values, strings.Split(values, ",")...)
	}
	return axes, ""
}

// parseTime reads a time as people write it: RFC 3339, or in local time with
// or without the hour.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
