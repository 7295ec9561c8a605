package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
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
	name        string
	priority    int
	after       []string
	afterAny    []string
	delay       time.Duration
	at          string
	timeout     time.Duration
	retries     int
	hold        bool
	params      []string
	foreach     []string
	env         []string
	labels      []string
	uniqueKey   string
	onDuplicate string
	wait        bool
}

func newAdd(a *app) *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add [flags] TARGET [ARG...]",
		Short: "Submit a job and print its id",
		Long: `add drops a request file into the inbox and prints the id of its job. TARGET is
the name of a type in jobrunner.yaml or a script of one. Flags of add stand
before TARGET: all that follows it is the job's own.

With --foreach it makes one job for each combination of the values and prints
the id of the sweep, which wait, cancel, hold, release, retry, rerun, show and
list --group take as they take a job's. If an unfinished job bears the
--unique-key already, nothing is added and that job's id is printed.`,
		Example: `  jobrunner add countdown 25
  jobrunner add --name nightly --wait train.py --lr 0.1
  jobrunner add --after 3f2a91c0 --retries 2 evaluate.py
  jobrunner add --at '2026-12-01 02:00' --unique-key backup backup.py
  jobrunner add --foreach lr=0.1,0.01 --foreach seed=1,2 train.py --lr {lr} --seed {seed}`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misused(cmd, cmd.CommandPath()+" needs a TARGET: a type or a script")
			}
			return nil
		},
		ValidArgsFunction: a.completeTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			if fault := notUTF8(cmd, args); fault != "" {
				return misused(cmd, fault)
			}
			id := uuid.NewString()
			doc, err := f.document(cmd, id, args[1:])
			if err != nil {
				return err
			}
			return a.add(cmd.Context(), &f, id, args[0], doc)
		},
	}
	f.define(cmd)
	_ = cmd.RegisterFlagCompletionFunc("after", a.completeIDs)     // the flag is there
	_ = cmd.RegisterFlagCompletionFunc("after-any", a.completeIDs) // likewise
	return cmd
}

func (f *addFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SetInterspersed(false)
	flags.SortFlags = false
	flags.StringVar(&f.name, "name", "", "a `WORD` for people")
	flags.IntVar(&f.priority, "priority", 0, fmt.Sprintf("bigger `N` first, %d to %d (default: the type's)", jobs.MinPriority, jobs.MaxPriority))
	flags.StringSliceVar(&f.after, "after", nil, "start when the job or sweep `ID` is COMPLETED (repeatable, or ID,ID)")
	flags.StringSliceVar(&f.afterAny, "after-any", nil, "start when `ID` has ended, however it did (repeatable, or ID,ID)")
	flags.DurationVar(&f.delay, "delay", 0, "start no sooner than this `TIME` from now, such as 90m")
	flags.StringVar(&f.at, "at", "", "start no sooner than at this `TIME`, '2026-12-01 02:00' or RFC 3339")
	flags.DurationVar(&f.timeout, "timeout", 0, "end it after this `TIME`, such as 90s or 2h (default: the type's)")
	flags.IntVar(&f.retries, "retries", 0, "try again up to `N` times if it fails (default: the type's max_retries)")
	flags.BoolVar(&f.hold, "hold", false, "do not start it before jobrunner release")
	flags.StringArrayVar(&f.params, "param", nil, "`NAME=VALUE` of a parameter that the type defines (repeatable)")
	flags.StringArrayVar(&f.foreach, "foreach", nil, "one job for each of `NAME=VALUE,VALUE`, with {NAME} replaced (repeatable)")
	flags.StringArrayVar(&f.env, "env", nil, "`NAME=VALUE` in its environment, if the type allows it (repeatable)")
	flags.StringArrayVar(&f.labels, "label", nil, "`KEY=VALUE` to find it by (repeatable)")
	flags.StringVar(&f.uniqueKey, "unique-key", "", "add nothing while an unfinished job bears this `KEY`")
	flags.StringVar(&f.onDuplicate, "on-duplicate", "", "`keep|replace`: replace cancels that job if it has not started (default keep)")
	flags.BoolVar(&f.wait, "wait", false, "wait until it has ended, and exit with its code")
	duplicates := cobra.FixedCompletions([]string{string(jobs.DuplicateKeep), string(jobs.DuplicateReplace)}, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("on-duplicate", duplicates) // the flag is there
}

// notUTF8 says which word of the command line cannot stand in a request.
func notUTF8(cmd *cobra.Command, args []string) (fault string) {
	for _, arg := range args {
		if !utf8.ValidString(arg) {
			return strconv.Quote(arg) + " is not valid UTF-8"
		}
	}
	for _, name := range []string{"name", "unique-key"} {
		if value := cmd.Flag(name).Value.String(); !utf8.ValidString(value) {
			return fmt.Sprintf("--%s %s is not valid UTF-8", name, strconv.Quote(value))
		}
	}
	return ""
}

// targetLine is the line of a request under which its target stands: as in
// the queue file, the name of a type counts first.
func targetLine(cfg *config.Config, target string) string {
	var d document
	if isType(cfg, target) {
		d.text("type", target)
	} else {
		d.text("script", target)
	}
	return d.String()
}

// isType reports whether target is a type: also one whose file has gone bad,
// for a daemon keeps it as it was.
func isType(cfg *config.Config, target string) bool {
	return cfg.Catalog.Types[target] != nil || slices.ContainsFunc(cfg.TypeFaults, func(f *jobs.Fault) bool {
		name := filepath.Base(f.File)
		return strings.TrimSuffix(name, filepath.Ext(name)) == target
	})
}

func (a *app) add(ctx context.Context, f *addFlags, id, target, doc string) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	defer c.Close()
	waits, err := c.waits(ctx, f)
	if err != nil {
		return err
	}
	name := requestName(short(id)) + ".yaml"
	if err := c.drop(name, targetLine(c.cfg, target)+doc+waits); err != nil {
		return err
	}
	answer, err := c.await(ctx, name)
	if err != nil {
		return err
	}
	if answer != nil && answer.State == jobs.Rejected {
		return answer.refusal(name)
	}
	id, ids := c.answeredWith(f, id, answer)
	fmt.Fprintln(a.stdout, id)
	if !f.wait {
		return nil
	}
	return c.waitFor(ctx, ids)
}

// requestName begins the name of the file in which add drops the request of a job,
// of whose id these are the first letters.
func requestName(letters string) string { return "add-" + letters }

// waits are the lines of a request that name other jobs. Their ids are looked
// up here, so that the same few letters are enough as for every verb.
func (c *client) waits(ctx context.Context, f *addFlags) (string, error) {
	var d document
	for _, list := range []struct {
		key   string
		words []string
	}{{"after", f.after}, {"after_any", f.afterAny}} {
		if len(list.words) == 0 {
			continue
		}
		var ids []string
		for _, word := range list.words {
			some, err := c.resolve(ctx, []string{word})
			var gone *jobs.PrunedError
			if errors.As(err, &gone) { // how it ended is known all the same
				some, err = []string{gone.ID}, nil
			}
			if err != nil {
				return "", err
			}
			ids = append(ids, some...)
		}
		d.list(list.key, ids)
	}
	return d.String(), nil
}

// answeredWith gives the id to print, and those of the jobs to wait for. They
// are what was asked for, unless the request was answered with other jobs.
func (c *client) answeredWith(f *addFlags, id string, a *answer) (printed string, ids []string) {
	if a == nil || len(a.Jobs) == 0 {
		return id, []string{id}
	}
	for _, warning := range a.Warnings {
		c.note("%s", warning)
	}
	others := 0
	for _, j := range a.Jobs {
		ids = append(ids, j.ID)
		if j.ID != id && j.Group != id {
			others++
		}
	}
	switch {
	case others == 0:
	case len(f.foreach) == 0:
		id = ids[0]
		c.note("nothing was added: %s bears the unique key %s and has not ended", short(id), strconv.Quote(a.Jobs[0].UniqueKey)) // it may be the script that names it
	case others == len(ids):
		c.note("nothing was added: %s with these unique keys have not ended", count(others, "job"))
	default:
		c.note("%d of %s added: others with the unique keys of the rest have not ended", len(ids)-others, count(len(ids), "job"))
	}
	return id, slices.Compact(ids)
}
