package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"time"

	"jobrunner/jobs"
)

// orders are what the jobs of top can be sorted by, by their keys.
var orders = map[string]func(a, b *jobs.Job) int{
	"c": func(a, b *jobs.Job) int { return cmp.Compare(use(b).CPU, use(a).CPU) },
	"m": func(a, b *jobs.Job) int { return cmp.Compare(use(b).Memory, use(a).Memory) },
	"p": func(a, b *jobs.Job) int { return cmp.Compare(share(b), share(a)) },
	"t": func(a, b *jobs.Job) int { return a.StartedAt.Compare(b.StartedAt) },
}

// topKeys are the keys that top names, in its last line.
var topKeys = [][2]string{{"q", "quit"}, {"c", "CPU"}, {"m", "memory"}, {"p", "progress"}, {"t", "time"}}

func use(j *jobs.Job) jobs.Usage {
	if j.Usage == nil {
		return jobs.Usage{}
	}
	return *j.Usage
}

// share is how far a job has come in per cent, -1 if that is not known.
func share(j *jobs.Job) float64 {
	if j.Progress == nil || j.Progress.Percent == nil {
		return -1
	}
	return *j.Progress.Percent
}

// frame is what stands on the terminal: what runs, as far as there is room what
// is next, and the keys in the last line.
func (t *top) frame(s *screen, rows int) []string {
	columns, _ := s.size()
	if order, ok := orders[t.by]; ok {
		slices.SortStableFunc(t.now.Running, order)
	}
	head := []string{cell{text: t.head(s)}.cut(columns, s.ellipsis).paint(s)}
	room := rows - len(head) - 1
	running, next := t.now.runningPart(s), t.now.nextPart(s)
	for running.height()+next.height() > room && next.shorten() {
	}
	t.scroll = max(0, min(t.scroll, len(running.rows)-1))
	if running.height() <= room { // there is nothing to scroll for
		t.scroll = 0
	}
	running.skip(t.scroll)
	for running.height() > room && running.shorten() {
	}
	lines := append(append(head, running.lines(s)...), next.lines(s)...)
	if len(t.now.Running) == 0 {
		lines = append(lines, "", "nothing runs")
	}
	for len(lines) < rows-1 {
		lines = append(lines, "")
	}
	return append(lines[:rows-1], t.keys(s, columns))
}

// head says what all jobs take together.
func (t *top) head(s *screen) string {
	var cpu float64
	var memory int64
	for _, j := range t.now.Running {
		cpu += use(j).CPU
		memory += use(j).Memory
	}
	at := instant(t.now.At.Time)
	if s.terminal() {
		at = t.now.At.Local().Format(time.TimeOnly)
	}
	return fmt.Sprintf("%s  %d running, %d waiting  CPU %.0f%% of %d%%  memory %s", at,
		t.now.States[jobs.Running], t.now.States[jobs.Pending], 100*cpu, 100*runtime.NumCPU(), jobs.RoughSize(memory))
}

// keys names the keys; what the jobs are sorted by stands out.
func (t *top) keys(s *screen, columns int) string {
	var parts []cell
	for _, key := range topKeys {
		colour := dim
		if key[0] == t.by {
			colour = bold
		}
		parts = append(parts, cell{text: key[0], colour: cyan}, cell{text: " " + key[1] + gap, colour: colour})
	}
	return joined(parts...).cut(columns, s.ellipsis).paint(s)
}
