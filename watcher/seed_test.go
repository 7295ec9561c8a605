package watcher

import (
	"math/rand"
	"os"
	"strconv"
	"testing"
	"time"
)

// soaking reports whether tests are to run for long: JOBRUNNER_SOAK=1.
func soaking() bool { return os.Getenv("JOBRUNNER_SOAK") == "1" }

// seeded gives random numbers that JOBRUNNER_SEED repeats.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed, err := strconv.ParseInt(os.Getenv("JOBRUNNER_SEED"), 10, 64)
	if err != nil {
		seed = time.Now().UnixNano()
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewSource(seed))
}
