package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

func newPause(a *app) *cobra.Command {
	return a.overTypes(jobs.Pause, &cobra.Command{
		Short: "Start nothing new, or nothing of one type, until resume",
		Long: `pause keeps jobs from starting: those of one type, or all. What runs goes on, and
requests are taken on. A pause holds over restarts, until resume ends it.`,
		Example: `  jobrunner pause
  jobrunner pause train`,
	})
}

func newResume(a *app) *cobra.Command {
	return a.overTypes(jobs.Resume, &cobra.Command{
		Short: "End a pause, or a drain",
		Long: `resume ends the pause of one type; without a TYPE that of all, and a drain. Types
that were paused by name stay paused then.`,
	})
}

func newDrain(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "drain",
		Short: "Start nothing new, and end the daemon when the last job has ended",
		Long: `drain lets what runs come to its end and starts nothing new; then the daemon ends
with exit code 0. What waits is kept for the next serve, and requests are taken
until then. resume ends a drain.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.brake(cmd.Context(), jobs.Drain, nil) },
	}
}

// overTypes makes the verb of an action that names a type or none.
func (a *app) overTypes(action jobs.Action, cmd *cobra.Command) *cobra.Command {
	cmd.Use = string(action) + " [TYPE]"
	cmd.Args = oneTypeAtMost
	cmd.ValidArgsFunction = a.completeTypes
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return a.brake(cmd.Context(), action, args) }
	return cmd
}

func oneTypeAtMost(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return misused(cmd, fmt.Sprintf("%s takes one type at most, not %d", cmd.CommandPath(), len(args)))
	}
	return nil
}

// brake drops a command over what may start and says what it did.
func (a *app) brake(ctx context.Context, action jobs.Action, types []string) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	var doc document
	doc.text("action", string(action))
	for _, name := range types {
		doc.text("type", name)
	}
	answer, err := c.ask(ctx, action, &doc)
	if err != nil || answer == nil {
		return err
	}
	c.printDeeds(answer.Reason)
	return nil
}
