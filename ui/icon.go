package ui

import (
	"fmt"
	"strings"

	"jobrunner/jobs"
)

// stateIcon names the picture for the tab of a job in that state.
func stateIcon(s jobs.State) string {
	switch s {
	case jobs.Pending:
		return "waiting"
	case jobs.Running:
		return "running"
	case jobs.Completed:
		return "ok"
	case jobs.Cancelled:
		return "icon"
	}
	return "failed"
}

// pulse is how the whole queue does, as a tab shows it.
type pulse struct {
	failed           int  // that need eyes
	more             bool // there are more than are counted
	running, waiting int
	problems         bool
}

// icon is that of what matters most.
func (p pulse) icon() string {
	switch {
	case p.failed > 0:
		return "failed"
	case p.problems:
		return "warn"
	case p.running > 0:
		return "running"
	case p.waiting > 0:
		return "waiting"
	}
	return "ok"
}

// title begins with what matters most, because a tab shows no more than that.
func (p pulse) title() string {
	var parts []string
	add := func(n int, after string) {
		if n > 0 {
			parts = append(parts, fmt.Sprint(n)+after)
		}
	}
	if p.more {
		add(p.failed, "+"+glyphs[jobs.Failed])
	} else {
		add(p.failed, glyphs[jobs.Failed])
	}
	add(p.running, glyphs[jobs.Running])
	add(p.waiting, glyphs[jobs.Pending])
	if len(parts) == 0 {
		return "idle"
	}
	return strings.Join(parts, " ")
}
