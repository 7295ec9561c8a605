package ui

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// Bounds of the facts of a job's page.
const (
	maxLabels = 12
	maxParams = 12
	maxEnv    = 30
)

// fact is one line of what is known: values, or a time.
type fact struct {
	Name   string
	Values []string
	At     *timeView
	URL    string // where the only value leads to; "" if nowhere
}

// facts is everything about j that has no place of its own on its page. t is its
// type, nil if that is not configured.
func facts(j *jobs.Job, t *jobs.Type, now time.Time) []fact {
	var out []fact
	text := func(name string, values ...string) {
		for i, v := range values {
			values[i] = clean(v, 400)
		}
		if len(values) > 0 && values[0] != "" {
			out = append(out, fact{Name: name, Values: values})
		}
	}
	if j.ExitCode != nil {
		text("Exit code", strconv.Itoa(*j.ExitCode))
	}
	text("Signal", j.Signal)
	if j.State == jobs.Running && j.PID != 0 {
		text("Process", strconv.Itoa(j.PID))
	}
	text("Node", j.Node)
	text("Name", j.Name)
	text("Type", j.Type)
	text("Priority", strconv.Itoa(j.Priority))
	text("Folder", folder(j, t))
	out = append(out, asked(j, now)...)
	out = append(out, named("Parameters", j.Params, maxParams, true)...)
	out = append(out, named("Labels", j.Labels, maxLabels, true)...)
	out = append(out, named("Environment, names only", j.Env, maxEnv, false)...)
	text("Id", j.ID)
	return out
}

// folder is where j runs, as its type has it now.
func folder(j *jobs.Job, t *jobs.Type) string {
	dir := filepath.FromSlash(j.Workdir)
	if t == nil || t.Workdir == "" || filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(t.Workdir, dir)
}

// asked is what the request of j wanted beside its command, and what came of it.
func asked(j *jobs.Job, now time.Time) []fact {
	var out []fact
	text := func(name, value string) {
		if value != "" {
			out = append(out, fact{Name: name, Values: []string{clean(value, 400)}})
		}
	}
	if j.Hold && j.State == jobs.Pending {
		text("Held", "until it is released")
	}
	if v := viewTime(j.NotBefore, now); v != nil {
		out = append(out, fact{Name: "Not before", At: v})
	}
	if j.Group != "" {
		out = append(out, fact{Name: "Sweep", Values: []string{clean(short(j.Group), 40)}, URL: sweepURL(j.Group)})
	}
	text("Unique key", j.UniqueKey)
	text("Slots", slotWords(j.Slots))
	text("Limits", j.Limits)
	text("Runs as", j.RunAs)
	if j.Timeout > 0 {
		text("Time limit asked for", j.Timeout.String())
	}
	if j.ScriptNoted != "" {
		text("Script", "changed since the job was accepted: it ran as it was at the start")
	}
	return out
}

// named lists the keys of m in order, with their values if wanted.
func named(name string, m map[string]string, limit int, values bool) []fact {
	if len(m) == 0 {
		return nil
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	f := fact{Name: name}
	for i, k := range keys {
		if i == limit {
			f.Values = append(f.Values, fmt.Sprintf("and %d more", len(keys)-i))
			break
		}
		line := clean(k, 80)
		if values {
			line += ": " + clean(m[k], 160)
		}
		f.Values = append(f.Values, line)
	}
	return []fact{f}
}
