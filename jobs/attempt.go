package jobs

import "time"

// Start asks for one attempt of a job to begin.
type Start struct {
	ID       string
	Attempt  int
	Instance string // the supervisor that is going to be asked
}

// StartInfo is what is known of an attempt once its process runs.
type StartInfo struct {
	Process ProcessID
	Command []string  // argv as started
	Log     string    // its output, relative to the state folder
	At      time.Time // when the process was started; zero keeps the time of Begin
}

// Ending is how an attempt ended.
type Ending struct {
	State      State
	Reason     string
	ExitCode   *int
	Signal     string
	FinishedAt time.Time // zero means now
}
