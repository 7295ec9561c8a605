//go:build linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Names of figures of parts.
const (
	partMedian = "ms, median"
	partP95    = "ms, p95"
)

// parts are the pieces of a line's way, each with the step of jobrunner that ends
// it; the last one ends with the job's first instruction. Each step is the cause of
// the next, so none can be noted late.
var parts = []struct{ name, step string }{
	{"seen, and the file leased", "queue file: leased"},
	{"read", "queue file: read"},
	{"about to be committed", "database: about to commit"},
	{"committed, PENDING and RUNNING", "database: committed"},
	{"the scheduler knows", "start: RUNNING committed"},
	{"the supervisor is asked", "attempt: asked for"},
	{"its log made, its start noted", "attempt: start noted in the journal"},
	{"the first instruction", ""},
}

// whole is the row for the whole way.
const whole = "whole way"

// parts measures where the time goes from an append to the job's first instruction.
func (b *bench) parts() error {
	program, err := b.buildWatched()
	if err != nil {
		return err
	}
	plain := b.program
	b.program = program
	defer func() { b.program = plain }()
	steps := filepath.Join(b.home, "steps")
	t := &table{
		title: fmt.Sprintf("parts: one line at a time for a daemon at rest, from its append on; medians of %d rounds", b.rounds),
		first: "until", figures: []string{partMedian, partP95},
	}
	for range b.rounds {
		err := b.withJobrunner(func(j *jobrunner) error { return j.parts(steps, b.starts, t) }, "JOBRUNNER_BENCH_STEPS="+steps)
		if err != nil {
			return err
		}
	}
	t.print(b.out)
	return nil
}

// parts lets n jobs go their way, and notes how long each part took.
func (j *jobrunner) parts(steps string, n int, t *table) error {
	took := map[string][]time.Duration{}
	for i := range n {
		if err := os.Truncate(steps, 0); err != nil {
			return err
		}
		asked, begun, err := startAtRest(j, j.bed, i+1)
		if err != nil {
			return err
		}
		passed, err := readSteps(steps)
		if err != nil {
			return err
		}
		moments, err := way(passed, asked, begun)
		if err != nil {
			return err
		}
		before := asked
		for k, at := range moments {
			took[parts[k].name] = append(took[parts[k].name], at-before)
			before = at
		}
		took[whole] = append(took[whole], begun-asked)
	}
	for _, p := range parts {
		t.note(p.name, spread(took[p.name]))
	}
	t.note(whole, spread(took[whole]))
	return nil
}

// way gives when each part ended of the line that was asked for.
func way(passed []step, asked, begun time.Duration) (moments []time.Duration, err error) {
	slices.SortFunc(passed, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	at := asked
	for _, p := range parts[:len(parts)-1] {
		next := slices.IndexFunc(passed, func(s step) bool { return s.at > at && s.name == p.step })
		if next < 0 {
			return nil, fmt.Errorf("the step %q was not passed in its turn", p.step)
		}
		at = passed[next].at
		moments = append(moments, at)
	}
	return append(moments, begun), nil
}

// spread gives the median and the 95th percentile.
func spread(took []time.Duration) figures {
	slices.Sort(took)
	n := len(took)
	return figures{partMedian: milliseconds(took[n/2]), partP95: milliseconds(took[n*95/100])}
}
