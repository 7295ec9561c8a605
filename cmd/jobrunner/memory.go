package main

import (
	"context"
	"os"
	"runtime"
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
	restEvery  = 4 * time.Second
	atRest     = 1 << 20 // bytes; who allocates less in restEvery has nothing to do
)

// footprint is how much memory a process is let take. The percents are the
// collector's: by how much the heap may grow, at the most. Go takes them of 4 MB
// at least.
type footprint struct {
	work, rest int
	shrink     func(context.Context) // gives back what is not on the heap; may be nil
}

// keep bounds the garbage on the heap until ctx ends, unless GOGC does, gives back
// what a burst of work has left free, and at rest all that can be had again.
func (p footprint) keep(ctx context.Context) error {
	percent, bound := p.work, os.Getenv("GOGC") == ""
	if bound {
		defer debug.SetGCPercent(debug.SetGCPercent(percent))
	}
	collected := afterCollection()
	beat := time.After(jobs.UntilBeat(restEvery)) // not anew for each collection
	rests, before := false, uint64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-collected:
			collected = afterCollection()
		case <-beat:
			beat = time.After(jobs.UntilBeat(restEvery))
			h := readHeap()
			rested := rests
			rests, before = h.allocated-before < atRest, h.allocated
			switch {
			case rests && !rested:
				if p.shrink != nil {
					p.shrink(ctx)
				}
				debug.FreeOSMemory()
				unmapProgram()
				before = readHeap().allocated // all that is no work
			case h.live > heapSlack && h.free > heapSlack:
				debug.FreeOSMemory()
			}
		}
		most := p.work
		if rests {
			most = p.rest
		}
		if next := gcPercent(readHeap().live, most); bound && next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
	}
}

// gcPercent is by how many percent the heap may grow when so many bytes live, and
// at most.
func gcPercent(live uint64, most int) int {
	return min(most, max(leastSlack, int(100*heapSlack/max(live, 1))))
}

// afterCollection closes what it returns once the collector has run: it finds a
// block that nobody uses. Smaller ones share a block, which somebody may use.
func afterCollection() <-chan struct{} {
	ran := make(chan struct{})
	runtime.AddCleanup(new([64]byte), func(ran chan struct{}) { close(ran) }, ran)
	return ran
}

// heapUse is what Go says of the heap, in bytes.
type heapUse struct {
	live      uint64 // found in use by the last collection
	free      uint64 // not in use, and not given back
	allocated uint64 // ever
}

func readHeap() heapUse {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return heapUse{live: s[0].Value.Uint64(), free: s[1].Value.Uint64(), allocated: s[2].Value.Uint64()}
}

// keepMemory keeps the daemon's memory small until ctx ends.
func (d *daemon) keepMemory(ctx context.Context) error {
	return footprint{work: 200, rest: 100, shrink: d.shrink}.keep(ctx)
}

// shrink has the database give memory back. If it cannot, nothing is amiss.
func (d *daemon) shrink(ctx context.Context) {
	for _, q := range []*jobs.Queue{d.queue, d.view} {
		if err := q.Shrink(ctx); err != nil {
			d.log.Debug().Err(err).Msg("memory stays in use")
		}
	}
}
