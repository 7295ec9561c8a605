//go:build linux

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// batch is how many jobs of the past are written in a transaction.
const batch = 5000

// withQueue has do change the bed's database, while no daemon has it.
func (b *bed) withQueue(do func(*jobs.Queue) error) error {
	state := filepath.Join(b.dir, ".jobrunner")
	if err := os.MkdirAll(filepath.Join(state, "logs"), 0o700); err != nil {
		return err
	}
	q, err := jobs.Open(filepath.Join(state, "jobs.db"))
	if err != nil {
		return err
	}
	return errors.Join(do(q), q.Close())
}

// past makes n jobs that have run, in the way in which a daemon writes them down,
// only more of them at once: each was taken in, begun, and has ended, and has an
// empty log.
func (b *bed) past(q *jobs.Queue, n int) error {
	for n > 0 {
		size := min(n, batch)
		n -= size
		if err := b.endBatch(q, size); err != nil {
			return err
		}
	}
	return nil
}

func (b *bed) endBatch(q *jobs.Queue, n int) error {
	ctx := context.Background()
	var in jobs.Intake
	var starts []jobs.Start
	var ends []jobs.Finish
	code := 0
	for range n {
		id := uuid.NewString()
		log := filepath.Join("logs", id+".log")
		if err := os.WriteFile(filepath.Join(b.dir, ".jobrunner", log), nil, 0o600); err != nil {
			return err
		}
		in.Entries = append(in.Entries, jobs.Entry{Job: &jobs.Job{ID: id, Type: "job", Target: "job",
			Source: "queue:job_queue.txt", State: jobs.Pending, Attempt: 1, SubmittedAt: time.Now()}})
		starts = append(starts, jobs.Start{ID: id, Attempt: 1, Instance: "past"})
		ends = append(ends, jobs.Finish{ID: id, Attempt: 1,
			Start:  &jobs.StartInfo{Command: []string{b.job, b.trace}, Log: log},
			Ending: jobs.Ending{State: jobs.Completed, Reason: "exit 0", ExitCode: &code}})
	}
	if _, err := q.Accept(ctx, in); err != nil {
		return err
	}
	if _, err := q.Begin(ctx, starts); err != nil {
		return err
	}
	_, _, err := q.Turn(ctx, ends, func(jobs.NextFunc) ([]jobs.Start, error) { return nil, nil })
	return err
}

// brake pauses or resumes the queue while no daemon runs.
func brake(q *jobs.Queue, action jobs.Action) error {
	_, err := q.Execute(context.Background(), jobs.Command{Action: action})
	return err
}
