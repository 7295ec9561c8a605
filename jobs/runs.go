package jobs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Run is a job that ran and has ended: how its latest attempt came out.
type Run struct {
	ID         string
	State      State
	StartedAt  time.Time
	FinishedAt time.Time
	Waited     time.Duration // from the time from which it could start by itself; -1 if that is not known
}

// Took is how long it ran.
func (r Run) Took() time.Duration { return max(0, r.FinishedAt.Sub(r.StartedAt)) }

// Runs are figures of the latest jobs of one type that ran and have ended.
type Runs struct {
	Runs      int     `json:"runs"`      // jobs that the figures rest on, the latest 100 at most
	Completed float64 `json:"completed"` // share of them that is COMPLETED, 0…1
	RunP50    float64 `json:"run_p50_seconds"`
	RunP95    float64 `json:"run_p95_seconds"`
	WaitP50   float64 `json:"wait_p50_seconds"` // from the time from which it could start by itself
	WaitP95   float64 `json:"wait_p95_seconds"`

	Latest []Run `json:"-"` // newest first by order of acceptance; not to be changed
}

// selectEnded reads the latest jobs of a type that ran, of whatever end: the
// newest of each state by the index, and of those the newest. That a job was
// cancelled while it waited says nothing about its type.
const (
	runsMost = 100

	newestOf = "SELECT seq FROM jobs INDEXED BY jobs_type WHERE type = ?1 AND state = "
	newest   = " ORDER BY seq DESC LIMIT ?2+0"

	selectEnded = `SELECT id, state, attempt, submitted_at, not_before, started_at, finished_at FROM jobs NOT INDEXED WHERE seq IN (
	SELECT seq FROM (` + newestOf + "'COMPLETED'" + newest + `) UNION ALL
	SELECT seq FROM (` + newestOf + "'FAILED'" + newest + `) UNION ALL
	SELECT seq FROM (` + newestOf + "'CANCELLED'" + newest + `) UNION ALL
	SELECT seq FROM (` + newestOf + "'TIMEOUT'" + newest + `) UNION ALL
	SELECT seq FROM (` + newestOf + "'LOST'" + newest + `))
	AND started_at > 0 AND finished_at > 0 ORDER BY seq DESC LIMIT ?2+0`
)

// Runs returns figures of each type of which jobs have ended that ran.
func (q *Queue) Runs(ctx context.Context) (map[string]Runs, error) {
	stats, err := q.Stats(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]Runs{}
	for name, states := range stats.Types {
		r, err := q.RunsOf(ctx, name, states)
		if err != nil {
			return nil, err
		}
		if r.Runs > 0 {
			all[name] = r
		}
	}
	return all, nil
}

// RunsOf returns figures of one type. states are its counters, as Stats gives
// them. What was read before is given again while no job of the type has ended,
// and of very many types for a moment longer.
func (q *Queue) RunsOf(ctx context.Context, name string, states map[State]int) (Runs, error) {
	key := runsKey{ended: states[Completed] + states[Failed] + states[Cancelled] + states[Timeout] + states[Lost]}
	if key.ended == 0 {
		return Runs{}, nil
	}
	err := q.read.row(ctx, selectEnds, []any{name}, &key.newest[0], &key.newest[1], &key.newest[2], &key.newest[3], &key.newest[4])
	if err != nil {
		return Runs{}, fmt.Errorf("reading the runs of type %q: %w", name, err)
	}
	if r, ok := q.runs.known(name, key); ok {
		return r, nil
	}
	r, err := q.runsOf(ctx, name)
	if err != nil {
		return Runs{}, fmt.Errorf("reading the runs of type %q: %w", name, err)
	}
	q.runs.put(name, key, r)
	return r, nil
}

// selectEnds gives the newest job of a type of each state in which it may have run.
const (
	newestSeq  = "(SELECT ifnull(max(seq), 0) FROM jobs INDEXED BY jobs_type WHERE type = ?1 AND state = "
	selectEnds = "SELECT " + newestSeq + "'COMPLETED'), " + newestSeq + "'FAILED'), " + newestSeq + "'CANCELLED'), " + newestSeq + "'TIMEOUT'), " +
		newestSeq + "'LOST')"
)

// runsKey is what differs once another job of a type has ended. That it does not
// when one has gone in the same moment matters to nobody.
type runsKey struct {
	ended  int
	newest [5]int64
}

// runsCache holds the figures of types, which cost more to make than to hold.
type runsCache struct {
	mu     sync.Mutex // guards all below
	types  map[string]knownRuns
	second int64 // in which
	made   int   // so many were made
}

type knownRuns struct {
	key  runsKey
	runs Runs
}

const (
	runsTypes  = 1000 // that are held
	runsSecond = 16   // that are made anew in a second while older figures can do
)

func (c *runsCache) known(name string, key runsKey) (Runs, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.types[name]
	if !ok || k.key == key {
		return k.runs, ok
	}
	if now := time.Now().Unix(); c.second != now {
		c.second, c.made = now, 0
	}
	c.made++
	return k.runs, c.made > runsSecond
}

func (c *runsCache) put(name string, key runsKey, r Runs) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.types == nil || len(c.types) >= runsTypes {
		c.types = map[string]knownRuns{}
	}
	c.types[name] = knownRuns{key, r}
}

func (q *Queue) runsOf(ctx context.Context, name string) (Runs, error) {
	var r Runs
	err := q.read.each(ctx, selectEnded, []any{name, runsMost}, func(row scanner) error {
		var run Run
		var state string
		var attempt int
		var submitted, notBefore, started, finished int64
		if err := row.Scan(&run.ID, &state, &attempt, &submitted, &notBefore, &started, &finished); err != nil {
			return err
		}
		run.State, run.StartedAt, run.FinishedAt, run.Waited = State(state), fromMillis(started), fromMillis(finished), -1
		if attempt == 1 { // of later ones the time before holds their earlier runs
			run.Waited = max(0, time.Duration(started-max(submitted, notBefore))*time.Millisecond)
		}
		r.Latest = append(r.Latest, run)
		return nil
	})
	r.count()
	return r, err
}

// count makes the figures of Latest.
func (r *Runs) count() {
	var ran, waited []time.Duration
	completed := 0
	for _, run := range r.Latest {
		if run.State == Completed {
			completed++
		}
		ran = append(ran, run.Took())
		if run.Waited >= 0 {
			waited = append(waited, run.Waited)
		}
	}
	if r.Runs = len(ran); r.Runs == 0 {
		return
	}
	slices.Sort(ran)
	slices.Sort(waited)
	r.Completed = float64(completed) / float64(r.Runs)
	r.RunP50, r.RunP95 = percentile(ran, 50).Seconds(), percentile(ran, 95).Seconds()
	r.WaitP50, r.WaitP95 = percentile(waited, 50).Seconds(), percentile(waited, 95).Seconds()
}

// percentile gives the smallest value that so many per cent do not exceed; 0
// of none. sorted begins with the smallest.
func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
