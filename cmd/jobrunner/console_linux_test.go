package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// console is a verb on a terminal, with somebody who types and looks.
type console struct {
	w      *world
	cmd    *exec.Cmd
	master *os.File
	tty    *os.File // the terminal itself, as the verb has it
	before unix.Termios
	ended  chan struct{} // closed when all that was written has been taken in

	mu     sync.Mutex // guards screen and bytes
	screen *vt
	bytes  []byte // all that was written
}

// openTerminal gives both ends of a new terminal of a size.
func openTerminal(t *testing.T, columns, rows int) (master, tty *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here:", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err == nil {
		err = setSize(master, columns, rows)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return master, tty
}

func setSize(terminal *os.File, columns, rows int) error {
	return unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(columns), Row: uint16(rows)})
}

// onConsole starts a verb on a terminal of its own. It is ended with the test.
func (w *world) onConsole(columns, rows int, env []string, args ...string) *console {
	w.Helper()
	c := &console{w: w, screen: newVT(columns, rows), ended: make(chan struct{})}
	c.master, c.tty = openTerminal(w.T, columns, rows)
	c.before = c.settings()
	c.cmd = w.command("jobrunner", args...)
	c.cmd.Env = append(append(c.cmd.Env, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NO_COLOR="), env...)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = c.tty, c.tty, c.tty
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // so that Ctrl-C comes as a signal
	if err := c.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go c.look()
	w.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		c.tty.Close()
		<-c.ended
		if len(c.screen.unknown) > 0 || len(c.screen.tooWide) > 0 {
			w.Errorf("%q wrote sequences that are not known: %q; and what is too wide: %q", args, c.screen.unknown, c.screen.tooWide)
		}
	})
	return c
}

// look takes in what is written, until nobody has the terminal open any more.
func (c *console) look() {
	defer close(c.ended)
	p := make([]byte, 4096)
	for {
		n, err := c.master.Read(p)
		c.mu.Lock()
		_, _ = c.screen.Write(p[:n])
		c.bytes = append(c.bytes, p[:n]...)
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *console) settings() unix.Termios {
	c.w.Helper()
	t, err := unix.IoctlGetTermios(int(c.tty.Fd()), unix.TCGETS)
	if err != nil {
		c.w.Fatal(err)
	}
	return *t
}

// see waits until what is on the screen is as it should be: fault says what is
// not, "" if all is.
func (c *console) see(what string, fault func(lines []string) string) []string {
	c.w.Helper()
	var lines []string
	c.w.until(what, func() error {
		c.mu.Lock()
		lines = c.screen.lines()
		c.mu.Unlock()
		if f := fault(lines); f != "" {
			return fmt.Errorf("%s; on the screen:\n%s", f, strings.Join(lines, "\n"))
		}
		return nil
	})
	return lines
}

// seeAll waits until all these words stand on the screen.
func (c *console) seeAll(words ...string) []string {
	c.w.Helper()
	return c.see(fmt.Sprintf("%q is seen", words), func(lines []string) string {
		whole := strings.Join(lines, "\n")
		for _, word := range words {
			if !strings.Contains(whole, word) {
				return fmt.Sprintf("no %q", word)
			}
		}
		return ""
	})
}

func (c *console) press(keys string) {
	c.w.Helper()
	if _, err := io.WriteString(c.master, keys); err != nil {
		c.w.Fatal(err)
	}
}

// resize pulls the window to another size, of which the kernel tells the verb.
func (c *console) resize(columns, rows int) {
	c.w.Helper()
	c.mu.Lock()
	c.screen.resize(columns, rows)
	c.mu.Unlock()
	if err := setSize(c.master, columns, rows); err != nil {
		c.w.Fatal(err)
	}
}

// exit waits until the verb has ended and returns its exit code. It must leave
// the terminal as it found it.
func (c *console) exit() int {
	c.w.Helper()
	err := c.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.w.Fatal(err)
	}
	if after := c.settings(); after != c.before {
		c.w.Errorf("the terminal's settings were\n%+v and are\n%+v", c.before, after)
	}
	c.tty.Close()
	<-c.ended
	if v := c.screen; v.main != nil || v.noCursor || v.noWrap || v.sgr != "" {
		c.w.Errorf("left the terminal with another screen %t, no cursor %t, no wrap %t, colours %q", v.main != nil, v.noCursor, v.noWrap, v.sgr)
	}
	return c.cmd.ProcessState.ExitCode()
}

// onTerminal runs a verb with its stdout on a terminal and returns what came
// out there.
func (w *world) onTerminal(env []string, args ...string) string {
	w.Helper()
	master, tty := openTerminal(w.T, 80, 24)
	cmd := w.command("jobrunner", args...)
	cmd.Env = append(append(cmd.Env, "TERM=xterm", "LC_ALL=C.UTF-8", "NO_COLOR="), env...)
	cmd.Stdout = tty
	err := cmd.Start()
	tty.Close()
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

// place gives the line, and where in it, of a word on a screen; -1 if it is not
// there.
func place(lines []string, word string) (row int) {
	return slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, word) })
}
