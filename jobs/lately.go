package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// NeedEyes are the ended states that a person should look at.
var NeedEyes = []State{Failed, Timeout, Lost, Rejected}

// EndedAt is when an ended job ended, or came if it never began.
func (j *Job) EndedAt() time.Time {
	if j.FinishedAt.IsZero() {
		return j.SubmittedAt
	}
	return j.FinishedAt
}

// How far LastEnded looks for jobs of some states: among the latest ends of all,
// and among the newest jobs of those states, which a crowd of other ends cannot
// hide.
const (
	latelyEnds   = 500
	latelyNewest = 30
)

const (
	selectLastEnded = selectJobs + "INDEXED BY jobs_ended WHERE " + endedOnly + " ORDER BY max(finished_at, submitted_at) DESC, seq DESC LIMIT ?+0"

	// The states are those of the JSON array.
	selectLastOf = selectJobs + `NOT INDEXED WHERE seq IN (SELECT seq FROM (SELECT seq, state FROM jobs INDEXED BY jobs_ended
		WHERE ` + endedOnly + ` ORDER BY max(finished_at, submitted_at) DESC, seq DESC LIMIT ?2+0)
		WHERE state IN (SELECT value FROM json_each(?1))) ORDER BY max(finished_at, submitted_at) DESC, seq DESC LIMIT ?3+0`
)

// LastEnded returns up to limit ended jobs, the latest end first, of these
// states or of all if there are none. Of some states it may miss jobs that ended
// long before others and were accepted long before others.
func (q *Queue) LastEnded(ctx context.Context, states []State, limit int) ([]*Job, error) {
	limit = orDefault(limit)
	if len(states) == 0 {
		return q.explained(ctx, selectLastEnded, limit)
	}
	found, err := q.explained(ctx, selectLastOf, packJSON(states), latelyEnds, limit)
	if err != nil {
		return nil, err
	}
	newest, err := q.List(ctx, Filter{States: states, Limit: latelyNewest})
	if err != nil {
		return nil, fmt.Errorf("reading what ended last: %w", err)
	}
	for _, j := range newest {
		if !slices.ContainsFunc(found, func(known *Job) bool { return known.ID == j.ID }) {
			found = append(found, j)
		}
	}
	slices.SortFunc(found, func(a, b *Job) int {
		return cmp.Or(b.EndedAt().Compare(a.EndedAt()), cmp.Compare(b.Seq, a.Seq))
	})
	return found[:min(len(found), limit)], nil
}
