package runner

import (
	"context"
	"fmt"
	"time"

	"jobrunner/jobs"
)

// silentTime is how long StopAll waits for a supervisor that does not answer.
const silentTime = 15 * time.Second

// StopAll ends every running job, all at once, and records that. No Runner may
// be at work on the same state folder. It blocks until the last one has ended,
// at most as long as the longest kill_grace and some seconds, and returns how
// many have, and by name what processes could not be ended. What could not be
// done when ctx ends, the next Runner does.
func StopAll(ctx context.Context, o Options) (ended int, left []string, err error) {
	s := newScheduler(o)
	s.ending = true
	defer s.close()
	running, err := s.queue.Running(ctx)
	if err != nil {
		return 0, nil, fmt.Errorf("reading running jobs: %w", err)
	}
	for _, job := range running {
		if job.EndReason == "" {
			if _, err := s.queue.AskEnd(ctx, job.ID, job.Attempt, jobs.EndCancel); err != nil {
				return 0, nil, fmt.Errorf("ending job %s: %w", job.ID, err)
			}
			job.EndReason = jobs.EndCancel
		}
		s.take(job)
	}
	s.settle(ctx)
	for _, st := range s.strays {
		if err := s.link.End(ctx, st.ID, st.Attempt, jobs.EndCancel, defaultGrace); err != nil {
			return s.ended, s.left, fmt.Errorf("ending job %s: %w", st.ID, err)
		}
	}
	for len(s.slots)+len(s.strays) > 0 {
		s.turn(ctx)
		s.look(ctx)
		if !s.wait(ctx, nil) {
			return s.ended, s.left, fmt.Errorf("ending jobs: %d still running: %w", len(s.slots)+len(s.strays), ctx.Err())
		}
		if !s.silent.IsZero() && time.Since(s.silent) > silentTime {
			return s.ended, s.left, fmt.Errorf("ending jobs: the supervisor does not answer, %d still running", len(s.slots))
		}
	}
	return s.ended, s.left, nil
}
