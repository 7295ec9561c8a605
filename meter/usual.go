package meter

import (
	"context"
	"fmt"
	"time"

	"jobrunner/jobs"
)

const (
	usualRuns  = 20          // latest COMPLETED jobs of a type that tell how long its jobs run
	leastRuns  = 3           // with fewer nothing is said
	usualTime  = time.Minute // how long what was read counts
	mostLikely = 95.0        // per cent: a guess says never that a job is as good as done
)

// usual knows how long jobs of each type run.
type usual struct {
	queue *jobs.Queue
	known map[string]habit
}

// habit is how long jobs of one type run.
type habit struct {
	median time.Duration
	runs   int
	readAt time.Time
}

// of gives the habit of a type. An error counts as not knowing.
func (u *usual) of(ctx context.Context, name string, now time.Time) habit {
	h, ok := u.known[name]
	if ok && now.Sub(h.readAt) < usualTime {
		return h
	}
	if u.known == nil {
		u.known = map[string]habit{}
	}
	h = habit{readAt: now}
	h.median, h.runs, _ = u.queue.Usual(ctx, name, usualRuns)
	u.known[name] = h
	return h
}

// forget has the habit of a type read anew: one of its jobs has ended.
func (u *usual) forget(name string) { delete(u.known, name) }

// complete adds to what was found of an attempt, nil if nothing was, what earlier
// runs of its type suggest: all of it, or only how much time is left.
func (u *usual) complete(ctx context.Context, p *jobs.Progress, j *jobs.Job, now time.Time) *jobs.Progress {
	if p != nil && p.ETA != nil {
		return p
	}
	h := u.of(ctx, j.Type, now)
	if h.runs < leastRuns || h.median <= 0 {
		return p
	}
	ran := max(0, now.Sub(j.StartedAt))
	q := jobs.Progress{}
	if p != nil {
		q = *p
	} else {
		percent := min(mostLikely, 100*ran.Seconds()/h.median.Seconds())
		q = jobs.Progress{Percent: &percent, Text: h.words(), Source: jobs.ProgressHistory, At: now}
	}
	if left := h.median - ran; left > 0 {
		q.ETA, q.ETASource = &left, jobs.ProgressHistory
	}
	return &q
}

// words say how long jobs of the type run.
func (h habit) words() string {
	return fmt.Sprintf("usually %s (median of %d)", jobs.RoughTime(h.median), h.runs)
}
