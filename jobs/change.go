package jobs

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Changes are changes of jobs, oldest first.
type Changes struct {
	List []Change
	Last int64 // the last event that was looked at: the next ones come after it
	Gone bool  // events in between are no longer kept, because their jobs were pruned
}

// Change is an event that changed a job.
type Change struct {
	Event Event
	Job   *Job // as it was then
}

// changes reports whether a job became another by the event: commands that did
// nothing have events too.
func (e Event) changes() bool {
	did := func(words string) bool { return e.Reason == shortID(e.Job)+" "+words }
	switch e.Kind {
	case EventHook, EventPrune, EventRerun:
		return false
	case EventCancel:
		return did(deedCancelled) || did(deedCancelling)
	case EventHold:
		return did(deedHeld)
	case EventRelease:
		return did(deedReleased)
	case EventRetry:
		return e.State == Pending
	}
	return e.Job != ""
}

const selectThese = selectJobs + "INDEXED BY jobs_id WHERE id IN (SELECT value FROM json_each(?))"

// Changes returns those changes of jobs that are among up to limit events (0
// means 100) that came after the one of that id. Only jobs as they are now are
// stored: see Job.AsOf for one that has changed again since. The attempts are
// left out, and what was measured is there of those that have ended.
func (q *Queue) Changes(ctx context.Context, after int64, limit int) (Changes, error) {
	out := Changes{Last: after}
	events, err := q.Events(ctx, after, limit)
	if err != nil {
		return out, err
	}
	latest := map[string]int64{} // of each job the last event
	for _, e := range events {
		out.Gone = out.Gone || e.ID != out.Last+1
		out.Last = e.ID
		if e.changes() {
			latest[e.Job] = e.ID
		}
	}
	present, err := q.these(ctx, slices.Collect(maps.Keys(latest)))
	if err != nil {
		return out, err
	}
	var ended []*Job
	for _, e := range events {
		j := present[e.Job]
		if j == nil || !e.changes() {
			continue
		}
		then := *j
		if latest[e.Job] != e.ID || j.State != e.State {
			then = *j.AsOf(e)
		} else if j.State.Ended() {
			ended = append(ended, &then)
		}
		then.Past = nil // as in a list
		out.List = append(out.List, Change{e, &then})
	}
	return out, q.measuredOf(ctx, ended)
}

// these reads jobs by their ids. Those that were tried several times come with
// their attempts.
func (q *Queue) these(ctx context.Context, ids []string) (map[string]*Job, error) {
	all := map[string]*Job{}
	if len(ids) == 0 {
		return all, nil
	}
	found, err := q.explained(ctx, selectThese, packJSON(ids))
	if err != nil {
		return nil, err
	}
	for _, j := range found {
		all[j.ID] = j
		if j.Attempt == 1 {
			continue
		}
		detail, err := q.Detail(ctx, j.ID)
		if err == nil {
			all[j.ID] = detail
		} else if !errors.Is(err, ErrNotFound) { // pruned meanwhile
			return nil, err
		}
	}
	return all, nil
}
