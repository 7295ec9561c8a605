package jobs

import (
	"encoding/json"
	"time"
)

// Job is one piece of work and all that is known of it. A Job is a value read
// from the Queue; changing one changes nothing there.
type Job struct {
	ID       string // UUID in lower case
	Spelling string // the id as its writer spelled it; "" means ID
	Seq      int64  // order of acceptance, unique, growing; 0 means not yet in a queue

	Type     string            // name of its type; may be "" when REJECTED
	Target   string            // the script or type as the request named it; may be "" when REJECTED
	Args     []string          // what follows the target
	Name     string            // a word for people
	Labels   map[string]string // free words
	Priority int               // -1000…1000, bigger first
	Source   string            // "inbox:train.yaml" or "queue:job_queue.txt"
	Timeout  time.Duration     // asked for by the request; 0 means the type's
	Env      map[string]string // set by the request; values are never shown
	Workdir  string            // asked for by the request, relative to the type's; "" means the type's

	Group       string            // id that ties the jobs of one sweep; "" if it is of none
	Params      map[string]string // named parameters, defaults filled in; secret ones are in Env
	After       []string          // ids of jobs that must have COMPLETED before it starts
	AfterAny    []string          // ids of jobs that must have ended before it starts
	NotBefore   time.Time         // asked for by the request; zero means at once
	Hold        bool              // PENDING until it is released
	Retries     int               // attempts that it may have by itself after the first
	UniqueKey   string            // "" means none
	ScriptHash  string            // SHA-256 of its script when it was accepted, in hex; "" if it has none
	ScriptNoted string            // that of the script that was started, if it was another; "" if not

	State   State
	Reason  string // why it is in that state, in words
	Attempt int    // starts at 1

	SubmittedAt time.Time
	StartedAt   time.Time // zero until known
	FinishedAt  time.Time // zero until known

	ExitCode *int                // nil unless the process exited by itself
	Signal   string              // "SIGKILL"; "" unless a signal ended it
	PID      int                 // its first process, while RUNNING
	Node     string              // name of the machine that ran it; "" until started
	Command  []string            // argv as started
	Log      string              // its output, relative to the state folder; "" until started
	Slots    map[string][]string // tokens it was started with, by the slot's name
	RunAs    string              // user, or user:group, that it was started as; "" for the daemon's, and until started
	Limits   string              // how memory and processor are limited, in words; "" if they are not

	// What the scheduler needs while it is PENDING.
	Retried int       // how many of Retries are used
	Due     time.Time // it does not start before: NotBefore, or when the next attempt may begin; zero once that has passed
	Unmet   int       // jobs in After and AfterAny that it still waits for

	// What was measured of its latest attempt, nil where nothing is known. Of a
	// RUNNING job whoever measures it tells them; of others Queue.Detail does.
	Progress *Progress
	Usage    *Usage

	// The line of its output that says why it is FAILED; "" if none is known, and
	// unless whoever shows it alone has looked for it, see OutputHeadline.
	Headline string

	Past []Attempt // its attempts that have ended, oldest first; filled in by Queue.Detail alone

	// What the runner needs to find the job's process again.
	Instance  string    // supervisor that was asked to start this attempt
	Process   ProcessID // identity of its first process; zero until known
	EndReason EndReason // why it is being ended while still RUNNING; "" means it is not

	// What the watcher needs to keep the job's line.
	LineAt  int64  // when its line was placed in the queue file, in Unix ms; LineWanted or LineLeft
	RawHash uint64 // RawHash of the line that asked for it; 0 if none did
	Doubt   bool   // its line is missing and it must not start until that is decided
}

// ProcessID tells a process from every other that had or will have its pid.
type ProcessID struct {
	PID   int    `json:"pid,omitempty"`
	Start string `json:"start,omitempty"` // start time as the system gives it; opaque
	Boot  string `json:"boot,omitempty"`  // id of the boot it runs in; opaque
}

// EndReason is why somebody ends a running job.
type EndReason string

const (
	EndCancel  EndReason = "cancel"  // by request: becomes CANCELLED
	EndTimeout EndReason = "timeout" // by its time limit: becomes TIMEOUT
)

// Values of Job.LineAt other than a time.
const (
	LineWanted = 0  // the job has no line yet and is to get one
	LineLeft   = -1 // its line was removed or has left the file for good
)

// TimeFormat is how times are written for people's programs: RFC 3339 in UTC
// with milliseconds.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// jobJSON is the public shape of a job. What is not known is left out.
type jobJSON struct {
	ID          string            `json:"id"`
	Type        string            `json:"type"`
	Target      string            `json:"target"`
	Args        []string          `json:"args"`
	Name        string            `json:"name,omitempty"`
	State       State             `json:"state"`
	Reason      string            `json:"reason"`
	Headline    string            `json:"headline,omitempty"`
	Priority    int               `json:"priority"`
	Attempt     int               `json:"attempt"`
	Source      string            `json:"source"`
	SubmittedAt string            `json:"submitted_at"`
	StartedAt   string            `json:"started_at,omitempty"`
	FinishedAt  string            `json:"finished_at,omitempty"`
	ExitCode    *int              `json:"exit_code,omitempty"`
	Signal      string            `json:"signal,omitempty"`
	PID         int               `json:"pid,omitempty"`
	Node        string            `json:"node,omitempty"`
	Progress    *Progress         `json:"progress,omitempty"`
	Usage       *Usage            `json:"usage,omitempty"`
	Log         string            `json:"log,omitempty"`
	Command     []string          `json:"command,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`

	Group         string              `json:"group,omitempty"`
	Params        map[string]string   `json:"params,omitempty"`
	After         []string            `json:"after,omitempty"`
	AfterAny      []string            `json:"after_any,omitempty"`
	NotBefore     string              `json:"not_before,omitempty"`
	Hold          bool                `json:"hold,omitempty"`
	Retries       int                 `json:"retries,omitempty"`
	UniqueKey     string              `json:"unique_key,omitempty"`
	ScriptChanged bool                `json:"script_changed,omitempty"`
	Slots         map[string][]string `json:"slots,omitempty"`
	Limits        string              `json:"limits,omitempty"`
	RunAs         string              `json:"run_as,omitempty"`
	Attempts      []Attempt           `json:"attempts,omitempty"`
}

// MarshalJSON gives the public shape: the same object in replies, in the API
// and in the command line's --json. Environment values are not part of it.
func (j Job) MarshalJSON() ([]byte, error) {
	out := jobJSON{
		ID: j.ID, Type: j.Type, Target: j.Target, Args: j.Args, Name: j.Name,
		State: j.State, Reason: j.Reason, Headline: j.Headline, Priority: j.Priority, Attempt: j.Attempt,
		Source: j.Source, SubmittedAt: formatTime(j.SubmittedAt),
		StartedAt: formatTime(j.StartedAt), FinishedAt: formatTime(j.FinishedAt),
		ExitCode: j.ExitCode, Signal: j.Signal, Node: j.Node, Log: j.Log, Command: j.Command, Labels: j.Labels,
		Progress: j.Progress, Usage: j.Usage,
		Group: j.Group, Params: j.Params, After: j.After, AfterAny: j.AfterAny, NotBefore: formatTime(j.NotBefore),
		Hold: j.Hold, Retries: j.Retries, UniqueKey: j.UniqueKey, ScriptChanged: j.ScriptNoted != "",
		Slots: j.Slots, Limits: j.Limits, RunAs: j.RunAs, Attempts: j.Past,
	}
	if out.Args == nil {
		out.Args = []string{}
	}
	if j.State == Running {
		out.PID = j.PID
	}
	return json.Marshal(out)
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(TimeFormat)
}
