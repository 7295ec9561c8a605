package jobs

import (
	"encoding/json"
	"time"
)

// Start asks for one attempt of a job to begin.
type Start struct {
	ID       string
	Attempt  int
	Instance string              // the supervisor that is going to be asked
	Slots    map[string][]string // tokens that it gets, by the slot's name
}

// StartInfo is what is known of an attempt once its process runs.
type StartInfo struct {
	Process ProcessID
	Command []string  // argv as started
	Log     string    // its output, relative to the state folder
	At      time.Time // when the process was started; zero keeps the time of Begin
	Limits  string    // how memory and processor are limited, in words; "" if they are not
	RunAs   string    // user, or user:group, that it runs as; "" for the daemon's
	Script  string    // SHA-256 of the script that was started, if it is not the accepted one; "" if it is
}

// Ending is how an attempt ended.
type Ending struct {
	State      State
	Reason     string
	ExitCode   *int
	Signal     string
	FinishedAt time.Time // zero means now
	RetryAt    time.Time // it goes back to PENDING, and its next attempt may start then; zero means it has ended
}

// Attempt is one attempt of a job that has ended.
type Attempt struct {
	Attempt    int
	State      State
	Reason     string
	StartedAt  time.Time // zero if it never ran
	FinishedAt time.Time
	ExitCode   *int
	Signal     string
	Slots      map[string][]string
	Log        string // its output, relative to the state folder; "" if it never ran
}

// attemptJSON is the public shape of an attempt. What is not known is left out.
type attemptJSON struct {
	Attempt    int                 `json:"attempt"`
	State      State               `json:"state"`
	Reason     string              `json:"reason"`
	StartedAt  string              `json:"started_at,omitempty"`
	FinishedAt string              `json:"finished_at,omitempty"`
	ExitCode   *int                `json:"exit_code,omitempty"`
	Signal     string              `json:"signal,omitempty"`
	Slots      map[string][]string `json:"slots,omitempty"`
	Log        string              `json:"log,omitempty"`
}

// MarshalJSON gives the public shape, as it stands in a job's "attempts".
func (a Attempt) MarshalJSON() ([]byte, error) {
	return json.Marshal(attemptJSON{
		Attempt: a.Attempt, State: a.State, Reason: a.Reason,
		StartedAt: formatTime(a.StartedAt), FinishedAt: formatTime(a.FinishedAt),
		ExitCode: a.ExitCode, Signal: a.Signal, Slots: a.Slots, Log: a.Log,
	})
}
