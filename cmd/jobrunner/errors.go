package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"jobrunner/config"
	"jobrunner/jobs"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitInterrupted = 130 // 128+SIGINT, as shells have it
)

// usageError is a fault in the command line itself.
type usageError struct {
	message string
	hint    string
}

func (e *usageError) Error() string { return e.message }

// hintedError is an error with what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// exitError ends the program with a code about which everything has been said.
type exitError int

func (e exitError) Error() string { return "exit " + strconv.Itoa(int(e)) }

// report says once, on stderr, what went wrong, and returns the exit code.
func (a *app) report(err error) int {
	var (
		exit   exitError
		usage  *usageError
		hinted *hintedError
		faults config.Faults
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		a.complain(usage.message, usage.hint)
		return exitUsage
	case errors.As(err, &faults):
		a.complainOf(faults)
		return exitFailed
	case errors.As(err, &hinted):
		a.complain(err.Error(), hinted.hint)
	default:
		a.complain(err.Error(), "")
	}
	if errors.Is(err, jobs.ErrNotFound) {
		return exitNotFound
	}
	return exitFailed
}

func (a *app) complain(message, hint string) {
	fmt.Fprintln(a.stderr, "jobrunner:", jobs.Sanitize(message))
	if hint != "" {
		fmt.Fprintln(a.stderr, "hint:", jobs.Sanitize(hint))
	}
}

// complainOf prints faults: a single one with its hint below it, several each
// on a line of its own.
func (a *app) complainOf(faults config.Faults) {
	if len(faults) == 1 {
		bare := *faults[0]
		bare.Hint = ""
		a.complain(bare.Error(), faults[0].Hint)
		return
	}
	for _, f := range faults {
		a.complain(f.Error(), "")
	}
}

// note says on stderr what is no error.
func (a *app) note(format string, args ...any) {
	fmt.Fprintln(a.stderr, jobs.Sanitize(fmt.Sprintf(format, args...)))
}

// noArgs, and the two below, check how many words follow a verb and its flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misused(cmd, fmt.Sprintf("%s takes no arguments, not %s", cmd.CommandPath(), strconv.Quote(args[0])))
	}
	return nil
}

func oneID(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return misused(cmd, fmt.Sprintf("%s needs the id of one job", cmd.CommandPath()))
	}
	return nil
}

func someIDs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return misused(cmd, fmt.Sprintf("%s needs the id of a job, or several", cmd.CommandPath()))
	}
	return nil
}

func misused(cmd *cobra.Command, message string) error {
	return &usageError{message: message, hint: "usage: " + cmd.UseLine()}
}
