package runner

import (
	"strconv"
	"strings"
	"time"

	"jobrunner/jobs"
)

// Reasons of LOST.
const (
	lostSupervisor = "supervisor was killed"
	lostUnknown    = "its exit status could not be read"
)

// conclude says in which state an attempt ended and why, from what was seen of
// its end. typ is the job's type, nil if it is gone; limit is the time limit
// that was in force; lost is the reason if nobody saw its exit status.
func conclude(st attemptState, typ *jobs.Type, limit time.Duration, lost string) jobs.Ending {
	if st.StartError != "" {
		return notStarted(st.StartError)
	}
	exit := exitStatus{}
	if st.Exit != nil {
		exit = *st.Exit
	}
	end := jobs.Ending{FinishedAt: exit.At}
	words := ""
	if exit.Known {
		end.ExitCode, end.Signal = exit.Code, exit.Signal
		words = exitWords(exit)
		if exit.Note != "" && (exit.Code == nil || *exit.Code != 0) {
			words += ": " + exit.Note
		}
	}
	switch {
	case st.EndedBy == jobs.EndCancel:
		end.State, end.Reason = jobs.Cancelled, "cancelled by request"
	case st.EndedBy == jobs.EndTimeout:
		end.State, end.Reason = jobs.Timeout, strings.TrimSpace("timeout "+span(limit))
	case !exit.Known:
		end.State, end.Reason = jobs.Lost, lost
	case exit.Code != nil && succeeds(typ, *exit.Code):
		end.State, end.Reason = jobs.Completed, words
	default:
		end.State, end.Reason = jobs.Failed, words
	}
	if len(st.Survivors) > 0 {
		end.Reason += "; still running: " + strings.Join(st.Survivors, ", ")
	}
	return end
}

// notStarted is the end of an attempt that never ran; why follows "start: ".
func notStarted(why string) jobs.Ending {
	return jobs.Ending{State: jobs.Failed, Reason: "start: " + why, FinishedAt: time.Now()}
}

func exitWords(e exitStatus) string {
	switch {
	case e.Code != nil:
		return "exit " + strconv.Itoa(*e.Code)
	case signalNumber(e.Signal) != 0:
		return "signal " + strconv.Itoa(signalNumber(e.Signal)) + " (" + e.Signal + ")"
	}
	return "signal " + e.Signal
}

// span is a duration in words, "" for none.
func span(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return d.String()
}

func succeeds(typ *jobs.Type, code int) bool {
	if typ == nil {
		return code == 0
	}
	return typ.Succeeds(code)
}

// restarted is the reason of a job that was running when the machine, which has
// been up since boot, went down.
func restarted(boot, now time.Time) string {
	if boot.IsZero() {
		return "machine restarted while it ran"
	}
	boot, now = boot.Local(), now.Local()
	layout := "15:04"
	if boot.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = "2006-01-02 15:04"
	}
	return "machine restarted at " + boot.Format(layout) + " while it ran"
}
