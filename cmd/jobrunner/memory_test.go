package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGarbageIsBounded(t *testing.T) {
	for live, want := range map[uint64]int{0: 200, 4 << 20: 200, 8 << 20: 100, 16 << 20: 50, 64 << 20: 12, 4 << 30: 10} {
		if got := gcPercent(live, 200); got != want {
			t.Errorf("with %d bytes that live: %d %%, want %d", live, got, want)
		}
	}
}

// Go itself lets the heap grow by no more, however little or much lives, and from
// the next collection on.
func TestHeapGoal(t *testing.T) {
	t.Setenv("GOGC", "")
	ctx, cancel := context.WithCancel(t.Context())
	kept := make(chan error)
	go func() { kept <- footprint{work: 200, rest: 100}.keep(ctx) }()
	defer func() { cancel(); <-kept }()
	for _, size := range []int{0, 3 << 20, 12 << 20, 40 << 20} {
		ballast := make([]byte, size)
		runtime.GC()
		var live, goal, most uint64
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			live, goal = readHeap().live, heapGoal()
			if most = live + heapSlack + 1<<20; goal <= most { // it counts stacks too
				break
			}
		}
		if goal > most {
			t.Errorf("with %d bytes that live the heap may grow to %d, want at most %d", live, goal, most)
		}
		runtime.KeepAlive(ballast)
	}
}

// What is set once nothing is kept any more is what was set before.
func TestFootprintIsPutBack(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (footprint{work: 50, rest: 50}).keep(ctx); err != nil {
		t.Error(err)
	}
	if got := debug.SetGCPercent(77); got != 77 {
		t.Errorf("the collector is left at %d %%, want 77", got)
	}
}

func heapGoal() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
