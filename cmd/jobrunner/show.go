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

// showBar is how wide a bar is in show, in columns.
const showBar = 30

func newShow(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show everything about one job, its reason first",
		Long: `show prints all that is known of a job: why it is in its state, and while it waits
for what, which jobs come before it and when it is likely to start; while it runs
how far it has come and what it takes; and if it failed the line of its output
that says why. The id of a sweep shows how far its jobs have come.`,
		Example: `  jobrunner show 3f2a91c0
  jobrunner show 3f2a91c0 --json | jq .progress`,
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
		return c.showSweep(ctx, n, asJSON)
	}
	j, err := c.queue.Detail(ctx, n.id)
	if err != nil {
		return err
	}
	measured := c.measure(ctx, []*jobs.Job{j}, true)
	c.readHeadline(j)
	if asJSON {
		return printJSON(c.stdout, j)
	}
	return c.show(ctx, j, measured[j.ID])
}

// show prints a job, of which r was measured; nil if nothing was.
func (c *client) show(ctx context.Context, j *jobs.Job, r *jobs.Reading) error {
	s, now := newScreen(c.stdout), time.Now()
	printHead(s, j.State, j.Reason)
	if j.Headline != "" {
		fmt.Fprintln(s, s.paint(red, j.Headline))
	}
	if means := j.EndWords(); means != "" {
		fmt.Fprintln(s, means)
	}
	if bar := progressLine(s, j, showBar, now); bar.width() > 0 {
		fmt.Fprintln(s, bar.paint(s))
	}
	if quiet := stuck(r, j, now); quiet != "" {
		fmt.Fprintln(s, s.paint(yellow, quiet))
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

// readHeadline fills in what the output of a FAILED job says of why.
func (c *client) readHeadline(j *jobs.Job) {
	if j.State != jobs.Failed {
		return
	}
	headline, _, err := jobs.OutputHeadline(c.cfg.StateDir, j, j.Attempt)
	if err == nil { // else its output cannot be printed either
		j.Headline = headline
	}
}

// progressLine shows on a line how far a job has come, or came: its bar, how much
// time is left, and what it said.
func progressLine(s *screen, j *jobs.Job, width int, now time.Time) cell {
	p := j.Progress
	if p == nil || j.State == jobs.Pending {
		return cell{}
	}
	var parts []cell
	if bar := s.bar(p, width); s.terminal() && bar.width() > 0 {
		parts = append(parts, bar, cell{text: " "})
	}
	if how := percent(p); how != "" {
		parts = append(parts, cell{text: how, colour: bold}, cell{text: " "})
	}
	var words []string
	if left := timeLeft(p); left != "" && j.State == jobs.Running {
		words = append(words, left+" left ("+timeOver(s, p, now)+")")
	}
	if said := says(j); said != "" {
		words = append(words, said)
	}
	return joined(append(parts, cell{text: strings.Join(words, s.separator)})...)
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
	t.print(s)
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
