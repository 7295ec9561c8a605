package watcher

import (
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// logOutcome logs what became of a request or command that came in a file.
func logOutcome(log zerolog.Logger, file string, e jobs.Entry, o jobs.Outcome) {
	switch {
	case e.Command != nil:
		log.Info().Str("file", jobs.Sanitize(file)).Str("action", string(e.Command.Action)).Str("state", string(o.State)).
			Strs("jobs", o.Jobs).Str("reason", jobs.Sanitize(o.Reason)).Msg("command taken")
	case o.Known:
		about(log.Info(), o.Job, o.Job.State).Str("file", jobs.Sanitize(file)).
			Str("warning", jobs.Sanitize(o.Warning)).Msg("job is known already")
	case e.Job.State == jobs.Rejected:
		about(log.Warn(), o.Job, jobs.Rejected).Str("reason", jobs.Sanitize(o.Job.Reason)).Msg("request rejected")
	case e.Job.State.Ended():
		about(log.Info(), o.Job, e.Job.State).Msg("job imported as history")
	case o.Job.State == jobs.Pending:
		about(log.Info(), o.Job, jobs.Pending).Msg("job accepted")
	default: // what it was to wait for has ended otherwise
		about(log.Warn(), o.Job, o.Job.State).Str("reason", jobs.Sanitize(o.Job.Reason)).Msg("job accepted and ended")
	}
}

// about gives an entry of the log the fields that every one about a job has.
func about(e *zerolog.Event, j *jobs.Job, state jobs.State) *zerolog.Event {
	return e.Str("job", j.ID).Str("type", j.Type).Str("state", string(state)).
		Str("source", jobs.Sanitize(j.Source)).Int("attempt", j.Attempt)
}
