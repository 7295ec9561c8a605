package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// onTerminal runs a verb with its stdout on a terminal and returns what came
// out there.
func (w *world) onTerminal(env []string, args ...string) string {
	w.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		w.Skip("no terminals here:", err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		w.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		w.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		w.Fatal(err)
	}
	cmd := w.command("jobrunner", args...)
	cmd.Env = append(append(cmd.Env, "TERM=xterm", "NO_COLOR="), env...)
	cmd.Stdout = screen
	err = cmd.Start()
	screen.Close()
	if err != nil {
		w.Fatal(err)
	}
	text, err := io.ReadAll(master)
	if err != nil && !errors.Is(err, syscall.EIO) { // so Linux says that nobody has it open any more
		w.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// Colours are for terminals alone, and not for those who want none.
func TestColours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": "listen: \"\"\ntypes: {say: {command: [echo]}}\n"})
	w.start()
	w.run("add", "--wait", "say", "hello")
	const colour = "\x1b["
	if out := w.run("list"); strings.Contains(out, colour) || !strings.Contains(out, "COMPLETED") {
		t.Errorf("in a pipe: got %q, want COMPLETED without colours", out)
	}
	if out := w.onTerminal(nil, "list"); !strings.Contains(out, colour) || !strings.Contains(out, "✓ COMPLETED") {
		t.Errorf("on a terminal: got %q, want ✓ COMPLETED in colours", out)
	}
	for _, no := range []string{"NO_COLOR=1", "TERM=dumb"} {
		if out := w.onTerminal([]string{no}, "list"); strings.Contains(out, colour) || !strings.Contains(out, "✓ COMPLETED") {
			t.Errorf("on a terminal with %s: got %q, want ✓ COMPLETED without colours", no, out)
		}
	}
}
