package jobs_test

import (
	"testing"

	"jobrunner/jobs"
)

func TestExactSize(t *testing.T) {
	for n, want := range map[int64]string{
		4 << 30: "4GiB", 1536 << 20: "1536MiB", 10_000_000_000: "10GB", 64 << 10: "64KiB", 1001: "1001 bytes", 3000: "3kB",
		5 << 50: "5120TiB", 1_500_000: "1500kB",
	} {
		if got := jobs.ExactSize(n); got != want {
			t.Errorf("ExactSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestRoughSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1023: "1023 bytes", 1024: "1.0 KiB", 3250585: "3.1 MiB", 5 << 40: "5.0 TiB"} {
		if got := jobs.RoughSize(n); got != want {
			t.Errorf("RoughSize(%d) = %q, want %q", n, got, want)
		}
	}
}
