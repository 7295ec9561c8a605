package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestGarbageIsBounded(t *testing.T) {
	for live, want := range map[uint64]int{0: 200, 4 << 20: 200, 8 << 20: 100, 16 << 20: 50, 64 << 20: 12, 4 << 30: 10} {
		if got := gcPercent(live); got != want {
			t.Errorf("with %d bytes that live: %d %%, want %d", live, got, want)
		}
	}
}

// Go itself lets the heap grow by no more, however little or much lives.
func TestHeapGoal(t *testing.T) {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, size := range []int{0, 3 << 20, 12 << 20, 40 << 20} {
		ballast := make([]byte, size)
		runtime.GC()
		metrics.Read(heap)
		debug.SetGCPercent(gcPercent(heap[0].Value.Uint64()))
		metrics.Read(heap)
		live, goal := heap[0].Value.Uint64(), heap[1].Value.Uint64()
		if most := live + heapSlack + 1<<20; goal > most { // it counts stacks too
			t.Errorf("with %d bytes that live the heap may grow to %d, want at most %d", live, goal, most)
		}
		runtime.KeepAlive(ballast)
	}
}
