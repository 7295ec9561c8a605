package runner

import (
	"testing"
	"time"
)

func TestNextPause(t *testing.T) {
	const bound = 1 << 20
	for _, tt := range []struct {
		pause time.Duration
		grown int64
		want  time.Duration
	}{
		{trimOften, 0, 2 * trimOften}, {trimSeldom, 0, trimSeldom}, {trimSeldom, bound, trimSeldom / 2},
		{trimOften, bound, trimOften}, {100 * time.Millisecond, bound / 16, 100 * time.Millisecond},
	} {
		if got := nextPause(tt.pause, tt.grown, bound); got != tt.want {
			t.Errorf("after %v and %d bytes: %v, want %v", tt.pause, tt.grown, got, tt.want)
		}
	}
}
