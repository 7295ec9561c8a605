package jobs

import (
	"context"
	"fmt"
	"os"
	"sync"
)

// (An IN of both types would make a table of them each time.)
const begin = `UPDATE jobs SET state = 'RUNNING', reason = '', instance = ?, started_at = ?, node = ?, slots = ?
	WHERE id = ? AND state = 'PENDING' AND attempt = ? AND doubt = 0 AND hold = 0 AND unmet = 0 AND due = 0
	AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.type = '') AND NOT EXISTS (SELECT 1 FROM pauses p WHERE p.type = jobs.type)
	AND NOT EXISTS (SELECT 1 FROM meta WHERE key = '` + drainKey + `')`

// Begin takes jobs from PENDING to RUNNING before their supervisor is asked
// to start them: those that still wait, at that attempt, and that nothing which
// is known here keeps from starting. It returns the jobs that it took, in the
// order of starts.
func (q *Queue) Begin(ctx context.Context, starts []Start) ([]*Job, error) {
	var begun []*Job
	err := q.write(ctx, func(t *tx) (err error) {
		begun, err = t.begin(starts, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("beginning %d jobs: %w", len(starts), err)
	}
	return begun, nil
}

// begin is Begin; read are jobs that were read before in this transaction, by id.
func (t *tx) begin(starts []Start, read map[string]*Job) (begun []*Job, err error) {
	node := nodeName()
	for _, s := range starts {
		ok, err := t.change(begin, s.Instance, toMillis(t.now), node, packSlots(s.Slots), s.ID, s.Attempt)
		if err == nil && ok {
			err = t.event(s.ID, EventStarting, Running, "")
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		j := read[s.ID]
		if j == nil {
			if j, err = t.job(s.ID); err != nil {
				return nil, err
			}
		} else {
			j.State, j.Reason, j.Instance, j.Node, j.Slots = Running, "", s.Instance, node, s.Slots
			j.StartedAt = fromMillis(toMillis(t.now))
		}
		begun = append(begun, j)
	}
	return begun, nil
}

// nodeName is the name of this machine, which may have none.
var nodeName = sync.OnceValue(func() string {
	name, _ := os.Hostname()
	return name
})

// Started notes the process of a RUNNING job. It reports false, and changes
// nothing, if the job is not RUNNING at that attempt or its process is known.
func (q *Queue) Started(ctx context.Context, id string, attempt int, s StartInfo) (bool, error) {
	var changed bool
	err := q.write(ctx, func(t *tx) (err error) {
		changed, err = t.started(id, attempt, s)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("noting the start of job %s: %w", id, err)
	}
	return changed, nil
}

func (t *tx) started(id string, attempt int, s StartInfo) (bool, error) {
	changed, err := t.change(`UPDATE jobs SET pid = ?, proc_start = ?, proc_boot = ?, command = ?, log = ?, limits = ?,
		run_as = ?, script_noted = ?, started_at = ifnull(?, started_at)
		WHERE id = ? AND state = 'RUNNING' AND attempt = ? AND pid = 0`,
		s.Process.PID, s.Process.Start, s.Process.Boot, packList(s.Command), s.Log, s.Limits, s.RunAs, s.Script,
		s.at(), id, attempt)
	if err != nil || !changed {
		return false, err
	}
	return true, t.event(id, EventStarted, Running, s.words())
}

// Unbegin takes a RUNNING job back to PENDING, because it is known that this
// attempt never ran. One that is being cancelled becomes CANCELLED instead:
// whoever cancelled it was told that it will be.
func (q *Queue) Unbegin(ctx context.Context, id string, attempt int) (bool, error) {
	var changed bool
	err := q.write(ctx, func(t *tx) error {
		changed = false
		var ended string
		err := t.row("SELECT end_reason FROM jobs WHERE id = ? AND state = 'RUNNING' AND attempt = ?",
			[]any{id, attempt}, &ended)
		if err != nil {
			if err == ErrNotFound {
				err = nil
			}
			return err
		}
		to, kind, reason, finished := Pending, EventReturned, "", int64(0)
		if EndReason(ended) == EndCancel {
			to, kind, reason, finished = Cancelled, EventEnded, cancelledReason, toMillis(t.now)
		}
		changed, err = t.change(`UPDATE jobs SET state = ?, reason = ?, started_at = 0, finished_at = ?, instance = '',
			pid = 0, proc_start = '', proc_boot = '', command = '', log = '', node = '', end_reason = '',
			slots = '', limits = '', run_as = '', script_noted = ''
			WHERE id = ? AND state = 'RUNNING' AND attempt = ?`, string(to), reason, finished, id, attempt)
		if err == nil && changed {
			err = t.event(id, kind, to, reason)
		}
		if err != nil || !changed || to == Pending {
			return err
		}
		return t.settle(over{id, to})
	})
	if err != nil {
		return false, fmt.Errorf("returning job %s: %w", id, err)
	}
	return changed, nil
}

// End takes a RUNNING job to the ended state that e says. With e.RetryAt it
// goes back to PENDING instead, unless it is being cancelled or its retries are
// used up; this attempt is part of its history then.
func (q *Queue) End(ctx context.Context, id string, attempt int, e Ending) (bool, error) {
	if err := e.check(id); err != nil {
		return false, err
	}
	var changed bool
	err := q.write(ctx, func(t *tx) (err error) {
		changed, err = t.finish(Finish{ID: id, Attempt: attempt, Ending: e})
		return err
	})
	if err != nil {
		return false, fmt.Errorf("ending job %s: %w", id, err)
	}
	return changed, nil
}

// check finds what only a fault of the caller's can bring about.
func (e Ending) check(id string) error {
	switch e.State {
	case Completed, Failed, Cancelled, Timeout, Lost:
		return nil
	}
	return fmt.Errorf("ending job %s: a run cannot end as %q", id, e.State)
}

// clearRun are the columns of a run that is over, for the next attempt.
const clearRun = `started_at = 0, finished_at = 0, exit_code = NULL, signal = '', command = '', log = '', instance = '',
	pid = 0, proc_start = '', proc_boot = '', node = '', end_reason = '', slots = '', limits = '', run_as = '',
	script_noted = '', doubt = 0`

// againWords begin the reason of an EventAgain: the attempt that is over.
const againWords = "attempt %d"

// again takes a RUNNING job back to PENDING for its next attempt, if it is to
// have one.
func (t *tx) again(id string, attempt int, e Ending) (bool, error) {
	if !e.again() {
		return false, nil
	}
	var due int64
	if e.RetryAt.After(t.now) {
		due = toMillis(e.RetryAt)
	}
	ok, err := t.change(`UPDATE jobs SET state = 'PENDING', reason = '', attempt = attempt + 1, retried = retried + 1,
		due = ?, `+clearRun+`
		WHERE id = ? AND state = 'RUNNING' AND attempt = ? AND end_reason <> 'cancel' AND retried < retries`,
		due, id, attempt)
	if err != nil || !ok {
		return false, err
	}
	return true, t.event(id, EventAgain, Pending, fmt.Sprintf(againWords+" %s: %s", attempt, e.State, e.Reason))
}

// AskEnd notes why a RUNNING job is being ended, so that this survives a
// crash. The first reason stays: it reports false if there is one already.
func (q *Queue) AskEnd(ctx context.Context, id string, attempt int, why EndReason) (bool, error) {
	var changed bool
	err := q.write(ctx, func(t *tx) (err error) {
		changed, err = t.askEnd(id, attempt, why)
		if err != nil || !changed {
			return err
		}
		return t.event(id, EventEnding, Running, endWords(why))
	})
	if err != nil {
		return false, fmt.Errorf("noting that job %s is ended: %w", id, err)
	}
	return changed, nil
}

func (t *tx) askEnd(id string, attempt int, why EndReason) (bool, error) {
	return t.change(`UPDATE jobs SET end_reason = ?, reason = ?
		WHERE id = ? AND state = 'RUNNING' AND attempt = ? AND end_reason = ''`,
		string(why), endWords(why), id, attempt)
}

// endWords is the reason of a RUNNING job that is being ended.
func endWords(why EndReason) string {
	switch why {
	case EndCancel:
		return "being cancelled"
	case EndTimeout:
		return "being ended: time limit"
	}
	return "being ended"
}
