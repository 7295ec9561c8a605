package runner

import (
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// uptime is how long the machine is up, suspend counted. Setting the clock on
// the wall does not change it.
func uptime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) // no kernel that runs Go lacks it
	return time.Duration(now.Nano())
}

// ticks is in how many parts a second the kernel tells the start of a process.
const ticks = 100

// ranFor is how long a process of this boot has been there, by uptime; false if
// that is not known.
func ranFor(p jobs.ProcessID) (time.Duration, bool) {
	start, err := strconv.ParseUint(p.Start, 10, 63)
	if err != nil || p.Boot != bootID() {
		return 0, false
	}
	return uptime() - time.Duration(start)*(time.Second/ticks), true
}
