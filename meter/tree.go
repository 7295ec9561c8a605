package meter

import (
	"time"

	"jobrunner/jobs"
)

// tree is all the processes that an attempt has started: those in the session or
// the process group of its first process, their descendants, and whoever was
// seen to be one of these, wherever it went. (One that leaves both, and whose
// parent ends, between two passes is not seen.)
type tree struct {
	root    jobs.ProcessID
	known   bool            // the root was in the table once, so its session and group are the attempt's
	members map[int]process // as of the last pass, by pid

	gone   time.Duration         // processor time of members that have ended and which no parent has taken over
	owed   map[int]time.Duration // what each parent did not take over by the last pass, and is in gone
	before time.Duration         // what an earlier daemon has seen and nothing tells any more; unsettled until the first pass

	used   time.Duration // processor time in all, as of the last pass
	usedAt time.Time     // when that was; the attempt's start before the first
	peak   int64         // bytes
}

// unsettled stands for what is known only when the processes have been seen.
const unsettled = time.Duration(-1)

func newTree(j *jobs.Job) *tree {
	return &tree{root: j.Process, usedAt: j.StartedAt, members: map[int]process{}}
}

// resume goes on with what an earlier daemon has stored.
func (t *tree) resume(u jobs.Usage, points []jobs.Point) {
	t.used, t.before, t.peak = u.CPUTime, unsettled, u.PeakMemory
	if n := len(points); n > 0 {
		t.usedAt = points[n-1].At
	}
}

// owners finds out to which of the trees each of the processes belongs; nil
// stands for none.
type owners struct {
	procs  []process
	byPID  map[int]int   // place in procs
	rooted map[int]*tree // by the root's pid, where its session and group count
	owner  []*tree
	sought []bool // owner is known
}

// assign gives each tree the processes that belong to it, in the place of those of
// the last pass.
func assign(procs []process, trees []*tree, table *table) map[*tree]map[int]process {
	o := owners{procs: procs, byPID: make(map[int]int, len(procs)), rooted: map[int]*tree{},
		owner: make([]*tree, len(procs)), sought: make([]bool, len(procs))}
	for i := range procs {
		o.byPID[procs[i].pid] = i
	}
	for _, t := range trees {
		o.root(t, table)
	}
	next := make(map[*tree]map[int]process, len(trees))
	for _, t := range trees {
		next[t] = make(map[int]process, len(t.members))
	}
	for i := range procs {
		if t := o.of(i); t != nil {
			next[t][procs[i].pid] = procs[i]
		}
	}
	return next
}

// root settles whose the processes are that are known already.
func (o *owners) root(t *tree, table *table) {
	start, ok := table.root(t.root)
	if !ok {
		return
	}
	if i, ok := o.byPID[t.root.PID]; ok {
		if o.procs[i].start == start {
			t.known = true
			o.owner[i], o.sought[i] = t, true
		} else {
			t.known = false // another process has its pid
		}
	}
	if t.known {
		o.rooted[t.root.PID] = t
	}
	for pid, m := range t.members {
		if i, ok := o.byPID[pid]; ok && o.procs[i].start == m.start {
			o.owner[i], o.sought[i] = t, true
		}
	}
}

// of gives the tree of a process: that of its session or group, else that of its
// parent.
func (o *owners) of(i int) *tree {
	if o.sought[i] {
		return o.owner[i]
	}
	o.sought[i] = true // also ends a circle, which a pid that was used again may make
	p := &o.procs[i]
	t := o.rooted[p.session]
	if t == nil {
		t = o.rooted[p.group]
	}
	if parent, ok := o.byPID[p.ppid]; t == nil && ok && o.procs[parent].start <= p.start {
		t = o.of(parent)
	}
	o.owner[i] = t
	return t
}

// take counts what the members take that a pass at a time has found, and gives the
// usage; nil if there are none and never were.
func (t *tree) take(next map[int]process, now time.Time) *jobs.Usage {
	if len(next) == 0 && len(t.members) == 0 {
		return nil
	}
	t.bury(next)
	t.members = next
	u := jobs.Usage{}
	sum := t.gone
	for _, p := range next {
		sum += p.used()
		if !p.dead {
			u.Memory += p.memory
			u.Processes++
		}
	}
	if t.before == unsettled {
		t.before = max(0, t.used-sum)
	}
	u.CPUTime = max(t.used, sum+t.before)
	if length := now.Sub(t.usedAt); length > 0 {
		u.CPU = (u.CPUTime - t.used).Seconds() / length.Seconds()
	}
	t.peak = max(t.peak, u.Memory)
	u.PeakMemory = t.peak
	t.used, t.usedAt = u.CPUTime, now
	return &u
}

// bury accounts for members that are gone since the last pass. The time of one whose
// parent has asked for its status is in the parent's account by now; that of
// others, which init has taken over, would be lost, so it is kept as it was last
// seen.
func (t *tree) bury(next map[int]process) {
	heirs := map[int]time.Duration{} // what each that is left may have taken over
	for pid, m := range t.members {
		if p, ok := next[pid]; ok && p.start == m.start {
			continue
		}
		if heir, ok := t.heir(m, next); ok {
			heirs[heir] += m.used()
		} else {
			t.gone += m.used()
		}
	}
	// A child may end while a pass is under way, after its parent was looked at:
	// then what it used stands to the parent's account only at the next pass.
	owed := map[int]time.Duration{}
	for pid, p := range next {
		m, ok := t.members[pid]
		if !ok || m.start != p.start {
			continue
		}
		taken, due := p.reaped-m.reaped, heirs[pid]
		if lack := due - taken; lack > 0 {
			t.gone += lack
			owed[pid] = lack
		} else if paid := min(t.owed[pid], -lack); paid > 0 {
			t.gone -= paid
		}
	}
	t.owed = owed
}

// heir gives the nearest of the ancestors of a member that is gone which is left.
func (t *tree) heir(m process, next map[int]process) (pid int, ok bool) {
	for range len(t.members) {
		parent, known := t.members[m.ppid]
		if !known || parent.start > m.start {
			return 0, false
		}
		if p, left := next[m.ppid]; left && p.start == parent.start {
			return m.ppid, true
		}
		m = parent
	}
	return 0, false
}
