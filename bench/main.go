//go:build linux

package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// bench is one run of this program.
type bench struct {
	options
	out     io.Writer
	home    string // a folder for all that it makes
	job     string // the program of the jobs
	program string // jobrunner
}

// measure is one thing that can be measured.
type measure struct {
	name string
	take func(*bench) error
}

// measures are all of them, in their order.
var measures = []measure{
	{"rate", (*bench).rate},
	{"latency", (*bench).latency},
	{"parts", (*bench).parts},
	{"growth", (*bench).growth},
	{"startup", (*bench).startup},
	{"rest", (*bench).rest},
	{"output", (*bench).output},
}

func main() {
	if err := measureAll(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measureAll takes the measures that the flags ask for and prints the results.
func measureAll(out io.Writer, args []string) error {
	b := &bench{out: out}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	b.define(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	asked, err := b.asked()
	if err != nil {
		return err
	}
	if b.home, err = os.MkdirTemp(b.dir, "jobrunner-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.home)
	if b.job, b.program, err = build(b.home); err != nil {
		return err
	}
	if err := adopt(); err != nil {
		return err
	}
	describe(out)
	for _, m := range asked {
		if err := m.take(b); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// asked are the measures that -only names, with commas between; all if it does not.
func (b *bench) asked() (found []measure, err error) {
	if b.only == "" {
		return measures, nil
	}
	for name := range strings.SplitSeq(b.only, ",") {
		at := slices.IndexFunc(measures, func(m measure) bool { return m.name == name })
		if at < 0 {
			return nil, fmt.Errorf("-only: there is no measure %q", name)
		}
		found = append(found, measures[at])
	}
	return found, nil
}
