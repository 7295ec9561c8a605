//go:build unix

package ui_test

import (
	"syscall"
	"time"
)

// processorTime is what this program has used: that does not grow while others
// use the machine.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
