//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// soaking reports whether the long versions of the tests are to run: those of
// "make soak", with more rounds and larger numbers.
func soaking() bool { return os.Getenv("JOBRUNNER_SOAK") != "" }

// rounds is how often a test repeats what it tries.
func rounds(short, long int) int {
	if soaking() {
		return long
	}
	return short
}

// seeded gives random numbers for one goroutine. Their seed is logged, and
// JOBRUNNER_SEED sets it, so that a failure can be tried again.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("JOBRUNNER_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("JOBRUNNER_SEED is to be a number: %v", err)
		}
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
