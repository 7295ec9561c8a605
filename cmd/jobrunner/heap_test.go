package main

import "testing"

func TestGarbageIsBounded(t *testing.T) {
	for live, want := range map[uint64][2]int{
		0: {400, 50}, 4 << 20: {200, 50}, 8 << 20: {100, 50}, 16 << 20: {50, 50}, 64 << 20: {12, 12}, 4 << 30: {10, 10},
	} {
		if got := [2]int{gcPercent(live, false), gcPercent(live, true)}; got != want {
			t.Errorf("with %d bytes that live: %d %% at work and at rest, want %d", live, got, want)
		}
	}
}
