package meter

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// MostRead, MostOpen and MostPoints are the bounds.
const (
	MostRead   = mostRead
	MostOpen   = mostOpen
	MostPoints = mostPoints
)

// Begin does what Run does before its first turn, and Change what it does when
// the queue has changed.
func (m *Meter) Begin()               { m.changed, m.unsampled, m.restless = true, true, time.Now() }
func (m *Meter) Change(now time.Time) { m.noteChange(now) }

// Turn does what is due at a time, and Next tells when the next thing is.
func (m *Meter) Turn(ctx context.Context, now time.Time) { m.turn(ctx, now) }
func (m *Meter) Next(now time.Time) time.Time            { return m.next(now) }

// Pass looks through the processes whether that is due or not, and End what Run
// does at its end.
func (m *Meter) Pass(now time.Time)                     { m.pass(now) }
func (m *Meter) End(ctx context.Context, now time.Time) { m.end(ctx, now); m.logs.close() }

// Shown is Readings without being somebody who asks.
func (m *Meter) Shown() map[string]*jobs.Reading { return *m.shown.Load() }

// Taken is how many bytes of logs were read, and Open how many are open.
func (m *Meter) Taken() int64 { return m.logs.taken }
func (m *Meter) Open() int    { return len(m.logs.open) }

// Series makes a series of points.
func Series(points ...jobs.Point) []jobs.Point {
	var s series
	for _, p := range points {
		s.add(p)
	}
	return s.points
}

// Process is one process of a table, Tree the account of what one attempt started.
type (
	Process = process
	Tree    struct {
		tree  *tree
		table *table
	}
)

// NewProcess makes a process that used so many ms itself and through its children.
func NewProcess(pid, ppid, session int, start uint64, own, reaped int) Process {
	return Process{pid: pid, ppid: ppid, group: session, session: session, start: start, memory: 1 << 20,
		own: time.Duration(own) * time.Millisecond, reaped: time.Duration(reaped) * time.Millisecond}
}

// Dead makes a process one that has ended and whose parent has not asked for its
// status.
func Dead(p Process) Process {
	p.dead = true
	return p
}

// NewTrees makes an account for each of the jobs.
func NewTrees(list ...*jobs.Job) (trees []*Tree) {
	t := newTable()
	for _, j := range list {
		trees = append(trees, &Tree{newTree(j), t})
	}
	return trees
}

// Take accounts for what a pass has seen.
func Take(trees []*Tree, now time.Time, procs ...Process) (all []*jobs.Usage) {
	var list []*tree
	for _, t := range trees {
		list = append(list, t.tree)
	}
	next := assign(procs, list, trees[0].table)
	for _, t := range list {
		all = append(all, t.take(next[t], now))
	}
	return all
}

// LookAndTake is a pass through the processes that there are.
func LookAndTake(trees []*Tree, now time.Time) []*jobs.Usage {
	return Take(trees, now, trees[0].table.look()...)
}
