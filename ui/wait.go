package ui

import (
	"context"
	"errors"
	"fmt"
	"time"

	"jobrunner/jobs"
)

// waitsView is the jobs that a job waits for, or waited for.
type waitsView struct {
	Heading string
	Rows    []waitView
	More    string // how many are not shown; "" if all are
}

type waitView struct {
	ID, Short string
	State     stateView // without a word if the job is not known any more
	What      string
	Words     string // what it must come to
}

// maxWaits is how many of them are shown.
const maxWaits = 8

// viewWaits looks up what j waits for.
func (s *server) viewWaits(ctx context.Context, j *jobs.Job) (waitsView, error) {
	v := waitsView{Heading: "Waited for"}
	if j.State == jobs.Pending {
		v.Heading = "Waits for"
	}
	all := len(j.After) + len(j.AfterAny)
	for i := range min(all, maxWaits) {
		id, words := "", "has to be COMPLETED"
		if i < len(j.After) {
			id = j.After[i]
		} else {
			id, words = j.AfterAny[i-len(j.After)], "has to end"
		}
		row, err := s.viewWait(ctx, id, words)
		if err != nil {
			return v, err
		}
		v.Rows = append(v.Rows, row)
	}
	if all > maxWaits {
		v.More = fmt.Sprintf("and %d more", all-maxWaits)
	}
	return v, nil
}

func (s *server) viewWait(ctx context.Context, id, words string) (waitView, error) {
	row := waitView{ID: clean(id, 80), Short: clean(short(id), 40), Words: words}
	j, err := s.Queue.Job(ctx, id)
	var gone *jobs.PrunedError
	if errors.As(err, &gone) {
		row.State, row.What = viewState(gone.State), "pruned"
		return row, nil
	}
	if errors.Is(err, jobs.ErrNotFound) {
		row.What = "no longer known"
		return row, nil
	}
	if err != nil {
		return row, err
	}
	row.State, row.What = viewState(j.State), what(j, maxWhat)
	return row, nil
}

// startView is what can be said of when a job starts.
type startView struct {
	At    *timeView // nil if it cannot be said
	Ahead int       // jobs that may start and come before it
	Basis string
}

// viewStart gives nil for a job that does not wait.
func (s *server) viewStart(ctx context.Context, j *jobs.Job, now time.Time) (*startView, error) {
	if j.State != jobs.Pending {
		return nil, nil
	}
	f, err := s.Queue.Forecast(ctx, j.ID)
	if errors.Is(err, jobs.ErrNotFound) { // it has begun a moment ago
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v := &startView{At: viewTime(f.StartAt, now), Basis: clean(f.Basis, maxWhy)}
	switch {
	case v.At == nil && f.Basis == j.Reason:
		v.Basis = "" // the page has it already
	case v.At != nil && f.StartAt.Sub(now) > 0:
		v.At.Age = "in about " + coarse(f.StartAt.Sub(now))
	}
	v.Ahead = f.Ahead
	return v, nil
}
