package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"jobrunner/jobs"
)

// Of a long queue the lines' places live on the heap: 45 MB for a million. The
// collector would let the heap grow to twice that before it runs. But they hold
// no pointers, so a run costs no more than with a short queue, and how often it
// must run depends only on by how much the heap may grow until then. Where little
// lives, as is the rule, it would run for every 2 MB.
const (
	heapSlack  = 8 << 20 // bytes of garbage
	leastSlack = 10      // percent, lest it run all the time
	mostSlack  = 200     // percent, which Go takes of 4 MB at least
	slackEvery = 5 * time.Second
	atRest     = 1 << 20 // bytes; who allocates less in slackEvery has nothing to do
)

// keepMemory bounds the garbage on the heap until ctx ends, and gives back what a
// burst of work has left free, and at rest all that can be had again. Who sets GOGC
// knows better.
func (d *daemon) keepMemory(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	percent := 100 // Go's own
	defer func() { debug.SetGCPercent(100) }()
	tick := time.NewTicker(slackEvery)
	defer tick.Stop()
	before, rested := uint64(0), false
	for {
		metrics.Read(heap)
		live, free, allocated := heap[0].Value.Uint64(), heap[1].Value.Uint64(), heap[2].Value.Uint64()
		rests := allocated-before < atRest
		next := gcPercent(live)
		if rests {
			next = min(next, 100)
		}
		if next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
		if rests && !rested {
			d.shrink(ctx)
		}
		if rests && !rested || live > heapSlack && free > heapSlack {
			debug.FreeOSMemory()
		}
		before, rested = allocated, rests
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// shrink has the database give memory back. If it cannot, nothing is amiss.
func (d *daemon) shrink(ctx context.Context) {
	for _, q := range []*jobs.Queue{d.queue, d.view} {
		if err := q.Shrink(ctx); err != nil {
			d.log.Debug().Err(err).Msg("memory stays in use")
		}
	}
}

// gcPercent is by how many percent the heap may grow when so many bytes live.
func gcPercent(live uint64) int {
	return int(min(mostSlack, max(leastSlack, 100*heapSlack/max(live, 1))))
}
