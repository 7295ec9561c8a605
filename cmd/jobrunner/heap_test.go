package main

import "testing"

func TestGarbageIsBounded(t *testing.T) {
	for live, want := range map[uint64]int{0: 100, 4 << 20: 100, 8 << 20: 100, 16 << 20: 50, 64 << 20: 12, 4 << 30: 10} {
		if got := gcPercent(live); got != want {
			t.Errorf("with %d bytes that live: %d %%, want %d", live, got, want)
		}
	}
}
