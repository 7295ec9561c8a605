//go:build !linux

package runner

import (
	"os"
	"time"
)

// suspendTimer is nil: no timer here counts suspend.
func suspendTimer(time.Duration) *os.File { return nil }
