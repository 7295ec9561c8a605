package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Of a long queue the lines' places live on the heap: 45 MB for a million. The
// collector would let the heap grow to twice that before it runs. But they hold
// no pointers, so a run costs no more than with a short queue, and how often it
// must run depends only on by how much the heap may grow until then.
const (
	heapSlack  = 8 << 20 // bytes of garbage; with less that lives Go's own rule, as much again, gives less
	leastSlack = 10      // percent, lest it run all the time
	slackEvery = 5 * time.Second
)

// keepHeap bounds the garbage on the heap until ctx ends, and gives back what a
// burst of work has left free. Who sets GOGC knows better.
func keepHeap(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	percent := 100
	defer func() { debug.SetGCPercent(100) }()
	tick := time.NewTicker(slackEvery)
	defer tick.Stop()
	for {
		metrics.Read(heap)
		live, free := heap[0].Value.Uint64(), heap[1].Value.Uint64()
		if next := gcPercent(live); next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
		if live > heapSlack && free > heapSlack {
			debug.FreeOSMemory()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// gcPercent is by how many percent the heap may grow when so many bytes live.
func gcPercent(live uint64) int {
	return int(min(100, max(leastSlack, 100*heapSlack/max(live, 1))))
}
