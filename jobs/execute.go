package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Execute carries out one command. Its Outcome is COMPLETED if a job was
// changed or was already as wished, else REJECTED; the reason says of every
// job what was done, or why nothing was.
func (q *Queue) Execute(ctx context.Context, c Command) (Outcome, error) {
	var out Outcome
	err := q.write(ctx, func(t *tx) (err error) {
		out, err = t.execute(c)
		return err
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("executing %s: %w", c.Action, err)
	}
	return out, nil
}

func (t *tx) execute(c Command) (Outcome, error) {
	named, refusal, err := t.named(c.IDs)
	if err != nil {
		return Outcome{}, err
	}
	if refusal == "" && !slices.Contains(Actions, c.Action) {
		refusal = fmt.Sprintf("unknown action %q", c.Action)
	}
	if refusal != "" {
		return Outcome{State: Rejected, Reason: refusal}, t.event("", string(c.Action), "", refusal)
	}
	out := Outcome{State: Rejected}
	var reasons []string
	for _, j := range named {
		apply := t.cancel
		if c.Action == Retry {
			apply = t.retry
		}
		done, err := apply(j)
		if err != nil {
			return Outcome{}, err
		}
		if done.ok {
			out.State = Completed
		}
		words := shortID(j.ID) + " " + done.words
		if err := t.event(j.ID, string(c.Action), done.state, words); err != nil {
			return Outcome{}, err
		}
		reasons = append(reasons, words)
		out.Jobs = append(out.Jobs, j.ID)
	}
	out.Reason = strings.Join(reasons, "; ")
	return out, nil
}

// named finds the jobs that ids name, each once. If one of them names no job
// or several, refusal says so.
func (t *tx) named(ids []string) (found []*Job, refusal string, err error) {
	if len(ids) == 0 {
		return nil, "it names no job", nil
	}
	for _, id := range ids {
		id = strings.ToLower(id)
		if len(id) < minPrefix {
			return nil, fmt.Sprintf("%q is too short: at least %d letters of an id are needed", id, minPrefix), nil
		}
		var fits []*Job
		err := t.each(selectJobs+"WHERE id >= ? AND id < ? LIMIT 2", []any{id, pastPrefix(id)},
			func(row scanner) error {
				j, err := scanJob(row)
				fits = append(fits, j)
				return err
			})
		switch {
		case err != nil:
			return nil, "", err
		case len(fits) == 0:
			return nil, fmt.Sprintf("no job %q is known", id), nil
		case len(fits) > 1:
			return nil, fmt.Sprintf("%q fits several jobs", id), nil
		}
		if !slices.ContainsFunc(found, func(j *Job) bool { return j.ID == fits[0].ID }) {
			found = append(found, fits[0])
		}
	}
	return found, "", nil
}

// pastPrefix is a text greater than every id that begins with prefix, and
// smaller than every other id that is greater than those.
func pastPrefix(prefix string) string { return prefix + "\x7f" }

// deed is what a command did to one job.
type deed struct {
	ok    bool // it was changed, or was already as wished
	state State
	words string
}

func (t *tx) cancel(j *Job) (deed, error) {
	switch {
	case j.State == Pending:
		_, err := t.change(`UPDATE jobs SET state = 'CANCELLED', reason = 'cancelled by request', finished_at = ?, doubt = 0
			WHERE id = ? AND state = 'PENDING' AND attempt = ?`, toMillis(t.now), j.ID, j.Attempt)
		return deed{true, Cancelled, "cancelled"}, err
	case j.State == Running && j.EndReason == "":
		_, err := t.askEnd(j.ID, j.Attempt, EndCancel)
		return deed{true, Running, "is being cancelled"}, err
	case j.State == Running:
		return deed{true, Running, "is already " + endWords(j.EndReason)}, nil
	}
	return deed{j.State == Cancelled, j.State, "is already " + string(j.State)}, nil
}

func (t *tx) retry(j *Job) (deed, error) {
	switch j.State {
	case Failed, Cancelled, Timeout, Lost:
	case Rejected:
		return deed{false, j.State, "is REJECTED: it was never accepted, so it cannot be retried"}, nil
	case Completed:
		return deed{false, j.State, "is COMPLETED: there is nothing to retry"}, nil
	default:
		return deed{false, j.State, "is " + string(j.State) + ": only an ended job can be retried"}, nil
	}
	_, err := t.change(`UPDATE jobs SET state = 'PENDING', reason = '', attempt = attempt + 1,
		started_at = 0, finished_at = 0, exit_code = NULL, signal = '', command = '', log = '', instance = '',
		pid = 0, proc_start = '', proc_boot = '', node = '', end_reason = '', doubt = 0,
		line_at = iif(line_at = -1, 0, line_at)
		WHERE id = ? AND state = ? AND attempt = ?`, j.ID, string(j.State), j.Attempt)
	return deed{true, Pending, fmt.Sprintf("waits for attempt %d", j.Attempt+1)}, err
}
