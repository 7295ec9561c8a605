package main

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// stopName is the file in the state folder that asks the daemon to end: there
// are no signals here that another process could send.
const stopName = "stop"

// signalNumber gives 0: no job is ended by a signal here.
func signalNumber(string) int { return 0 }

// reloads gives no token ever: there is no SIGHUP here.
func reloads() (wake <-chan struct{}, stop func()) { return nil, func() {} }

// resizes gives no token ever: the size is asked for at each frame.
func resizes() (wake <-chan struct{}, stop func()) { return nil, func() {} }

// askToEnd asks the daemon of the state folder to end.
func askToEnd(stateDir string, _ int) error {
	return os.WriteFile(filepath.Join(stateDir, stopName), nil, 0o600)
}

// untilAsked returns a context that also ends when askToEnd was called.
func untilAsked(ctx context.Context, stateDir string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	path := filepath.Join(stateDir, stopName)
	os.Remove(path) // one that came too late for the daemon before
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if os.Remove(path) == nil {
				cancel()
			}
		}
	}()
	return ctx, func() { cancel(); <-done }
}

// isGone gives false: asking is writing a file.
func isGone(error) bool { return false }
