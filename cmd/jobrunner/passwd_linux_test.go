package main

import (
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// A password is asked for twice on a terminal, and not shown; Ctrl-C leaves the
// terminal as it was.
func TestPasswdOnTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	ask := func(typed ...string) (screen string, err error) {
		t.Helper()
		cmd := w.command("jobrunner", "passwd", "ada")
		terminal, err := pty.Start(cmd)
		if err != nil {
			t.Skip(err)
		}
		defer terminal.Close()
		for _, words := range typed {
			prompt, answer, _ := strings.Cut(words, "=")
			buf := make([]byte, 1024)
			for !strings.HasSuffix(screen, prompt+": ") {
				n, err := terminal.Read(buf)
				if screen += string(buf[:n]); err != nil {
					t.Fatalf("%v on\n%s", err, screen)
				}
			}
			w.until("nothing is shown any more", func() error {
				settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
				if err == nil && settings.Lflag&unix.ECHO != 0 {
					err = errors.New("it is")
				}
				return err
			})
			if answer == "^C" {
				err = cmd.Process.Signal(syscall.SIGINT)
			} else {
				_, err = terminal.WriteString(answer + "\n")
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		rest, _ := io.ReadAll(terminal) // EIO at its end
		return screen + string(rest), cmd.Wait()
	}
	screen, err := ask("Password=secret", "Once more=secret")
	if err != nil || !strings.Contains(screen, "ada:$2y$") || strings.Contains(screen, "secret") {
		t.Errorf("%v on\n%s", err, screen)
	}
	screen, err = ask("Password=secret", "Once more=secrets")
	if err == nil || !strings.Contains(screen, "the two are not the same") || strings.Contains(screen, "$2y$") {
		t.Errorf("two passwords: %v on\n%s", err, screen)
	}
	screen, err = ask("Password=^C")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("interrupted: %v on\n%s", err, screen)
	}
}
