//go:build linux

package main

import (
	"fmt"
	"time"
)

// Names of figures of rest.
const (
	coreShare    = "% of a core"
	proportional = "MB proportional"
)

// rest measures what jobrunner takes while nothing is to be done.
func (b *bench) rest() error {
	t := &table{
		title: fmt.Sprintf("rest: %s jobs have ended, none waits, nobody looks, %s long; medians of %d rounds",
			thousands(b.jobs), b.quiet, b.rounds),
		first: "process", figures: []string{coreShare, resident, proportional},
	}
	for range b.rounds {
		err := b.withJobrunner(func(j *jobrunner) error {
			if err := j.submit(b.jobs); err != nil {
				return err
			}
			if err := j.settle(); err != nil {
				return err
			}
			return j.rest(b.quiet, t)
		})
		if err != nil {
			return err
		}
	}
	t.print(b.out)
	return nil
}

// rest watches the daemon and its supervisor for a while.
func (j *jobrunner) rest(quiet time.Duration, t *table) error {
	both := j.own()
	if len(both) != 2 {
		return fmt.Errorf("there are %d processes and not a daemon with its supervisor", len(both))
	}
	if err := rested(both); err != nil {
		return err
	}
	groups := []struct {
		name string
		pids []int
	}{{"daemon", both[:1]}, {"supervisor", both[1:]}, {"both", both}}
	before := make([]time.Duration, len(groups))
	for i, g := range groups {
		before[i] = ownTime(g.pids)
	}
	began := monotonic()
	time.Sleep(quiet)
	passed := monotonic() - began
	for i, g := range groups {
		t.note(g.name, figures{
			coreShare:    100 * float64(ownTime(g.pids)-before[i]) / float64(passed),
			resident:     float64(memory(g.pids)) / 1e6,
			proportional: float64(sum(g.pids, "smaps_rollup", "Pss")) / 1e6,
		})
	}
	return nil
}
