package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
		Args:  oneID,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			j, err := c.find(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(a.stdout, j)
			}
			return c.show(cmd.Context(), j)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the job as JSON")
	return cmd
}

func (c *client) show(ctx context.Context, j *jobs.Job) error {
	s, now := newScreen(c.stdout), time.Now()
	look := looks[j.State]
	state := string(j.State)
	if s.terminal() {
		state = look.glyph + " " + state
	}
	fmt.Fprint(s, s.paint(look.colour, state))
	if reason := jobs.Sanitize(j.Reason); reason != "" {
		fmt.Fprint(s, "  ", s.paint(bold, reason))
	}
	fmt.Fprintln(s)
	if means := exitMeans(j); means != "" {
		fmt.Fprintln(s, means)
	}
	fmt.Fprintln(s)
	for _, f := range c.facts(s, j, now) {
		if f.text != "" {
			fmt.Fprintf(s, "%s %s\n", s.paint(dim, fmt.Sprintf("%-9s", f.name)), f.text)
		}
	}
	return c.showOutput(s, j)
}

// fact is a line of show; without a text it is left out.
type fact struct{ name, text string }

func (c *client) facts(s *screen, j *jobs.Job, now time.Time) []fact {
	when := func(t time.Time) string {
		switch {
		case t.IsZero():
			return ""
		case !s.terminal():
			return instant(t)
		}
		words := t.Local().Format("2006-01-02 15:04:05")
		if ago := age(now.Sub(t)); ago != "now" {
			words += ", " + ago + " ago"
		}
		return words
	}
	facts := []fact{
		{"id", j.ID},
		{"job", what(j)},
		{"name", jobs.Sanitize(j.Name)},
		{"type", jobs.Sanitize(j.Type)},
		{"source", jobs.Sanitize(j.Source)},
		{"submitted", when(j.SubmittedAt)},
		{"started", when(j.StartedAt)},
		{"finished", when(j.FinishedAt)},
		{"time", ran(j, now)},
		{"attempt", fmt.Sprint(j.Attempt)},
		{"priority", fmt.Sprint(j.Priority)},
	}
	if j.Timeout > 0 {
		facts = append(facts, fact{"timeout", j.Timeout.String()})
	}
	if j.State == jobs.Running && j.PID > 0 {
		facts = append(facts, fact{"pid", fmt.Sprint(j.PID)})
	}
	facts = append(facts,
		fact{"node", jobs.Sanitize(j.Node)},
		fact{"command", argv(j.Command)},
		fact{"workdir", jobs.Sanitize(j.Workdir)},
		fact{"env", jobs.Sanitize(strings.Join(slices.Sorted(maps.Keys(j.Env)), " "))}, // never the values
		fact{"labels", labels(j.Labels)},
	)
	if j.Log != "" {
		facts = append(facts, fact{"log", jobs.Sanitize(filepath.Join(c.cfg.StateDir, filepath.FromSlash(j.Log)))})
	}
	return facts
}

func labels(of map[string]string) string {
	var words []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		words = append(words, key+"="+of[key])
	}
	return argv(words)
}

// showOutput prints the end of what the job has printed.
func (c *client) showOutput(s *screen, j *jobs.Job) error {
	f, err := c.openLog(j, j.Attempt)
	if err != nil {
		return nil // why there is none is said above: it did not start
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	from, err := jobs.TailOffset(f, info.Size(), shownLines)
	if err != nil {
		return err
	}
	from = max(from, info.Size()-shownLines*1000) // lines can be long
	title := "its output"
	if from > 0 {
		title = fmt.Sprintf("the last lines of its output (jobrunner logs %s has all)", short(j.ID))
	}
	fmt.Fprintf(s, "\n%s\n", s.paint(dim, title+":"))
	return c.copyLog(s, f, from, info.Size())
}

// copyLog prints a part of a log, indented and without what could do harm.
func (c *client) copyLog(s *screen, f *os.File, from, to int64) error {
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
