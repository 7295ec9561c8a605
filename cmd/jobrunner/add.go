package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"jobrunner/config"
	"jobrunner/jobs"
)

// addFlags is what add takes beside the job itself.
type addFlags struct {
	name     string
	priority int
	timeout  time.Duration
	env      []string
	labels   []string
	wait     bool
}

func newAdd(a *app) *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add [flags] TARGET [ARG...]",
		Short: "Submit a job and print its id",
		Long: `add drops a request file into the inbox and prints the id of its job. TARGET is
the name of a type in jobrunner.yaml or a script of one. Flags of add stand
before TARGET: all that follows it is the job's own.`,
		Example: `  jobrunner add countdown 25
  jobrunner add --name nightly --wait train.py --lr 0.1`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misused(cmd, cmd.CommandPath()+" needs a TARGET: a type or a script")
			}
			for _, arg := range args {
				if !utf8.ValidString(arg) {
					return misused(cmd, strconv.Quote(arg)+" is not valid UTF-8")
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id := uuid.NewString()
			doc, err := f.document(cmd, id, args[1:])
			if err != nil {
				return err
			}
			return a.add(cmd.Context(), &f, id, args[0], doc)
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.StringVar(&f.name, "name", "", "a `WORD` for people")
	flags.IntVar(&f.priority, "priority", 0, fmt.Sprintf("bigger `N` first, %d to %d (default: the type's)", jobs.MinPriority, jobs.MaxPriority))
	flags.DurationVar(&f.timeout, "timeout", 0, "end it after this `TIME`, such as 90s or 2h (default: the type's)")
	flags.StringArrayVar(&f.env, "env", nil, "`NAME=VALUE` in its environment, if the type allows it (repeatable)")
	flags.StringArrayVar(&f.labels, "label", nil, "`KEY=VALUE` to find it by (repeatable)")
	flags.BoolVar(&f.wait, "wait", false, "wait until it has ended, and exit with its code")
	return cmd
}

// document makes the request, all but its target.
func (f *addFlags) document(cmd *cobra.Command, id string, args []string) (string, error) {
	refuse := func(format string, args ...any) (string, error) {
		return "", misused(cmd, fmt.Sprintf(format, args...))
	}
	if !utf8.ValidString(f.name) {
		return refuse("--name %s is not valid UTF-8", strconv.Quote(f.name))
	}
	var d document
	d.list("args", args)
	d.text("id", id)
	if f.name != "" {
		d.text("name", f.name)
	}
	if cmd.Flags().Changed("priority") {
		if f.priority < jobs.MinPriority || f.priority > jobs.MaxPriority {
			return refuse("--priority must be from %d to %d, not %d", jobs.MinPriority, jobs.MaxPriority, f.priority)
		}
		d.number("priority", f.priority)
	}
	if cmd.Flags().Changed("timeout") {
		if f.timeout <= 0 {
			return refuse("--timeout must be more than 0, not %s", f.timeout)
		}
		d.text("timeout", f.timeout.String())
	}
	for _, table := range []struct {
		flag, key string
		given     []string
	}{{"--env", "env", f.env}, {"--label", "labels", f.labels}} {
		pairs, fault := parsePairs(table.given)
		if fault != "" {
			return refuse("%s %s", table.flag, fault)
		}
		d.table(table.key, pairs)
	}
	return d.String(), nil
}

// parsePairs takes KEY=VALUE apart; of a key that comes again the last one holds.
func parsePairs(given []string) (pairs [][2]string, fault string) {
	at := map[string]int{}
	for _, word := range given {
		key, value, ok := strings.Cut(word, "=")
		switch {
		case !ok || key == "":
			return nil, "must be KEY=VALUE, not " + strconv.Quote(word)
		case !utf8.ValidString(word):
			return nil, strconv.Quote(word) + " is not valid UTF-8"
		}
		if i, ok := at[key]; ok {
			pairs[i][1] = value
			continue
		}
		at[key] = len(pairs)
		pairs = append(pairs, [2]string{key, value})
	}
	return pairs, ""
}

// targetLine is the line of a request under which its target stands: as in
// the queue file, the name of a type counts first.
func targetLine(cfg *config.Config, target string) string {
	var d document
	if cfg.Catalog.Types[target] != nil {
		d.text("type", target)
	} else {
		d.text("script", target)
	}
	return d.String()
}

func (a *app) add(ctx context.Context, f *addFlags, id, target, doc string) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	name := "add-" + short(id) + ".yaml"
	if err := c.drop(name, targetLine(c.cfg, target)+doc); err != nil {
		return err
	}
	answer, err := c.await(ctx, name)
	if err != nil {
		return err
	}
	if answer != nil && answer.State == jobs.Rejected {
		return answer.refusal(name)
	}
	fmt.Fprintln(a.stdout, id)
	if !f.wait {
		return nil
	}
	return c.waitFor(ctx, id)
}
