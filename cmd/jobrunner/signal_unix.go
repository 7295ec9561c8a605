//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalNumber gives the number of a signal by its name, 0 if there is none.
func signalNumber(name string) int {
	if n := int(unix.SignalNum(name)); n > 0 {
		return n
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "SIG")) // a real-time signal
	return n
}

// reloads gives a token for each SIGHUP, until stop is called.
func reloads() (wake <-chan struct{}, stop func()) { return tokensOf(syscall.SIGHUP) }

// resizes gives a token each time the terminal gets another size, until stop is
// called.
func resizes() (wake <-chan struct{}, stop func()) { return tokensOf(syscall.SIGWINCH) }

func tokensOf(sig os.Signal) (wake <-chan struct{}, stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, sig)
	tokens, done, ended := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
				select {
				case tokens <- struct{}{}:
				default:
				}
			case <-done:
				return
			}
		}
	}()
	return tokens, func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}

// askToEnd asks the daemon of that pid to end.
func askToEnd(_ string, pid int) error { return unix.Kill(pid, unix.SIGTERM) }

// untilAsked returns ctx: on this system the daemon is asked by a signal.
func untilAsked(ctx context.Context, _ string) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// isGone reports whether a process could not be asked because there is none.
func isGone(err error) bool { return errors.Is(err, unix.ESRCH) }
