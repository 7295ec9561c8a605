package main

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// Where all terminals of the machine are in use, a job that needs one fails in
// words, and those that need none run.
func TestTerminalsUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": `listen: ""
max_concurrent: 4
types:
  bars: {command: [sh, -c, 'while [ ! -e over ]; do sleep 0.05; done'], tty: true}
  plain: {command: ["true"]}
`})
	t.Cleanup(func() { w.write("over", "") })
	cmd := w.command("sh", "-c", "mount -t devpts -o newinstance,max=1,ptmxmode=0666 devpts /dev/pts && exec jobrunner serve")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if err := cmd.Start(); err != nil {
		t.Skipf("a process cannot have mounts of its own: %v", err)
	}
	w.daemon = cmd
	w.until("the daemon works", func() error { return exists(w.path("job_queue.txt")) })
	reached := func(id string, state jobs.State) func() error {
		return func() error {
			if j := w.job(id); j.State != state {
				return fmt.Errorf("it is %s: %s", j.State, j.Reason)
			}
			return nil
		}
	}
	add := func(typ string) string { return strings.TrimSpace(w.run("add", typ)) }
	first := add("bars")
	w.until("the first has the terminal", reached(first, jobs.Running))
	second, plain := add("bars"), add("plain")
	w.until("the second has failed", reached(second, jobs.Failed))
	if got, want := w.job(second).Reason, "start: pseudo-terminal: all that this machine may have are in use; a higher kernel.pty.max helps"; got != want {
		t.Errorf("the second: %q, want %q", got, want)
	}
	w.until("one that needs none has run", reached(plain, jobs.Completed))
	w.write("over", "")
	w.until("the first has ended", reached(first, jobs.Completed))
}
