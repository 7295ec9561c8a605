package runner

// Written against the manual pages and cross-compiled; not yet tried on macOS.

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limiter sets the limits of attempts: here only their niceness.
type limiter struct{}

func newLimiter(string) *limiter { return &limiter{} }

// bounds are the limits of one attempt. Nil bounds limit nothing.
type bounds struct{ asked limits }

// bind makes ready what limits an attempt.
func (l *limiter) bind(sp *spec) *bounds {
	if sp.Limits.none() {
		return nil
	}
	return &bounds{asked: sp.Limits}
}

// fork calls fork.
func (b *bounds) fork(_ *syscall.SysProcAttr, fork func() (int, error)) (int, error) { return fork() }

// started sets the niceness of the process and of all that it may have started
// already, which are in its group, and says what is in force.
func (b *bounds) started(pid int) string {
	if b == nil {
		return ""
	}
	set := foresee(b.asked)
	if b.asked.Nice != nil {
		set.nice = niceWords(*b.asked.Nice, unix.Setpriority(unix.PRIO_PGRP, pid, *b.asked.Nice))
	}
	return set.words()
}

// foresee says how limits would be set.
func foresee(asked limits) applied {
	var set applied
	if asked.Memory > 0 {
		set.memory = "memory not limited on this system"
	}
	if asked.CPU > 0 {
		set.cpu = "cpu not limited on this system"
	}
	if asked.Nice != nil {
		set.nice = niceWords(*asked.Nice, nil)
	}
	return set
}

// release has nothing to give back.
func (b *bounds) release() (note string) { return "" }
