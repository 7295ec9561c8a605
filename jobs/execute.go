package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Execute carries out one command. Its Outcome is COMPLETED if a job was
// changed or was already as wished, else REJECTED; the reason says of every
// job or sweep what was done, or why nothing was.
func (q *Queue) Execute(ctx context.Context, c Command) (Outcome, error) {
	hashes := q.scriptHashes(ctx, c)
	var out Outcome
	err := q.write(ctx, func(t *tx) (err error) {
		out, err = t.execute(c, "", hashes)
		return err
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("executing %s: %w", c.Action, err)
	}
	return out, nil
}

// execute carries out c. A job that it makes comes from source, "" meaning
// where the older one came from; hashes are those of scripts as they are, by
// the older job's id.
func (t *tx) execute(c Command, source string, hashes map[string]string) (Outcome, error) {
	if c.Action == Pause || c.Action == Resume || c.Action == Drain {
		return t.brake(c)
	}
	apply := map[Action]func(*Job) (deed, error){
		Cancel: t.cancel, Retry: t.retry, Hold: t.hold, Release: t.release,
		Rerun: func(j *Job) (deed, error) { return t.rerun(j, source, hashes[j.ID]) },
	}[c.Action]
	targets, refusal, err := t.targets(c.IDs)
	if err != nil {
		return Outcome{}, err
	}
	if apply == nil && refusal == "" {
		refusal = fmt.Sprintf("unknown action %q", c.Action)
	}
	if refusal != "" {
		return Outcome{State: Rejected, Reason: refusal}, t.event("", string(c.Action), "", refusal)
	}
	if c.Action == Retry {
		if err := t.inOrder(targets); err != nil {
			return Outcome{}, err
		}
	}
	e := execution{t: t, action: c.Action, apply: apply, out: Outcome{State: Rejected}}
	var reasons []string
	for _, g := range targets {
		words, err := e.run(g)
		if err != nil {
			return Outcome{}, err
		}
		reasons = append(reasons, words)
	}
	e.out.Jobs, e.out.Reason = once(e.out.Jobs), strings.Join(reasons, "; ")
	// Not before: of two that are cancelled, one may wait for the other.
	return e.out, t.settle(e.ended...)
}

// target is what one id of a command names.
type target struct {
	sweep string // its id; "" for a single job
	jobs  []string
}

// targets finds what ids name, each once. If one of them names nothing or
// several things, refusal says so.
func (t *tx) targets(ids []string) (found []target, refusal string, err error) {
	if len(ids) == 0 {
		return nil, "it names no job", nil
	}
	seen := map[string]bool{}
	for _, id := range ids {
		job, sweep, refusal, err := t.lookUp(strings.ToLower(id))
		if err != nil || refusal != "" {
			return nil, refusal, err
		}
		if seen[job+sweep] {
			continue
		}
		seen[job+sweep] = true
		g := target{sweep, []string{job}}
		if sweep != "" {
			if g.jobs, err = t.members(sweep); err != nil {
				return nil, "", err
			}
		}
		found = append(found, g)
	}
	return found, "", nil
}

// inOrder sorts targets by their acceptance: a job that waits for others can be
// retried only once they are, and lists show the newest first.
func (t *tx) inOrder(targets []target) error {
	seq := map[string]int64{}
	for _, g := range targets {
		var n int64
		if err := t.row("SELECT seq FROM jobs WHERE id = ?", []any{g.jobs[0]}, &n); err != nil {
			return err
		}
		seq[g.jobs[0]] = n
	}
	slices.SortStableFunc(targets, func(a, b target) int { return cmp.Compare(seq[a.jobs[0]], seq[b.jobs[0]]) })
	return nil
}

// pastPrefix is a text greater than every id that begins with prefix, and
// smaller than every other id that is greater than those.
func pastPrefix(prefix string) string { return prefix + "\x7f" }

// deed is what a command did to one job.
type deed struct {
	ok    bool // it was changed, or was already as wished
	state State
	words string // that follow its id
	sum   string // that follow the number of such jobs of a sweep
	made  string // id of the job that was made of it
}

// execution is a command on its way through the jobs that it names.
type execution struct {
	t      *tx
	action Action
	apply  func(*Job) (deed, error)
	out    Outcome
	ended  []over
}

// run does what is to be done to a target, and says so in words.
func (e *execution) run(g target) (string, error) {
	var sums []string
	count := map[string]int{}
	for _, id := range g.jobs {
		d, err := e.job(id)
		if err != nil {
			return "", err
		}
		if g.sweep == "" {
			return shortID(id) + " " + d.words, nil
		}
		if count[d.sum]++; count[d.sum] == 1 {
			sums = append(sums, d.sum)
		}
	}
	for n, sum := range sums {
		sums[n] = fmt.Sprintf("%d %s", count[sum], sum)
	}
	return fmt.Sprintf("%s (sweep of %d): %s", shortID(g.sweep), len(g.jobs), strings.Join(sums, ", ")), nil
}

func (e *execution) job(id string) (deed, error) {
	j, err := e.t.job(id)
	if err != nil {
		return deed{}, err
	}
	d, err := e.apply(j)
	if err != nil {
		return deed{}, err
	}
	if d.ok {
		e.out.State = Completed
	}
	if j.State == Pending && d.state.Ended() {
		e.ended = append(e.ended, over{id, d.state})
	}
	if e.action != Rerun {
		e.out.Jobs = append(e.out.Jobs, id)
	} else if d.made != "" {
		e.out.Jobs = append(e.out.Jobs, d.made)
	}
	return d, e.t.event(id, string(e.action), d.state, shortID(id)+" "+d.words)
}
