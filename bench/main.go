//go:build linux

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// measure is one thing that is measured of every system.
type measure struct {
	name    string
	words   string
	figures []string // in the order in which they are printed; the first is compared
	jobs    int
	of      func(*system, *bed, int) (figures, error)
}

func measures(jobs, starts int) []measure {
	return []measure{
		{"rate", "no-op jobs, all given at once", []string{jobsPerSecond, allPerJob, ownPerJob, resident}, jobs, rate},
		{"latency", "one job at a time on a system at rest", []string{startMedian, startP95}, starts, latency},
	}
}

func main() {
	if err := compare(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// compare runs what the flags ask for and prints the results.
func compare(out io.Writer, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	jobs := flags.Int("jobs", 10_000, "jobs a round, where a system takes that many")
	starts := flags.Int("starts", 200, "jobs a round whose way to their start is measured")
	rounds := flags.Int("rounds", 5, "rounds; of each figure the median is printed")
	width := flags.Int("width", 2, "jobs at once")
	only := flags.String("only", "", "one measure: rate or latency")
	names := flags.String("systems", "", "systems by name, with commas between; all if left out")
	dir := flags.String("dir", "", "folder on the file system that is to be measured; a temporary one if left out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	home, err := os.MkdirTemp(*dir, "jobrunner-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	job, program, err := build(home)
	if err != nil {
		return err
	}
	if err := adopt(); err != nil {
		return err
	}
	describe(out)
	for _, m := range measures(*jobs, *starts) {
		if *only != "" && *only != m.name {
			continue
		}
		t := newTally(m, *rounds)
		for range *rounds {
			for _, s := range chosen(*names) {
				if why := s.missing(); why != "" {
					t.skip(s, why)
					continue
				}
				b, err := lay(home, job, program, *width)
				if err != nil {
					return err
				}
				got, err := m.of(s, b, m.jobs)
				if err != nil {
					return fmt.Errorf("%s of %s: %w", m.name, s.name, err)
				}
				t.note(s, got)
			}
		}
		t.print(out)
	}
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
