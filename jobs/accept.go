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
// added; only a REJECTED job gives its id up to a new request. Likewise while
// an unfinished job bears the UniqueKey of a new one. An Intake whose Receipt
// was taken before is answered with what was stored then.
//
// If an entry cannot be taken, as it waits for what is not known, nothing is:
// the error is a *RefusedError, or a *FullError if too many jobs wait already.
// If the schedule of its Firing no longer stands at Due nothing is done, and
// there are neither Outcomes nor an error.
func (q *Queue) Accept(ctx context.Context, in Intake) ([]Outcome, error) {
	for i, e := range in.Entries {
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("taking in entry %d: %w", i+1, err)
		}
	}
	hashes := q.scriptHashes(ctx, in.commands()...)
	var a accepted
	err := q.write(ctx, func(t *tx) (err error) {
		a, err = t.accept(in, hashes)
		return err
	})
	switch {
	case errors.Is(err, errTakenBack) && a.full != nil:
		return nil, a.full
	case errors.Is(err, errTakenBack):
		return nil, a.refused
	case err != nil:
		return nil, fmt.Errorf("taking in %d entries: %w", len(in.Entries), err)
	case a.out == nil:
		return nil, nil
	}
	if a.receipt != nil {
		*in.Receipt = *a.receipt
	}
	var taken []*Job
	for i, e := range in.Entries {
		if e.Taken != nil && e.Job != nil {
			e.Taken.Job = a.out[i].Job.ID
		}
		if a.out[i].Job != nil {
			taken = append(taken, a.out[i].Job)
		}
	}
	// It is committed, so it is no error if only the reasons cannot be read.
	_ = q.explain(context.WithoutCancel(ctx), taken...)
	return a.out, nil
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

// accepted is what became of an Intake.
type accepted struct {
	out     []Outcome // nil if its Firing came too late
	receipt *Receipt
	refused *RefusedError // it is to be taken back
	full    *FullError    // likewise
}

func (t *tx) accept(in Intake, hashes map[string]string) (accepted, error) {
	if in.Receipt != nil {
		old, err := t.receipt("id = ?", in.Receipt.ID)
		if err == nil {
			out, err := t.replay(in, old)
			return accepted{out: out, receipt: old}, err
		}
		if !errors.Is(err, ErrNotFound) {
			return accepted{}, err
		}
	}
	a, err := t.takeAll(in, hashes)
	if err == nil && (a.refused != nil || a.full != nil) {
		err = errTakenBack
	}
	return a, err
}

// takeAll takes in everything of an Intake that is new.
func (t *tx) takeAll(in Intake, hashes map[string]string) (accepted, error) {
	t.sweeps = nil // an Intake before it in the transaction may have made them
	if in.Firing != nil {
		if stands, err := t.fire(*in.Firing); err != nil || !stands {
			return accepted{}, err
		}
	}
	room, err := t.room(in)
	if err != nil {
		return accepted{}, err
	}
	out := make([]Outcome, len(in.Entries))
	for i, e := range in.Entries {
		var full *FullError
		if e.Command != nil {
			out[i], err = t.carryOut(*e.Command, in, hashes)
		} else {
			out[i], err = t.takeNew(e)
		}
		if err == nil && e.Taken != nil {
			line := *e.Taken
			if line.Job = ""; e.Job != nil {
				line.Job = out[i].Job.ID
			}
			err = t.putTaken(line)
		}
		if err == nil {
			full, err = room.full()
		}
		if err != nil || full != nil {
			return accepted{full: full}, err
		}
	}
	refused := refusePruned(in, out)
	if refused == nil {
		refused, err = t.depend(in, out)
	}
	if err != nil || refused != nil {
		return accepted{refused: refused}, err
	}
	if err := t.refresh(in, out); err != nil {
		return accepted{}, err
	}
	a := accepted{out: out}
	a.receipt, err = t.putOrigin(in, out)
	return a, err
}

// putOrigin stores what an Intake came from, so that it is not taken again.
func (t *tx) putOrigin(in Intake, out []Outcome) (*Receipt, error) {
	if in.Firing != nil {
		if err := t.fired(*in.Firing, out); err != nil {
			return nil, err
		}
	}
	if in.Mark != nil {
		if err := t.putMark(*in.Mark); err != nil {
			return nil, err
		}
	}
	if in.Receipt == nil {
		return nil, nil
	}
	r := fillReceipt(*in.Receipt, in.Entries, out, t.now)
	return &r, t.putReceipt(r)
}

// refresh reads again the jobs that a later entry has changed.
func (t *tx) refresh(in Intake, out []Outcome) error {
	changes := func(e Entry) bool { return e.Command != nil || len(e.Waits) > 0 || e.Job.UniqueKey != "" }
	if !slices.ContainsFunc(in.Entries, changes) {
		return nil
	}
	for i, o := range out {
		if o.Job == nil || o.pruned != nil {
			continue
		}
		var state string
		var attempt, unmet int
		var hold bool
		err := t.row("SELECT state, attempt, hold, unmet FROM jobs WHERE id = ?", []any{o.Job.ID},
			&state, &attempt, &hold, &unmet)
		was := o.Job
		if err == nil && (State(state) != was.State || attempt != was.Attempt || hold != was.Hold || unmet != was.Unmet) {
			out[i].Job, err = t.job(was.ID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// commands are those among the entries.
func (in Intake) commands() []Command {
	var list []Command
	for _, e := range in.Entries {
		if e.Command != nil {
			list = append(list, *e.Command)
		}
	}
	return list
}

// source is what a job is said to come from that a command of the Intake makes;
// "" if that is not known.
func (in Intake) source(c Command) string {
	switch {
	case in.Receipt != nil:
		return "inbox:" + in.Receipt.Name
	case in.Mark != nil && c.At.File != "":
		return "queue:" + c.At.File
	}
	return ""
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
		if errors.Is(err, ErrNotFound) {
			j, err = t.answered(e.Job.UniqueKey, i, r.Jobs)
		}
		if errors.Is(err, ErrNotFound) {
			j, err = t.remains(e.Job.ID)
		}
		if err != nil {
			return nil, fmt.Errorf("job %s of receipt %s: %w", e.Job.ID, r.ID, err)
		}
		out[i] = Outcome{Job: j, Known: true}
	}
	return out, nil
}

// answered gives the job that stood for the n-th entry of a receipt: the one of
// its key. Those of commands stand among them too, so its place says little.
func (t *tx) answered(key string, n int, ids []string) (*Job, error) {
	for _, id := range ids {
		j, err := t.job(id)
		if err == nil && key != "" && j.UniqueKey == key {
			return j, nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, ErrNotFound
	}
	return t.job(ids[min(n, len(ids)-1)])
}

// take adds one job, unless its id is known or its key is borne.
func (t *tx) take(e Entry) (Outcome, error) {
	j := fresh(e.Job, t.now)
	if answer, err := t.answerBySweep(j); err != nil || answer.Job != nil {
		return answer, err
	}
	if j.UniqueKey != "" && j.State == Pending {
		answer, err := t.answerByKey(j, e)
		if err != nil || answer.Job != nil {
			return answer, err
		}
	}
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
			return t.known(known, j, e)
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
	if j.State == Pending {
		t.added++
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
	j.After, j.AfterAny, j.Unmet = nil, nil, 0 // that is what Waits are for
	j.ScriptNoted, j.Slots, j.Limits, j.RunAs, j.Retried, j.Past = "", nil, "", "", 0, nil
	j.NotBefore, j.Due = fromMillis(toMillis(j.NotBefore)), time.Time{}
	if j.State == Pending {
		j.Reason, j.StartedAt = "", time.Time{}
		j.ExitCode, j.Signal, j.Node, j.Command, j.Log = nil, "", "", nil, ""
		if j.NotBefore.After(now) {
			j.Due = j.NotBefore
		}
	} else {
		j.Doubt, j.Hold = false, false
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

// shortID is an id as it stands in a reason.
func shortID(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}
