package watcher

import (
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// logOutcome logs what became of a request or command that came in a file.
func logOutcome(log zerolog.Logger, file string, e jobs.Entry, o jobs.Outcome) {
	file = jobs.Sanitize(file)
	switch {
	case e.Command != nil:
		log.Info().Str("file", file).Str("action", string(e.Command.Action)).Str("state", string(o.State)).
			Strs("jobs", o.Jobs).Str("reason", jobs.Sanitize(o.Reason)).Msg("command taken")
	case o.Known:
		log.Info().Str("job", o.Job.ID).Str("file", file).Str("state", string(o.Job.State)).
			Str("warning", jobs.Sanitize(o.Warning)).Msg("job is known already")
	case e.Job.State == jobs.Rejected:
		log.Warn().Str("job", o.Job.ID).Str("source", jobs.Sanitize(o.Job.Source)).Str("state", string(jobs.Rejected)).
			Int("attempt", o.Job.Attempt).Str("reason", jobs.Sanitize(o.Job.Reason)).Msg("request rejected")
	case e.Job.State.Ended():
		log.Info().Str("job", o.Job.ID).Str("type", o.Job.Type).Str("state", string(e.Job.State)).
			Str("source", jobs.Sanitize(o.Job.Source)).Int("attempt", o.Job.Attempt).Msg("job imported as history")
	default:
		log.Info().Str("job", o.Job.ID).Str("type", o.Job.Type).Str("state", string(jobs.Pending)).
			Str("source", jobs.Sanitize(o.Job.Source)).Int("attempt", o.Job.Attempt).Msg("job accepted")
	}
}
