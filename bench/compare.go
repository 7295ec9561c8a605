//go:build linux

package main

import (
	"fmt"
	"strings"
)

// comparison is one thing that is measured of every system.
type comparison struct {
	name    string
	words   string
	figures []string // in the order in which they are printed; the first is compared
	jobs    int
	of      func(*system, *bed, int) (figures, error)
}

func (b *bench) rate() error {
	return b.compare(comparison{"rate", "no-op jobs, all given at once", []string{jobsPerSecond, allPerJob, ownPerJob, resident}, b.jobs, rate})
}

func (b *bench) latency() error {
	return b.compare(comparison{"latency", "one job at a time on a system at rest", []string{startMedian, startP95}, b.starts, latency})
}

// compare measures the systems in turn, and prints how they compare.
func (b *bench) compare(c comparison) error {
	t := newTally(c, b.rounds)
	for range b.rounds {
		for _, s := range chosen(b.systems) {
			if why := s.missing(); why != "" {
				t.skip(s, why)
				continue
			}
			place, err := b.lay()
			if err != nil {
				return err
			}
			got, err := c.of(s, place, c.jobs)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			t.note(s, got)
		}
	}
	t.print(b.out)
	return nil
}

// chosen are the systems of those names, in their order.
func chosen(names string) (found []*system) {
	for _, s := range systems {
		if names == "" || strings.Contains(","+names+",", ","+s.name+",") {
			found = append(found, s)
		}
	}
	return found
}
