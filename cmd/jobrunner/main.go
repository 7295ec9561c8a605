// Command jobrunner runs programs one after the other, or a few at a time, on
// one machine. It is the only program of the project: the daemon, the
// supervisor that owns the jobs, and every verb that people type.
//
// This package wires the others together and knows nothing that they could
// know themselves. The daemon is one queue, and page, watcher, runner and
// configuration around it. The verbs that read open the same database, so they
// need no daemon; the verbs that change anything drop a request file, as
// anybody could, so they need none either. No verb keeps anything of its own: a
// crash loses nothing but its output.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the linker; "" means what the build says of itself.
var version string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &output{Writer: stdout}
	a := &app{stdout: out, stderr: stderr}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.fault()
	}
	return a.report(err)
}

// app is what all verbs share.
type app struct {
	config string // as given by --config; "" if it was not
	stdout io.Writer
	stderr io.Writer
}

func newRoot(a *app) *cobra.Command {
	cobra.MousetrapHelpText = "" // a double click on Windows is to start the daemon
	root := &cobra.Command{
		Use:   "jobrunner",
		Short: "Run jobs that are appended to a file or dropped into a folder",
		Long: `jobrunner runs your programs one after the other, or a few at a time, on one
machine. Append a line to job_queue.txt, drop a file into inbox/, or use add:

    jobrunner serve                       run the daemon
    echo 'countdown 25' >> job_queue.txt  submit a job
    jobrunner list                        see what became of it

What may be run is defined in jobrunner.yaml. Without a verb jobrunner serves.`,
		Args:          onlyVerbs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("jobrunner {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.config, "config", "", "configuration `FILE` (default $JOBRUNNER_CONFIG, else ./jobrunner.yaml)")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // the flag is there: the line above made it
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{message: err.Error(), hint: cmd.CommandPath() + " --help lists the flags"}
	})
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Submit and follow jobs:", []*cobra.Command{newAdd(a), newList(a), newStatus(a), newTop(a), newShow(a), newLogs(a), newWait(a), newStats(a)}},
		{"Change jobs:", []*cobra.Command{newCancel(a), newRetry(a), newRerun(a), newHold(a), newRelease(a)}},
		{"The daemon:", []*cobra.Command{newServe(a), newCheck(a), newPause(a), newResume(a), newDrain(a), newPrune(a), newStop(a), newPasswd(a)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			root.AddCommand(verb)
		}
	}
	root.AddCommand(newVersion(a), newSupervise(a), newRelay(a))
	needShell(root)
	return root
}

// onlyVerbs refuses what is no verb, with the one that was probably meant.
func onlyVerbs(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := root.Name() + " --help lists the verbs"
	root.SuggestionsMinimumDistance = 2
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean " + strconv.Quote(near[0]) + "?"
	}
	return &usageError{message: "unknown verb " + strconv.Quote(args[0]), hint: hint}
}
