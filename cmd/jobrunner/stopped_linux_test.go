package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// A daemon that is stopped while it keeps others out of the queue file does so
// for a while only: then the system lets them in. What they append meanwhile
// is neither lost nor taken twice when the daemon goes on, wherever it stood.
func TestStoppedInExclusiveSection(t *testing.T) {
	letInAfter(t, 2)
	steps := []string{
		"queue file: leased",
		"queue file: about to be written",
		"queue file: written over, not cut",
		"queue file: plan carried out",
		"queue file: plan marked as done",
		"queue file: state word written",
	}
	inParallel(t, steps, func(s string) string { return s }, func(t *testing.T, step string) {
		b := blow{"stop", "serve", 1, step}
		o := newOracleWorld(t, 3)
		o.expectBlows(b)
		o.start()
		o.askLine("first", 0)
		o.askLine("second", 1)
		o.until("the lines are there, or it is stopped", func() error {
			if o.stopped(b) == nil {
				return nil
			}
			return o.hasLine("second", jobs.Failed)
		})
		o.append("pause again", "resume again") // they leave no line: the file gets shorter
		o.until("it came to "+b.String(), func() error { return o.stopped(b) })
		for n := range 20 {
			o.askLine(fmt.Sprintf("n%d", n), n%5) // the first one waits
		}
		if err := o.stopped(b); err != nil {
			t.Fatal(err)
		}
		if err := o.daemon.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		o.settle()
		o.check()
		o.end(syscall.SIGTERM)
	})
}

// stopped says if a blow has not stopped the daemon.
func (w *world) stopped(b blow) error {
	if !w.dealt(b) {
		return fmt.Errorf("it never came there")
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", w.daemon.Process.Pid))
	if err == nil && !strings.Contains(string(text), ") T ") {
		err = fmt.Errorf("it is not stopped: %s", text)
	}
	return err
}

// letInAfter sets for how many seconds a process may keep others out of a file,
// for the whole machine, until the end of the test.
func letInAfter(t *testing.T, seconds int) {
	t.Helper()
	const name = "/proc/sys/fs/lease-break-time"
	before, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, fmt.Append(nil, seconds), 0)
	}
	if err != nil {
		t.Skipf("lease-break-time cannot be set here: %v", err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(name, before, 0); err != nil {
			t.Error(err)
		}
	})
}
