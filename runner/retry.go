package runner

import (
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// plan says in e when the job's next attempt may begin, if there is to be one.
// That goes by the type as it is now.
func (s *slot) plan(e *jobs.Ending) {
	typ := s.catalog().Types[s.job.Type]
	if typ == nil || s.why == jobs.EndCancel {
		return
	}
	wait, again := typ.RetryAfter(s.job, *e)
	if !again {
		return
	}
	if len(s.survivors) > 0 {
		return // what could not be ended must not run twice
	}
	if e.State == jobs.Lost {
		// Nobody saw its end: the same holds for what of it still runs.
		if left := leftOver(s.job); len(left) > 0 {
			e.Reason += "; still running: " + strings.Join(left, ", ")
			return
		}
	}
	// The clock may have been set back meanwhile.
	from := time.Now()
	if !e.FinishedAt.IsZero() && e.FinishedAt.Before(from) {
		from = e.FinishedAt
	}
	e.RetryAt = from.Add(wait)
}

// leftOver names the processes that carry the mark of the job's attempt.
func leftOver(job *jobs.Job) []string {
	var left []string
	for _, p := range findByJob(job.ID, job.Attempt) {
		if q, ok := look(p.PID); ok && q.is(p) && !q.dead {
			left = append(left, q.String())
		}
	}
	return left
}

// logEnd says how the attempt ended, once that is committed.
func (s *slot) logEnd(ctx context.Context, e jobs.Ending) {
	level := zerolog.InfoLevel
	if e.State == jobs.Lost {
		level = zerolog.WarnLevel
	}
	event := s.log.WithLevel(level).Str("state", string(e.State)).Str("reason", jobs.Sanitize(e.Reason))
	if e.ExitCode != nil {
		event = event.Int("exit_code", *e.ExitCode)
	}
	if s.waits(ctx, e) {
		event.Time("not_before", e.RetryAt.UTC()).Msg("job waits for its next attempt")
		return
	}
	event.Msg("job ended")
}

// waits reports whether the job was given another attempt. It is not if it was
// cancelled in the moment of its end.
func (s *slot) waits(ctx context.Context, e jobs.Ending) bool {
	if e.RetryAt.IsZero() {
		return false
	}
	job, err := s.queue.Job(ctx, s.job.ID)
	return err == nil && job.Attempt > s.job.Attempt
}

// fits reports whether the tokens that a job was given are those that its type
// takes.
func fits(tokens map[string][]string, need map[string]int) bool {
	for name := range tokens {
		if need[name] == 0 {
			return false
		}
	}
	for name, n := range need {
		if len(tokens[name]) != max(n, 0) {
			return false
		}
	}
	return true
}
