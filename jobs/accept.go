package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Accept takes in everything of an Intake in one transaction and returns one
// Outcome an entry, in their order. What of in was to be filled in (the
// Receipt, each Taken's Job) is filled in then.
//
// An id that is known already is answered with the job it has, and nothing is
// added; only a REJECTED job gives its id up to a new request. An Intake whose
// Receipt was taken before is answered with what was stored then.
func (q *Queue) Accept(ctx context.Context, in Intake) ([]Outcome, error) {
	for i, e := range in.Entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("taking in entry %d: %w", i+1, err)
		}
	}
	var out []Outcome
	var receipt *Receipt
	err := q.write(ctx, func(t *tx) (err error) {
		out, receipt, err = t.accept(in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("taking in %d entries: %w", len(in.Entries), err)
	}
	if receipt != nil {
		*in.Receipt = *receipt
	}
	var taken []*Job
	for i, e := range in.Entries {
		if e.Taken != nil && e.Job != nil {
			e.Taken.Job = e.Job.ID
		}
		if out[i].Job != nil {
			taken = append(taken, out[i].Job)
		}
	}
	// It is committed, so it is no error if only the reasons cannot be read.
	_ = q.explain(context.WithoutCancel(ctx), taken...)
	return out, nil
}

// check finds what only a fault of the caller's can bring about.
func (e Entry) check() error {
	switch {
	case (e.Job == nil) == (e.Command == nil):
		return errors.New("it must be either a job or a command")
	case e.Job == nil:
		return nil
	case e.Job.ID == "" || e.Job.ID != strings.ToLower(e.Job.ID):
		return fmt.Errorf("%q is no id", e.Job.ID)
	case e.Job.State == Running || !slices.Contains(States, e.Job.State):
		return fmt.Errorf("a job cannot begin as %q", e.Job.State)
	}
	return nil
}

func (t *tx) accept(in Intake) ([]Outcome, *Receipt, error) {
	if in.Receipt != nil {
		old, err := t.receipt("id = ?", in.Receipt.ID)
		if err == nil {
			out, err := t.replay(in, old)
			return out, old, err
		}
		if !errors.Is(err, ErrNotFound) {
			return nil, nil, err
		}
	}
	out := make([]Outcome, len(in.Entries))
	for i, e := range in.Entries {
		var err error
		var job string
		if e.Command != nil {
			out[i], err = t.execute(*e.Command)
		} else {
			job = e.Job.ID
			out[i], err = t.take(e)
		}
		if err == nil && e.Taken != nil {
			line := *e.Taken
			line.Job = job
			err = t.putTaken(line)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if in.Mark != nil {
		if err := t.putMark(*in.Mark); err != nil {
			return nil, nil, err
		}
	}
	if in.Receipt == nil {
		return out, nil, nil
	}
	r := fillReceipt(*in.Receipt, in.Entries, out, t.now)
	return out, &r, t.putReceipt(r)
}

// replay answers an Intake that was committed before: its taker crashed
// before it could note that.
func (t *tx) replay(in Intake, r *Receipt) ([]Outcome, error) {
	out := make([]Outcome, len(in.Entries))
	for i, e := range in.Entries {
		if e.Command != nil {
			out[i] = Outcome{Jobs: r.Jobs, State: r.State, Reason: r.Reason}
			continue
		}
		j, err := t.job(e.Job.ID)
		if errors.Is(err, ErrNotFound) && i < len(r.Jobs) {
			j, err = t.job(r.Jobs[i])
		}
		if err != nil {
			return nil, fmt.Errorf("job %s of receipt %s: %w", e.Job.ID, r.ID, err)
		}
		out[i] = Outcome{Job: j, Known: true}
	}
	return out, nil
}

// take adds one job, unless its id is known.
func (t *tx) take(e Entry) (Outcome, error) {
	j := fresh(e.Job, t.now)
	added, err := t.insert(j)
	if err != nil {
		return Outcome{}, err
	}
	if !added {
		known, err := t.job(j.ID)
		if err != nil {
			return Outcome{}, err
		}
		if !replaces(known, j) {
			return Outcome{Job: known, Known: true, Warning: difference(known, j, e.Taken != nil)}, nil
		}
		j.Attempt = 1
		if _, err := t.change("DELETE FROM jobs WHERE id = ? AND state = 'REJECTED'", j.ID); err != nil {
			return Outcome{}, err
		}
		if _, err := t.insert(j); err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{Job: j}, t.event(j.ID, EventAccepted, j.State, j.Reason)
}

// insert adds j, gives it its Seq, and reports false if its id is taken.
func (t *tx) insert(j *Job) (bool, error) {
	wrote := t.wrote
	res, err := t.exec(insertJob, jobValues(j)...)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		t.wrote = wrote
		return false, err
	}
	j.Seq, err = res.LastInsertId()
	return true, err
}

// fresh is j as it enters the queue: times as they are stored, and nothing
// known of a run that has not been.
func fresh(from *Job, now time.Time) *Job {
	j := *from
	j.Seq = 0
	j.Attempt = max(j.Attempt, 1)
	if j.SubmittedAt.IsZero() {
		j.SubmittedAt = now
	}
	j.SubmittedAt = fromMillis(toMillis(j.SubmittedAt))
	j.StartedAt = fromMillis(toMillis(j.StartedAt))
	j.FinishedAt = time.Time{} // of history it is not known
	if j.State == Rejected {
		j.FinishedAt = j.SubmittedAt
	}
	j.PID, j.Process, j.Instance, j.EndReason = 0, ProcessID{}, "", ""
	if j.State == Pending {
		j.Reason, j.StartedAt = "", time.Time{}
		j.ExitCode, j.Signal, j.Node, j.Command, j.Log = nil, "", "", nil, ""
	} else {
		j.Doubt = false
	}
	return &j
}

// replaces reports whether j takes over the id of the known job: that was
// REJECTED, and j is a new try, be it one that is REJECTED for another reason.
func replaces(known, j *Job) bool {
	if known.State != Rejected {
		return false
	}
	return j.State == Pending || j.State == Rejected && j.Reason != "" && j.Reason != known.Reason
}

// difference says in words in what j, whose id is known, differs from the job
// of that id; "" if in nothing. A line bears no more than type and arguments.
func difference(known, j *Job, line bool) string {
	if j.State == Rejected {
		if known.State == Rejected {
			return ""
		}
		return fmt.Sprintf("id %s is known already; what came now is bad: %s", shortID(j.ID), j.Reason)
	}
	var other []string
	add := func(name string, differs bool) {
		if differs {
			other = append(other, name)
		}
	}
	add("type", known.Type != j.Type)
	add("target", known.Target != j.Target)
	add("args", !slices.Equal(known.Args, j.Args))
	if !line {
		add("name", known.Name != j.Name)
		add("priority", known.Priority != j.Priority)
		add("timeout", known.Timeout != j.Timeout)
		add("workdir", known.Workdir != j.Workdir)
		add("env", packMap(known.Env) != packMap(j.Env))
		add("labels", packMap(known.Labels) != packMap(j.Labels))
	}
	if len(other) == 0 {
		return ""
	}
	return fmt.Sprintf("id %s is known already, with other %s", shortID(j.ID), strings.Join(other, ", "))
}

// shortID is an id as it stands in a reason.
func shortID(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}
