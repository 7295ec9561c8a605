//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"jobrunner/jobs"
)

// Names of figures of startup.
const (
	firstStart = "ms to the first job"
	readyAfter = "ms to /readyz 200"
	startPeak  = "MB resident, most"
)

// startup measures how soon a daemon works that finds many jobs.
func (b *bench) startup() error {
	place, err := b.lay()
	if err != nil {
		return err
	}
	if err := b.inherit(place); err != nil {
		return err
	}
	t := &table{
		title: fmt.Sprintf("startup: from exec of a daemon that finds jobs, with no supervisor; medians of %d rounds", b.rounds),
		first: "jobs", figures: []string{firstStart, readyAfter, restMemory, startPeak},
	}
	for range b.rounds {
		f, err := place.startOnce()
		if err != nil {
			return err
		}
		t.note(thousands(b.ended)+" ended, "+thousands(b.waiting)+" waiting", f)
	}
	t.print(b.out)
	_, err = reap()
	return errors.Join(err, os.RemoveAll(place.dir))
}

// inherit makes the state that daemons are to find: jobs that have ended, and
// lines that a paused daemon has taken in, of jobs that stay until they are ended,
// so that a round leaves nearly all of them to the next.
func (b *bench) inherit(place *bed) error {
	if err := place.configure("unix:" + place.page()); err != nil {
		return err
	}
	err := place.withQueue(func(q *jobs.Queue) error {
		return errors.Join(place.past(q, b.ended), brake(q, jobs.Pause))
	})
	if err != nil {
		return err
	}
	j, err := place.serve()
	if err != nil {
		return err
	}
	if err = j.append("stay", b.waiting); err == nil {
		err = j.shown(b.waiting)
	}
	if err = errors.Join(err, j.close()); err != nil {
		return err
	}
	return place.withQueue(func(q *jobs.Queue) error { return brake(q, jobs.Resume) })
}

// startOnce starts a daemon until it is ready and a job has begun, and ends both.
func (b *bed) startOnce() (figures, error) {
	if _, err := reap(); err != nil { // the supervisor of the round before
		return nil, err
	}
	if err := os.WriteFile(b.trace, nil, 0o600); err != nil {
		return nil, err
	}
	began := monotonic()
	j, err := b.serve()
	if err != nil {
		return nil, err
	}
	f, err := j.watchStart(began)
	return f, errors.Join(err, j.close())
}

func (j *jobrunner) watchStart(began time.Duration) (figures, error) {
	ready := make(chan error, 1)
	var readyAt time.Duration
	go func() {
		err := j.bed.awaitReady()
		readyAt = monotonic()
		ready <- err
	}()
	if err := errors.Join(j.bed.await(1), <-ready); err != nil {
		return nil, fmt.Errorf("%w; the daemon says\n%s", err, j.log.Bytes())
	}
	begun, err := j.bed.begun()
	if err != nil {
		return nil, err
	}
	daemon := []int{j.daemon.Process.Pid}
	if err := rested(daemon); err != nil {
		return nil, err
	}
	return figures{
		firstStart: milliseconds(begun[0] - began),
		readyAfter: milliseconds(readyAt - began),
		restMemory: float64(memory(daemon)) / 1e6,
		startPeak:  float64(sum(daemon, "status", "VmHWM")) / 1e6,
	}, nil
}

// awaitReady blocks until the page says that requests are taken.
func (b *bed) awaitReady() error {
	var dialer net.Dialer
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, "unix", b.page())
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Second}
	var last error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		answer, err := client.Get("http://localhost/readyz")
		if err != nil {
			last = err
			continue
		}
		words, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		last = fmt.Errorf("it answers %s: %s", answer.Status, words)
	}
	return fmt.Errorf("the daemon is not ready after two minutes: %w", last)
}
