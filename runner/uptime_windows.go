package runner

import (
	"time"

	"golang.org/x/sys/windows"
)

// uptime is how long the machine is up, suspend counted. Setting the clock on
// the wall does not change it.
func uptime() time.Duration { return windows.DurationSinceBoot() }
