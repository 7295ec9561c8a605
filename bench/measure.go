//go:build linux

package main

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// figures are what one round has measured of one system, by their names.
type figures map[string]float64

// Names of figures.
const (
	jobsPerSecond = "jobs/s"
	allPerJob     = "ms CPU/job, all" // the system, its clients, and the jobs themselves
	ownPerJob     = "ms CPU/job, own" // the system's lasting processes
	startMedian   = "ms to start, median"
	startP95      = "ms to start, p95"
	resident      = "MB resident"
)

// rate gives a system n jobs at once and measures how fast they are through. The
// clock runs from before the first is submitted until the last has begun.
func rate(s *system, b *bed, n int) (figures, error) {
	if s.most > 0 {
		n = min(n, s.most)
	}
	before, err := reap()
	if err != nil {
		return nil, err
	}
	session, err := s.open(b)
	if err != nil {
		return nil, err
	}
	out, err := rateOf(session, b, n)
	if err = errors.Join(err, session.close()); err != nil {
		return nil, err
	}
	after, err := reap()
	if err != nil {
		return nil, err
	}
	out[allPerJob] = milliseconds(after-before) / float64(n)
	return out, nil
}

func rateOf(s session, b *bed, n int) (figures, error) {
	own := ownTime(s.own())
	began := monotonic()
	if err := s.submit(n); err != nil {
		return nil, err
	}
	if err := b.await(n); err != nil {
		return nil, err
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	begun, err := b.begun()
	if err != nil {
		return nil, err
	}
	if len(begun) != n {
		return nil, fmt.Errorf("%d jobs have begun, %d were submitted", len(begun), n)
	}
	out := figures{jobsPerSecond: float64(n) / (begun[n-1] - began).Seconds()}
	if pids := s.own(); len(pids) > 0 {
		out[ownPerJob] = milliseconds(ownTime(pids)-own) / float64(n)
		out[resident] = float64(memory(pids)) / 1e6
	}
	return out, nil
}

// latency gives a system n jobs, one after the other, each when the one before
// has begun and the system has come to rest, and measures the time from before it
// is submitted to its first instruction.
func latency(s *system, b *bed, n int) (figures, error) {
	session, err := s.open(b)
	if err != nil {
		return nil, err
	}
	took, err := latencyOf(session, b, n)
	if err = errors.Join(err, session.close()); err != nil {
		return nil, err
	}
	_, err = reap()
	slices.Sort(took)
	return figures{startMedian: milliseconds(took[n/2]), startP95: milliseconds(took[n*95/100])}, err
}

func latencyOf(s session, b *bed, n int) (took []time.Duration, err error) {
	for i := range n {
		asked, begun, err := startAtRest(s, b, i+1)
		if err != nil {
			return nil, err
		}
		took = append(took, begun-asked)
	}
	return took, nil
}

// startAtRest gives the system the n-th job in all once it has had time to come to
// rest, and returns when it was asked and when the job began.
func startAtRest(s session, b *bed, n int) (asked, began time.Duration, err error) {
	const rest = 20 * time.Millisecond
	time.Sleep(rest)
	asked = monotonic()
	if err := s.submit(1); err != nil {
		return 0, 0, err
	}
	if err := b.await(n); err != nil {
		return 0, 0, err
	}
	begun, err := b.begun()
	if err != nil {
		return 0, 0, err
	}
	return asked, begun[len(begun)-1], nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }
