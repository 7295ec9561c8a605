package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"jobrunner/jobs"
)

// shownLines is how much of a job's output show prints.
const shownLines = 10

func newShow(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show everything about one job, its reason first",
		Long: `show prints all that is known of a job: why it is in its state, and while it waits
for what, which jobs come before it and when it is likely to start. The id of a
sweep shows how far its jobs have come.`,
		Args:              oneID,
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			n, err := c.named(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.showNamed(cmd.Context(), n, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the job as JSON")
	return cmd
}

func (c *client) showNamed(ctx context.Context, n *named, asJSON bool) error {
	if n.sweep {
		return c.showSweep(n, asJSON)
	}
	j, err := c.queue.Detail(ctx, n.id)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.stdout, j)
	}
	return c.show(ctx, j)
}

func (c *client) show(ctx context.Context, j *jobs.Job) error {
	s, now := newScreen(c.stdout), time.Now()
	printHead(s, j.State, j.Reason)
	if means := j.EndWords(); means != "" {
		fmt.Fprintln(s, means)
	}
	fmt.Fprintln(s)
	facts, err := c.facts(ctx, s, j, now)
	if err != nil {
		return err
	}
	printFacts(s, facts)
	printAttempts(s, j)
	return c.showOutput(ctx, s, j)
}

// printHead prints the first line: the state, and why.
func printHead(s *screen, state jobs.State, reason string) {
	fmt.Fprint(s, s.state(state).paint(s))
	if reason = jobs.Sanitize(reason); reason != "" {
		fmt.Fprint(s, "  ", s.paint(bold, reason))
	}
	fmt.Fprintln(s)
}

// printAttempts prints a line for each attempt that has ended, where there is
// more to say than of the job itself.
func printAttempts(s *screen, j *jobs.Job) {
	if len(j.Past) == 0 || len(j.Past) == 1 && j.Past[0].Attempt == j.Attempt {
		return
	}
	t := &table{head: []string{"ATTEMPT", "STATE", "STARTED", "TIME", "SLOTS", "REASON"}, flexible: map[int]int{4: 6, 5: 12}}
	for _, a := range j.Past {
		took := ""
		if !a.StartedAt.IsZero() {
			took = span(a.FinishedAt.Sub(a.StartedAt))
		}
		t.rows = append(t.rows, []cell{
			{text: fmt.Sprint(a.Attempt)}, s.state(a.State), {text: orDash(moment(s, a.StartedAt))},
			{text: orDash(took)}, {text: orDash(slotWords(a.Slots))}, {text: jobs.Sanitize(a.Reason)},
		})
	}
	fmt.Fprintln(s)
	for _, line := range t.lines(s) {
		fmt.Fprintln(s, line)
	}
}

// showOutput prints the end of what the job has printed.
func (c *client) showOutput(ctx context.Context, s *screen, j *jobs.Job) error {
	out, err := c.openLog(ctx, j, j.Attempt)
	if err != nil {
		return nil // why there is none is said above: it did not start
	}
	defer out.Close()
	log, err := out.View()
	if err != nil || log.Size() == 0 {
		return err
	}
	from, err := jobs.TailOffset(log, log.Size(), shownLines)
	if err != nil {
		return err
	}
	from = max(from, log.Size()-shownLines*1000) // lines can be long
	title := "its output"
	if from > 0 {
		title = fmt.Sprintf("the last lines of its output (jobrunner logs %s has all)", short(j.ID))
	}
	fmt.Fprintf(s, "\n%s\n", s.paint(dim, title+":"))
	return c.copyLog(s, log, from, log.Size())
}

// copyLog prints a part of a log, indented and without what could do harm.
func (c *client) copyLog(s *screen, f io.ReaderAt, from, to int64) error {
	data := make([]byte, to-from)
	n, err := f.ReadAt(data, from)
	if n == 0 && err != nil {
		return fmt.Errorf("reading log: %w", err)
	}
	for _, line := range strings.Split(strings.TrimRight(string(data[:n]), "\r\n"), "\n") {
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndexByte(line, '\r')+1:] // as it was drawn last
		fmt.Fprintln(s, " ", plain(line))
	}
	return nil
}
