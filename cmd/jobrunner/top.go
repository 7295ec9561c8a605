package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// topFlags is what top takes.
type topFlags struct {
	delay time.Duration
	batch bool
	json  bool
}

// leastDelay is between two looks: processor time is counted in hundredths of a
// second, so that sooner there is little to see.
const leastDelay = 500 * time.Millisecond

func newTop(a *app) *cobra.Command {
	f := topFlags{}
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Show live what the running jobs take and how far they have come",
		Long: `top shows the jobs that run, each with all its processes: processor time, where
100% is one processor, memory, progress and the time left; and below them what
is to start next. It takes the whole terminal until q or Ctrl-C.

  q               quit
  c  m  p  t      sort by CPU, memory, progress, time run
  up, down  k j   scroll, if more jobs run than there are lines

In a pipe, or with --batch, it prints a table a look and takes no keys; with
--json an object a look, that of status --json.`,
		Example: `  jobrunner top
  jobrunner top -d 5s
  jobrunner top --batch -d 1m >> usage.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.delay < leastDelay {
				return misused(cmd, fmt.Sprintf("--delay must be at least %s, not %s", leastDelay, f.delay))
			}
			c, err := a.open()
			if err != nil {
				return err
			}
			defer c.Close()
			t := &top{c: c, s: newScreen(c.stdout), delay: f.delay, gauges: newGauges(c)}
			defer t.gauges.Close()
			if f.batch || f.json || !t.s.moves() {
				return t.batch(cmd.Context(), f.json)
			}
			return t.run(cmd.Context(), os.Stdin)
		},
	}
	flags := cmd.Flags()
	flags.DurationVarP(&f.delay, "delay", "d", 2*time.Second, "`TIME` between two looks")
	flags.BoolVarP(&f.batch, "batch", "b", false, "print a table a look, until interrupted")
	flags.BoolVar(&f.json, "json", false, "print a JSON object a look, until interrupted")
	return cmd
}

// top is the live table.
type top struct {
	c      *client
	s      *screen
	delay  time.Duration
	gauges *gauges

	now    *overview // as of the last look
	by     string    // what the jobs are sorted by: a key of orders
	scroll int       // jobs that are left out at the top
}

// look looks what runs.
func (t *top) look(ctx context.Context) error {
	err := t.c.reopen()
	if err == nil {
		t.now, err = t.c.overview(ctx, t.gauges)
	}
	return err
}

// run shows the table until q, Ctrl-C or the end of ctx, and then gives the
// terminal back as it was, also if something went wrong.
func (t *top) run(ctx context.Context, in *os.File) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP) // which others let end the process at once
	defer stop()
	keyboard, err := openKeyboard(in)
	if err != nil {
		return fmt.Errorf("listening to the terminal: %w", err)
	}
	defer func() { err = errors.Join(err, keyboard.Close()) }()
	frames := &live{s: t.s}
	defer func() { err = errors.Join(err, frames.leave()) }()
	if err := frames.enter(); err != nil {
		return err
	}
	return t.show(ctx, frames, keyboard.keys)
}

// show looks and draws until it is to end.
func (t *top) show(ctx context.Context, frames *live, keys <-chan string) error {
	resized, stop := resizes()
	defer stop()
	ticker := time.NewTicker(t.delay)
	defer ticker.Stop()
	err := t.look(ctx)
	for {
		if err == nil {
			err = frames.draw(t.frame)
		}
		if err != nil || ctx.Err() != nil {
			return unlessOver(ctx, err)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
			err = t.look(ctx)
		case <-resized:
		case key, ok := <-keys:
			if !ok || key == "q" || key == keyCtrlC {
				return nil
			}
			t.press(key)
		}
	}
}

// unlessOver is err, or nil if ctx has ended: that a verb was interrupted that
// goes on until then is no error.
func unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// press takes a key.
func (t *top) press(key string) {
	switch _, ok := orders[key]; {
	case key == keyUp || key == "k":
		t.scroll--
	case key == keyDown || key == "j":
		t.scroll++
	case ok:
		t.by = key
	}
}

// batch prints a table, or an object, a look until ctx ends.
func (t *top) batch(ctx context.Context, asJSON bool) error {
	ticker := time.NewTicker(t.delay)
	defer ticker.Stop()
	for first := true; ; first = false {
		err := t.look(ctx)
		switch {
		case err != nil || ctx.Err() != nil:
		case asJSON:
			err = json.NewEncoder(t.s).Encode(t.now)
		default:
			err = t.table(first)
		}
		if err != nil || ctx.Err() != nil {
			return unlessOver(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// table prints one table.
func (t *top) table(first bool) error {
	if !first {
		fmt.Fprintln(t.s)
	}
	for _, line := range append([]string{t.head(t.s)}, t.now.runningPart(t.s).lines(t.s)...) {
		if _, err := fmt.Fprintln(t.s, line); err != nil {
			return err // nobody reads any more
		}
	}
	return nil
}
