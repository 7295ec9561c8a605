package runner

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is how long the machine is up, suspend counted. Setting the clock on
// the wall does not change it.
func uptime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC_RAW, &now) // it counts sleep here
	return time.Duration(now.Nano())
}
