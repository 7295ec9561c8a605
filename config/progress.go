package config

import (
	"slices"
	"strings"

	"jobrunner/jobs"
)

// progressSample is a pattern as an example in hints.
const progressSample = `'Countdown: (?P<left>[0-9]+)'`

// progressGroups are the names that a pattern's groups may have.
var progressGroups = []string{"done", "total", "left", "percent", "label", "eta"}

// progress reads how far a type's jobs have come is found out: a pattern that
// is looked for anywhere in a line, or off.
func (d *decoder) progress(dst *jobs.ProgressRule) func(value) {
	return func(v value) {
		hint := "put it in quotes, for example " + progressSample
		switch {
		case v.node.Tag != "!!bool":
		case strings.EqualFold(v.node.Value, "false"):
			hint = "write off"
		default:
			hint = "leave it out: progress is looked for unless it is off"
		}
		text, ok := d.text(v, "a pattern or off", hint)
		if !ok {
			return
		}
		if text == "off" {
			dst.Off = true
			return
		}
		re, ok := d.regexp(v, text)
		if !ok || !d.tells(v, re.SubexpNames()) {
			return
		}
		dst.Pattern = re
	}
}

// tells checks that a pattern's groups have known names and are enough to tell
// something.
func (d *decoder) tells(v value, names []string) bool {
	for _, name := range names {
		if name != "" && !slices.Contains(progressGroups, name) {
			d.fault(v, "unknown group "+show(name), notOneOf(name, progressGroups))
			return false
		}
	}
	has := func(name string) bool { return slices.Contains(names, name) }
	switch {
	case has("done") && !has("total") && !has("left") && !has("percent"):
		d.fault(v, "the group done alone does not say how far that is", "add a group total, for example 'step (?P<done>[0-9]+) of (?P<total>[0-9]+)'")
	case !has("done") && !has("left") && !has("percent") && !has("label") && !has("eta"):
		d.fault(v, "has no group that says how far a job is", "known are "+strings.Join(progressGroups, ", ")+"; for example "+progressSample)
	default:
		return true
	}
	return false
}
