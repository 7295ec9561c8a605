package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// drop makes the jobs of the time at which the schedule stands and goes on to
// next. A request that cannot be taken becomes one REJECTED job that says why.
// While too many jobs wait the schedule stands, and tries again: then it is as
// if no daemon had run meanwhile.
func (h *hand) drop(ctx context.Context, next time.Time) error {
	due := h.state.NextAt
	entries, err := h.entries(due)
	if err != nil {
		return err
	}
	outcomes, err := h.accept(ctx, next, "", entries)
	var refused *jobs.RefusedError
	if errors.As(err, &refused) {
		outcomes, err = h.accept(ctx, next, "", h.rejected(due, refused.Refusals[0].Fault))
	}
	if err != nil {
		return err
	}
	h.state.LastAt, h.state.Jobs = due, nil
	for _, o := range outcomes {
		h.state.Jobs = append(h.state.Jobs, o.Job.ID)
	}
	h.log(due, outcomes)
	return nil
}

// accept commits one step of the schedule, to next, and what it makes.
func (h *hand) accept(ctx context.Context, next time.Time, skip string, entries []jobs.Entry) ([]jobs.Outcome, error) {
	outcomes, err := h.o.Queue.Accept(ctx, jobs.Intake{
		Firing:  &jobs.Firing{Name: h.s.Name, Due: h.state.NextAt, Next: next, Skip: skip},
		Entries: entries, MaxPending: h.catalog.MaxPending,
	})
	if err == nil && outcomes == nil {
		err = errMoved
	}
	if err == nil {
		h.state.NextAt = next
	}
	return outcomes, err
}

// entries makes of the schedule's request what the queue takes.
func (h *hand) entries(due time.Time) ([]jobs.Entry, error) {
	id := h.id(due)
	entries, bad := h.catalog.Entries([]jobs.Item{h.item()}, func(int) string { return id })
	if len(bad) > 0 {
		return h.rejected(due, bad[0].Fault), nil
	}
	if err := h.catalog.Freeze(h.o.StateDir, entries); err != nil {
		return nil, err
	}
	now := time.Now()
	for _, e := range entries {
		e.Job.Source, e.Job.SubmittedAt = h.source(), now
	}
	return entries, nil
}

// item is the request as if it stood in a file; its target is what can be shown
// of it if it is faulty.
func (h *hand) item() jobs.Item {
	it := jobs.Item{Request: h.s.Request}
	for _, word := range []string{h.s.Request.Target, h.s.Request.Script, h.s.Request.Type} {
		if word != "" {
			it.FirstWord = word
			break
		}
	}
	return it
}

func (h *hand) rejected(due time.Time, f *jobs.Fault) []jobs.Entry {
	it := h.item()
	it.Request, it.Fault = nil, f
	j := jobs.RejectedJob(it)
	j.ID, j.Args = h.id(due), []string{h.source()}
	j.Source, j.SubmittedAt = h.source(), time.Now()
	return []jobs.Entry{{Job: j}}
}

func (h *hand) source() string { return "schedule:" + h.s.Name }

// id is the id of the job of one time: the same whenever that is dealt with, so
// that it cannot run twice even if the clock is set back.
func (h *hand) id(due time.Time) string {
	space, err := uuid.Parse(h.o.Queue.StateID())
	if err != nil {
		space = uuid.NewSHA1(uuid.Nil, []byte(h.o.Queue.StateID()))
	}
	return uuid.NewSHA1(space, []byte(h.source()+" "+due.UTC().Format(jobs.TimeFormat))).String()
}

func (h *hand) log(due time.Time, outcomes []jobs.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	first := outcomes[0].Job
	e := h.o.Log.Info()
	if first.State == jobs.Rejected {
		e = h.o.Log.Warn().Str("reason", jobs.Sanitize(first.Reason))
	}
	e.Str("schedule", h.s.Name).Time("due", due.UTC()).Time("next", h.state.NextAt.UTC()).Str("job", first.ID).
		Str("state", string(first.State)).Int("jobs", len(outcomes)).Msg("schedule dropped its request")
}
