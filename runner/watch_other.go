//go:build !linux

package runner

import (
	"context"
	"time"

	"jobrunner/jobs"
)

// handle is a process known by its identity only: this system does not tell a
// stranger how it ended.
type handle struct{ process jobs.ProcessID }

func openHandle(p jobs.ProcessID) (*handle, bool) {
	return &handle{process: p}, present(p)
}

// wait returns when the process has ended; false if ctx ended first.
func (h *handle) wait(ctx context.Context) (exitStatus, bool) {
	for present(h.process) {
		if !pause(ctx, orphanPoll) {
			return exitStatus{}, false
		}
	}
	return exitStatus{At: time.Now()}, true
}

func (h *handle) close() {}
