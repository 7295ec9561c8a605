package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Stats are the counters that the database keeps as states change.
type Stats struct {
	States map[State]int            `json:"states"` // every state, also at 0
	Types  map[string]map[State]int `json:"types"`  // only what is not 0
}

// Runs are figures of the latest jobs of one type that ran and have ended.
type Runs struct {
	Runs      int     `json:"runs"`      // jobs that the figures rest on, the latest 1000 at most
	Completed float64 `json:"completed"` // share of them that is COMPLETED, 0…1
	RunP50    float64 `json:"run_p50_seconds"`
	RunP95    float64 `json:"run_p95_seconds"`
	WaitP50   float64 `json:"wait_p50_seconds"` // from the time from which it could start by itself
	WaitP95   float64 `json:"wait_p95_seconds"`
}

// selectEnded reads the latest jobs of a type that ran, of whatever end: the
// newest of each state by the index, and of those the newest. That a job was
// cancelled while it waited says nothing about its type.
const (
	runsMost = 1000

	newestOf = "SELECT seq FROM jobs INDEXED BY jobs_type WHERE type = ?1 AND state = "
	newest   = " ORDER BY seq DESC LIMIT ?2+0"

	selectEnded = `SELECT state, attempt, submitted_at, not_before, started_at, finished_at FROM jobs NOT INDEXED WHERE seq IN (
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
		if states[Completed]+states[Failed]+states[Cancelled]+states[Timeout]+states[Lost] == 0 {
			continue
		}
		r, err := q.runsOf(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("reading the runs of type %q: %w", name, err)
		}
		if r.Runs > 0 {
			all[name] = r
		}
	}
	return all, nil
}

func (q *Queue) runsOf(ctx context.Context, name string) (Runs, error) {
	var r Runs
	var ran, waited []time.Duration
	completed := 0
	err := q.read.each(ctx, selectEnded, []any{name, runsMost}, func(row scanner) error {
		var state string
		var attempt int
		var submitted, notBefore, started, finished int64
		if err := row.Scan(&state, &attempt, &submitted, &notBefore, &started, &finished); err != nil {
			return err
		}
		r.Runs++
		if State(state) == Completed {
			completed++
		}
		ran = append(ran, max(0, time.Duration(finished-started)*time.Millisecond))
		if attempt == 1 { // of later ones the time before holds their earlier runs
			waited = append(waited, max(0, time.Duration(started-max(submitted, notBefore))*time.Millisecond))
		}
		return nil
	})
	if err != nil || r.Runs == 0 {
		return Runs{}, err
	}
	slices.Sort(ran)
	slices.Sort(waited)
	r.Completed = float64(completed) / float64(r.Runs)
	r.RunP50, r.RunP95 = percentile(ran, 50).Seconds(), percentile(ran, 95).Seconds()
	r.WaitP50, r.WaitP95 = percentile(waited, 50).Seconds(), percentile(waited, 95).Seconds()
	return r, nil
}

// percentile gives the smallest value that so many per cent do not exceed; 0
// of none. sorted begins with the smallest.
func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}
