package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"jobrunner/access"
)

func newPasswd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "passwd USER",
		Short: "Make a line for password_file, which says who may see the page",
		Long: `passwd asks for a password, twice on a terminal, else it reads one line from its
standard input, and prints the line that lets USER see the page:

    jobrunner passwd ada >> page.people
    chmod 600 page.people

The file is named by password_file in jobrunner.yaml. A running daemon takes the
line up by itself. htpasswd -nB USER makes such lines too.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(cmd, cmd.CommandPath()+" needs one USER")
			}
			if err := access.CheckName(args[0]); err != nil {
				return misused(cmd, err.Error())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.askPassword(cmd.Context(), cmd.InOrStdin())
			if err != nil {
				return err
			}
			line, err := access.Line(args[0], password)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, line)
			return err
		},
	}
}

// askPassword reads a password without showing it.
func (a *app) askPassword(ctx context.Context, in io.Reader) (string, error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	first, err := a.askHidden(ctx, f, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := a.askHidden(ctx, f, "Once more: ")
	if err == nil && first != second {
		err = errors.New("the two are not the same")
	}
	return first, err
}

// askHidden reads a line from a terminal that does not show it, and leaves the
// terminal as it was also if ctx ends before.
func (a *app) askHidden(ctx context.Context, f *os.File, prompt string) (string, error) {
	before, err := term.GetState(int(f.Fd()))
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	fmt.Fprint(a.stderr, prompt)
	defer fmt.Fprintln(a.stderr)
	type read struct {
		text []byte
		err  error
	}
	done := make(chan read, 1)
	go func() { // ends with the process if nobody types any more
		text, err := term.ReadPassword(int(f.Fd()))
		done <- read{text, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("reading the password: %w", r.err)
		}
		return string(r.text), nil
	case <-ctx.Done():
		_ = term.Restore(int(f.Fd()), before) // it ends anyway
		return "", ctx.Err()
	}
}
