package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

func newStatus(a *app) *cobra.Command {
	var watch, asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Print what runs and how far it has come, what is next, and what failed",
		Long: `status prints the status page's first screen as text: whether a daemon runs and
what is wrong with it, how many jobs there are, what runs with its progress and
the time left, what is to start next and when, and what failed in the last three
days with the line of its output that says why. It works without a daemon.`,
		Example: `  jobrunner status
  jobrunner status --watch
  jobrunner status --json | jq '.running[].progress.percent'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			g := newGauges(c)
			defer g.Close()
			if watch {
				return c.watchStatus(cmd.Context(), g, asJSON)
			}
			o, err := c.overview(cmd.Context(), g)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.stdout, o)
			}
			return o.print(newScreen(c.stdout), c.serveWords())
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "go on printing until interrupted")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON; with --watch an object a line")
	return cmd
}

// serveWords is the command that starts a daemon.
func (a *app) serveWords() string {
	if a.config == "" {
		return "jobrunner serve"
	}
	return "jobrunner" + spaced([]string{"--config", a.config, "serve"})
}

// watchStatus prints overviews until ctx ends: on a terminal drawn over and over
// in the same place, in a pipe one when there is news.
func (c *client) watchStatus(ctx context.Context, g *gauges, asJSON bool) error {
	s := newScreen(c.stdout)
	frames, last := &live{s: s}, ""
	return c.repeat(ctx, s, func() error {
		o, err := c.overview(ctx, g)
		if err != nil {
			return err
		}
		if s.moves() && !asJSON {
			return frames.draw(func(s *screen, room int) []string { return o.lines(s, c.serveWords(), room) })
		}
		key, err := o.news()
		if err != nil || key == last {
			return err
		}
		if asJSON {
			data, err := json.Marshal(o)
			if err == nil {
				_, err = fmt.Fprintf(s, "%s\n", data)
			}
			last = key
			return err
		}
		if last != "" {
			fmt.Fprintln(s)
		}
		last = key
		return o.print(s, c.serveWords())
	})
}

// news is what counts as a change of an overview.
func (o *overview) news() (string, error) {
	running, err := newsOf(o.Running)
	if err != nil {
		return "", err
	}
	still := *o
	still.At, still.Running, still.Next = utc{}, nil, slices.Clone(o.Next)
	still.DoneAt = utc{}
	for i := range still.Next { // that it is put off is no news
		still.Next[i].StartAt = utc{}
	}
	rest, err := json.Marshal(still)
	return running + string(rest), err
}
