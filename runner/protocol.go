package runner

import (
	"time"

	"jobrunner/jobs"
)

// The protocol between daemon and supervisor: one JSON object a line, in both
// directions, over a unix socket. A request has a number that its reply
// repeats; replies come in any order. An ack without a number asks for none; what
// older supervisors then answer is no event, and is skipped.
// Unknown fields are skipped and unknown operations are answered with an
// error, so an old supervisor and a newer daemon understand each other.
const (
	protocolVersion = 4 // what this build speaks
	protocolOldest  = 1 // the oldest version that this build understands
	protocolLimits  = 2 // since then limits are set, and tokens and scripts told again
	protocolRunAs   = 3 // since then jobs can be run as another user
	protocolMaxLog  = 3 // since then outputs are kept within their bound
	protocolTTY     = 4 // since then jobs can have a terminal, and other users' jobs a progress file

	maxMessage = 64 << 20 // bytes of one message; a longer one ends the connection
)

// Operations of a request.
const (
	opHello    = "hello"    // who are you; must be first
	opStart    = "start"    // start an attempt, or answer what is known of it
	opEnd      = "end"      // end an attempt
	opAck      = "ack"      // its end is committed elsewhere, forget it
	opAttempts = "attempts" // all attempts that are known
	opSync     = "sync"     // answer; what was sent before is taken in then
)

// eventEnded tells that an attempt has ended.
const eventEnded = "ended"

// request is what a client sends.
type request struct {
	Number  uint64         `json:"n"`
	Op      string         `json:"op"`
	Version int            `json:"version,omitempty"` // hello: what the client speaks
	Oldest  int            `json:"oldest,omitempty"`  // hello: the oldest it understands
	Spec    *spec          `json:"spec,omitempty"`    // start
	ID      string         `json:"id,omitempty"`      // end, ack
	Attempt int            `json:"attempt,omitempty"` // end, ack
	Why     jobs.EndReason `json:"why,omitempty"`     // end
	Grace   time.Duration  `json:"grace,omitempty"`   // end
}

// reply is what the supervisor sends: an answer, or an event if Event is set.
type reply struct {
	Number   uint64         `json:"n,omitempty"`
	Event    string         `json:"event,omitempty"`
	Error    string         `json:"error,omitempty"`
	Hindered bool           `json:"hindered,omitempty"` // start: the Error is the machine's, not the attempt's; ask again later
	Version  int            `json:"version,omitempty"`  // hello
	Oldest   int            `json:"oldest,omitempty"`   // hello
	Instance string         `json:"instance,omitempty"` // hello
	PID      int            `json:"pid,omitempty"`      // hello
	State    *attemptState  `json:"state,omitempty"`    // start, event
	Attempts []attemptState `json:"attempts,omitempty"` // attempts
}

// spec is an attempt that is to be started.
type spec struct {
	ID      string        `json:"id"`
	Attempt int           `json:"attempt"`
	Argv    []string      `json:"argv"`              // Argv[0] is looked up in the PATH of Env
	Env     []string      `json:"env"`               // all of its environment
	Dir     string        `json:"dir"`               // working folder, absolute
	Log     string        `json:"log"`               // stdout and stderr, absolute path of <id>.log
	Umask   int           `json:"umask"`             // -1 leaves the supervisor's
	Timeout time.Duration `json:"timeout,omitempty"` // run time after which it is ended; 0 means none
	Grace   time.Duration `json:"grace,omitempty"`   // between SIGTERM and SIGKILL at the timeout
	Success []int         `json:"success,omitempty"` // exit statuses that mean COMPLETED; kept for the daemon; empty means 0
	Limits  limits        `json:"limits,omitzero"`
	Script  string        `json:"script,omitempty"` // SHA-256 of its script, if that is not the accepted one; kept for the daemon

	Slots map[string][]string `json:"slots,omitempty"` // tokens that it was given; kept for the daemon

	Account *jobs.Account `json:"account,omitempty"` // whose rights it has; nil means the supervisor's
	TTY     bool          `json:"tty,omitempty"`     // it writes to a terminal, and a relay from there to Log
}

func (s *spec) key() attemptKey { return attemptKey{s.ID, s.Attempt} }

// limits are bounds on an attempt. One that cannot be set on this system does
// not keep the attempt from running.
type limits struct {
	Nice   *int    `json:"nice,omitempty"`   // niceness, -20…19; nil leaves the supervisor's
	Memory int64   `json:"memory,omitempty"` // bytes; 0 means none
	CPU    float64 `json:"cpu,omitempty"`    // processors; 0 means none
	Log    int64   `json:"log,omitempty"`    // bytes of output that are kept; 0 means all
}

// attemptKey names an attempt within one supervisor.
type attemptKey struct {
	ID      string
	Attempt int
}

// attemptState is what the supervisor knows of an attempt.
type attemptState struct {
	ID         string         `json:"id"`
	Attempt    int            `json:"attempt"`
	Argv       []string       `json:"argv,omitempty"`    // as asked for
	Log        string         `json:"log,omitempty"`     // as asked for
	Timeout    time.Duration  `json:"timeout,omitempty"` // as asked for
	Success    []int          `json:"success,omitempty"` // as asked for
	Script     string         `json:"script,omitempty"`  // as asked for
	Limits     string         `json:"limits,omitempty"`  // what was set of the limits asked for, in words
	Process    jobs.ProcessID `json:"process,omitzero"`  // zero if it never ran
	StartedAt  time.Time      `json:"started_at,omitzero"`
	Ended      bool           `json:"ended,omitempty"`
	Exit       *exitStatus    `json:"exit,omitempty"`        // nil unless Ended, and if it never ran
	EndedBy    jobs.EndReason `json:"ended_by,omitempty"`    // "" means by itself; set as soon as it is being ended
	Survivors  []string       `json:"survivors,omitempty"`   // "pid 123 (python3)": what could not be ended
	StartError string         `json:"start_error,omitempty"` // why it never ran, in words

	MaxLog int64 `json:"max_log,omitempty"` // as asked for

	Slots map[string][]string `json:"slots,omitempty"`  // as asked for
	RunAs string              `json:"run_as,omitempty"` // as asked for, in words
}

func (s *attemptState) key() attemptKey { return attemptKey{s.ID, s.Attempt} }

// exitStatus is how an attempt's first process ended.
type exitStatus struct {
	Known  bool      `json:"known"`            // false: nobody saw its status
	Code   *int      `json:"code,omitempty"`   // nil unless it exited by itself
	Signal string    `json:"signal,omitempty"` // "SIGKILL"; "" unless a signal ended it
	Note   string    `json:"note,omitempty"`   // what else is known of it: "out of memory, limit 4GiB"
	At     time.Time `json:"at,omitzero"`
}
