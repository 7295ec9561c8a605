//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// Names of figures of growth.
const (
	perLine    = "µs/line"
	cpuPerLine = "µs CPU/line"
	restMemory = "MB resident, at rest"
	peakMemory = "MB resident, most"
	daemonCost = "ms CPU/job, daemon"
)

// turnover is how many jobs are run, at the least, with so many waiting.
const turnover = 300

// growth measures what it costs that many jobs wait: to take their lines in, to
// keep them, and to run some of them.
func (b *bench) growth() error {
	sizes := powers(b.most)
	base := sizes[0]
	if slices.Contains(sizes, 10_000) {
		base = 10_000
	}
	t := &table{
		title: fmt.Sprintf("growth: lines appended to a paused queue, then some %d no-op jobs run; medians of %d rounds", turnover, b.rounds),
		first: "waiting", base: thousands(base),
		figures: []string{perLine, cpuPerLine, restMemory, peakMemory, jobsPerSecond, daemonCost},
	}
	for range b.rounds {
		err := b.withJobrunner(func(j *jobrunner) error { return j.grow(sizes, t) })
		if err != nil {
			return err
		}
	}
	t.print(b.out)
	return nil
}

// powers are the powers of ten from 1,000 on that are below most, and most.
func powers(most int) (all []int) {
	for n := 1000; n < most; n *= 10 {
		all = append(all, n)
	}
	return append(all, most)
}

// grow lets as many jobs wait as each of sizes says, and notes what that costs.
func (j *jobrunner) grow(sizes []int, t *table) error {
	if err := run(j.command("pause")); err != nil {
		return err
	}
	waiting := 0
	for _, size := range sizes {
		f := figures{}
		if err := j.fill(size-waiting, size, f); err != nil {
			return err
		}
		ran, err := j.turnOver(size, f)
		if err != nil {
			return err
		}
		waiting = size - ran
		t.note(thousands(size), f)
	}
	return nil
}

// fill appends n lines, until size jobs wait.
func (j *jobrunner) fill(n, size int, f figures) error {
	daemon := []int{j.daemon.Process.Pid}
	used, began := ownTime(daemon), time.Now()
	if err := j.submit(n); err != nil {
		return err
	}
	if err := j.shown(size); err != nil {
		return err
	}
	f[perLine] = float64(time.Since(began).Microseconds()) / float64(n)
	f[cpuPerLine] = 1000 * milliseconds(ownTime(daemon)-used) / float64(n)
	if err := rested(daemon); err != nil {
		return err
	}
	f[restMemory] = float64(memory(daemon)) / 1e6
	f[peakMemory] = float64(sum(daemon, "status", "VmHWM")) / 1e6
	return nil
}

// turnOver runs some of the jobs that wait, and gives how many: those that begin
// until the queue is paused again.
func (j *jobrunner) turnOver(waiting int, f figures) (int, error) {
	daemon := []int{j.daemon.Process.Pid}
	used := ownTime(daemon)
	if err := run(j.command("resume")); err != nil {
		return 0, err
	}
	if err := j.bed.await(min(turnover, waiting)); err != nil {
		return 0, err
	}
	if err := run(j.command("pause")); err != nil {
		return 0, err
	}
	if err := j.idle(); err != nil {
		return 0, err
	}
	begun, err := j.bed.begun()
	if err != nil {
		return 0, err
	}
	n := len(begun)
	if err := j.shown(waiting - n); err != nil {
		return 0, err
	}
	f[daemonCost] = milliseconds(ownTime(daemon)-used) / float64(n)
	f[jobsPerSecond] = float64(n-1) / (begun[n-1] - begun[0]).Seconds()
	return n, j.bed.forget()
}
