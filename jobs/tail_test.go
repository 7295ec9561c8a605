package jobs_test

import (
	"strings"
	"testing"

	"jobrunner/jobs"
)

func TestTailOffset(t *testing.T) {
	big := strings.Repeat("0123456789abcde\n", 10_000) // 160,000 bytes: several blocks
	tests := []struct {
		in   string
		n    int
		want int64
	}{
		{"", 5, 0}, {"a", 0, 1}, {"a", 1, 0}, {"a\n", 1, 0}, {"a\nb", 1, 2}, {"a\nb\n", 1, 2}, {"a\nb\n", 2, 0},
		{"a\nb\n", 3, 0}, {"a\n\n", 1, 2}, {"\n\n\n", 2, 1}, {"\n", 1, 0},
		{big, 1, 160_000 - 16}, {big, 9_000, 16_000}, {big, 10_000, 0}, {big, 4096, 160_000 - 65536}, {big, 4097, 160_000 - 65536 - 16},
	}
	for _, tt := range tests {
		got, err := jobs.TailOffset(strings.NewReader(tt.in), int64(len(tt.in)), tt.n)
		if err != nil || got != tt.want {
			t.Errorf("TailOffset(%.20q…, %d) = %d, %v; want %d", tt.in, tt.n, got, err, tt.want)
		}
	}
}
