package meter

import (
	"time"

	"jobrunner/jobs"
)

// pass looks once through all processes, and accounts to each attempt what its own
// take.
func (m *Meter) pass(now time.Time) {
	m.passed, m.fresh = now, false
	procs := m.table.look()
	if procs == nil {
		return // not known on this system
	}
	trees := make([]*tree, 0, len(m.attempts))
	for _, a := range m.attempts {
		trees = append(trees, a.tree)
	}
	next := assign(procs, trees, m.table)
	for _, a := range m.attempts {
		u := a.tree.take(next[a.tree], now)
		if u == nil {
			continue // it has only just begun, or ended
		}
		a.usage = u
		if u.Processes == 0 {
			continue // it has just ended
		}
		a.series.add(jobs.Point{At: now, CPU: u.CPU, Memory: u.Memory})
	}
	m.publish()
}
