package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// pruneFlags is what prune takes.
type pruneFlags struct {
	olderThan time.Duration
	keep      int
	state     string
	dryRun    bool
}

func newPrune(a *app) *cobra.Command {
	var f pruneFlags
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove ended jobs that nobody needs any more",
		Long: `prune removes ended jobs with their output, replies and all else that was kept
of them; that such a job was there, and how it ended, stays known, so that its id
never runs again. Without flags it does now what the key retention says. With
--older-than or --keep only these count: a job goes when it ended longer ago and
is not among the newest ones. Unfinished jobs and their sweeps are never removed.`,
		Example: `  jobrunner prune --dry-run
  jobrunner prune --older-than 168h --keep 1000
  jobrunner prune --state REJECTED --older-than 0s`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, fault := f.document(cmd)
			if fault != "" {
				return misused(cmd, fault)
			}
			return a.prune(cmd.Context(), doc)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&f.olderThan, "older-than", 0, "only jobs that ended more than this `TIME` ago, such as 168h")
	flags.IntVar(&f.keep, "keep", 0, "not the newest `N` of them")
	flags.StringVar(&f.state, "state", "", "only jobs of this `STATE`")
	flags.BoolVar(&f.dryRun, "dry-run", false, "only say how many would be removed")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(endedWords(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return cmd
}

// endedWords are the states of jobs that have ended.
func endedWords() []string {
	var words []string
	for _, s := range jobs.States {
		if s.Ended() {
			words = append(words, string(s))
		}
	}
	return words
}

// document makes the command of the flags, or says which one has a bad value.
func (f *pruneFlags) document(cmd *cobra.Command) (doc *document, fault string) {
	doc = new(document)
	doc.text("action", string(jobs.Prune))
	if cmd.Flags().Changed("older-than") {
		if f.olderThan < 0 {
			return nil, fmt.Sprintf("--older-than must be 0 or more, not %s", f.olderThan)
		}
		doc.text("older_than", f.olderThan.String())
	}
	if cmd.Flags().Changed("keep") {
		if f.keep < 0 {
			return nil, fmt.Sprintf("--keep must be 0 or more, not %d", f.keep)
		}
		doc.number("keep", f.keep)
	}
	if cmd.Flags().Changed("state") {
		doc.text("state", f.state)
	}
	if f.dryRun {
		doc.truth("dry_run")
	}
	return doc, ""
}

// prune drops the command and says what it came to.
func (a *app) prune(ctx context.Context, doc *document) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := c.ask(ctx, jobs.Prune, doc)
	if err != nil || answer == nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, jobs.Sanitize(answer.Reason))
	return err
}

// finished waits for the end of a command that has begun, for as long as a daemon
// is there to carry it out.
func (c *client) finished(ctx context.Context, path string, a *answer) (*answer, error) {
	ticker := time.NewTicker(answerPause)
	defer ticker.Stop()
	for a.State == jobs.Running {
		_, held, err := lockHolder(c.cfg.StateDir)
		if err != nil {
			return nil, err
		}
		if !held {
			return nil, errors.New("the daemon ended before it was done; the next one goes on with it")
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		next, err := readAnswer(path)
		if err != nil {
			return nil, err
		}
		if next == nil {
			return a, nil // somebody has cleared it away
		}
		a = next
	}
	return a, nil
}
