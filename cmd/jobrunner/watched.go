package main

import (
	"context"
	"errors"

	"jobrunner/jobs"
)

// watched are jobs whose ends are waited for. One that was seen to have ended
// counts as that, whatever becomes of it later.
type watched struct {
	c     *client
	pulse *pulse
	named []*named             // as they were asked for
	open  map[string]*jobs.Job // those that have not ended, by id
	seen  int64                // the last event that was looked at
	ended []*jobs.Job          // in the order in which they were seen to have ended
}

// watch begins to watch what words name, each job once.
func (c *client) watch(ctx context.Context, words []string) (*watched, error) {
	w := &watched{c: c, pulse: newPulse(c.database()), open: map[string]*jobs.Job{}}
	if c.queue != nil { // without one nothing can be named
		var err error
		if w.seen, err = c.queue.LastEvent(ctx); err != nil {
			return nil, err
		}
	}
	known := map[string]*jobs.Job{}
	for _, word := range words {
		n, err := c.named(ctx, word)
		if err != nil {
			return nil, err
		}
		for i, j := range n.jobs {
			if known[j.ID] != nil {
				n.jobs[i] = known[j.ID]
				continue
			}
			known[j.ID] = j
			w.note(j)
		}
		w.named = append(w.named, n)
	}
	return w, nil
}

func (w *watched) note(j *jobs.Job) {
	if j.State.Ended() {
		delete(w.open, j.ID)
		w.ended = append(w.ended, j)
	} else {
		w.open[j.ID] = j
	}
}

func (w *watched) allEnded() bool { return len(w.open) == 0 }

// all gives the jobs as they are, each once, in the order in which they were
// named.
func (w *watched) all() []*jobs.Job {
	var all []*jobs.Job
	seen := map[string]bool{}
	for _, n := range w.named {
		for _, j := range n.jobs {
			if !seen[j.ID] {
				seen[j.ID] = true
				all = append(all, j)
			}
		}
	}
	return all
}

// next waits until something may have happened and takes it in. It reads the
// jobs of which events tell, so that a sweep of thousands costs no more than
// what changes.
func (w *watched) next(ctx context.Context) error {
	if err := w.pulse.wait(ctx); err != nil {
		return err
	}
	const some = 1000
	for {
		events, err := w.c.queue.Events(ctx, w.seen, some)
		if err != nil {
			return err
		}
		for _, e := range events {
			w.seen = e.ID
			if err := w.look(ctx, e.Job); err != nil {
				return err
			}
		}
		if len(events) < some {
			return nil
		}
	}
}

// look reads a job of which an event tells, if it is one that is waited for.
func (w *watched) look(ctx context.Context, id string) error {
	j := w.open[id]
	if j == nil {
		return nil
	}
	now, err := w.c.queue.Job(ctx, id)
	var gone *jobs.PrunedError
	if errors.As(err, &gone) { // it has ended, and more than that is not known
		now, err = gone.Job(), nil
	}
	if errors.Is(err, jobs.ErrNotFound) {
		return noJob(short(id), "it was there a moment ago")
	}
	if err != nil {
		return err
	}
	*j = *now
	w.note(j)
	return nil
}
