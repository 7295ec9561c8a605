//go:build linux

package main

import (
	"flag"
	"time"
)

// options are what the flags say.
type options struct {
	jobs, starts  int
	rounds, width int
	only, systems string
	dir           string
	most          int
	ended         int
	waiting       int
	quiet         time.Duration
	bytes         int64
}

func (o *options) define(flags *flag.FlagSet) {
	flags.StringVar(&o.only, "only", "", "measures by name, with commas between; all if left out")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds; of each figure the median is printed")
	flags.IntVar(&o.width, "width", 2, "jobs at once")
	flags.StringVar(&o.dir, "dir", "", "folder on the file system that is to be measured; a temporary one if left out")
	flags.StringVar(&o.systems, "systems", "", "rate, latency: systems by name, with commas between; all if left out")
	flags.IntVar(&o.jobs, "jobs", 10_000, "rate, rest: jobs a round, where a system takes that many")
	flags.IntVar(&o.starts, "starts", 200, "latency, parts: jobs a round whose way to their start is measured")
	flags.IntVar(&o.most, "most", 100_000, "growth: jobs that wait at the most; such as 1000000")
	flags.IntVar(&o.ended, "ended", 100_000, "startup: jobs that have ended")
	flags.IntVar(&o.waiting, "waiting", 10_000, "startup: jobs that wait")
	flags.DurationVar(&o.quiet, "quiet", 20*time.Second, "rest: how long nothing is done")
	flags.Int64Var(&o.bytes, "bytes", 1<<30, "output: bytes that are written")
}
