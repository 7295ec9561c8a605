package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"jobrunner/runner"
)

// superviseVerb is how the daemon starts the process that owns the jobs, and
// what people see of it in ps.
const superviseVerb = "supervise"

func newSupervise(*app) *cobra.Command {
	return &cobra.Command{
		Use:    superviseVerb + " STATE_FOLDER",
		Short:  "Own the jobs of a state folder; the daemon starts this by itself",
		Hidden: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(cmd, cmd.CommandPath()+" needs one state folder")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			// Signals must not end it while jobs run: it sees to them itself.
			ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
			defer cancel()
			go footprint{work: 50, rest: 50}.keep(ctx) // little is ever in use
			return runner.Supervise(ctx, args[0])
		},
	}
}

// newRelay is what the supervisor runs beside a job that has a terminal.
func newRelay(*app) *cobra.Command {
	return &cobra.Command{
		Use:    runner.RelayVerb + " LOG",
		Short:  "Copy a job's terminal into its log; the supervisor starts this by itself",
		Hidden: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return misused(cmd, cmd.CommandPath()+" needs one log")
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error { return runner.Relay() },
	}
}

// supervisorCommand is the argv that runs the supervisor of a state folder:
// this program once more.
func supervisorCommand(stateDir string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	return []string{self, superviseVerb, stateDir}, nil
}
