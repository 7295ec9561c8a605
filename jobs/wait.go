package jobs

import (
	"fmt"
	"slices"
	"strings"
)

// maxWaits bounds how many jobs those of one Intake wait for in all, so that
// one sweep after another cannot fill the disk.
const maxWaits = 100_000

// waiter is a new job that waits for others.
type waiter struct {
	entry int
	job   *Job
	at    map[string]Position // where it names each of them
}

// finder finds the jobs that Waits name, once those of the Intake itself are
// in the database.
type finder struct {
	t        *tx
	answered map[string]string   // ids of the Intake that stand for other jobs
	sweeps   map[string][]string // jobs that the members of its sweeps stand for
	found    map[string]foundWait
}

type foundWait struct {
	ids     []string
	refusal string // why there are none, in words
}

// depend gives the new jobs of an Intake what they wait for. If that cannot be
// for some of them it says so, and the caller takes everything back.
func (t *tx) depend(in Intake, out []Outcome) (*RefusedError, error) {
	r := t.finder(in, out)
	var waiters []*waiter
	var refusals []Refusal
	var total int
	for i, e := range in.Entries {
		if len(e.Waits) == 0 || out[i].Known || out[i].Job.State != Pending {
			continue
		}
		w := &waiter{entry: i, job: out[i].Job}
		f, err := r.resolve(w, e.Waits)
		if err != nil {
			return nil, err
		}
		if total += len(w.at); total > maxWaits {
			f = e.Waits[0].At.Fault(fmt.Sprintf("the jobs wait for more than %d others in all", maxWaits),
				"let one job wait for all of them, and the others for that one")
			return &RefusedError{Refusals: append(refusals, Refusal{i, f}), TooMuch: true}, nil
		}
		if f != nil {
			refusals = append(refusals, Refusal{i, f})
		}
		waiters = append(waiters, w)
	}
	if len(refusals) == 0 {
		refusals = circles(waiters)
	}
	if len(refusals) > 0 {
		return &RefusedError{Refusals: refusals}, nil
	}
	for _, w := range waiters {
		if err := t.putWaits(w.job); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// putWaits stores what a job that was just taken in waits for. It ends at once if
// a job that must have COMPLETED has ended otherwise.
func (t *tx) putWaits(j *Job) error {
	list := j.dependencies()
	unmet, broken, err := t.stand(list)
	if err != nil {
		return err
	}
	// A command that came with it may have ended it again.
	pending, err := t.change(`UPDATE jobs SET after_ok = ?, after_any = ?, unmet = ? WHERE id = ? AND state = 'PENDING'`,
		packList(j.After), packList(j.AfterAny), len(unmet), j.ID)
	switch {
	case err != nil:
		return err
	case !pending:
		_, err = t.change("UPDATE jobs SET after_ok = ?, after_any = ? WHERE id = ?",
			packList(j.After), packList(j.AfterAny), j.ID)
		return err
	case broken == nil:
		j.Unmet = len(unmet)
		return t.await(j.ID, unmet)
	}
	if _, err := t.fail(j.ID, *broken); err != nil {
		return err
	}
	return t.settle(over{j.ID, Failed})
}

func (t *tx) finder(in Intake, out []Outcome) *finder {
	r := &finder{t: t, answered: map[string]string{}, sweeps: map[string][]string{}, found: map[string]foundWait{}}
	for i, e := range in.Entries {
		if e.Job == nil || out[i].Job.ID == e.Job.ID {
			continue
		}
		r.answered[e.Job.ID] = out[i].Job.ID
		if e.Job.Group != "" {
			r.sweeps[e.Job.Group] = append(r.sweeps[e.Job.Group], out[i].Job.ID)
		}
	}
	return r
}

// resolve fills in the jobs that w's job waits for.
func (r *finder) resolve(w *waiter, waits []Wait) (*Fault, error) {
	w.at = map[string]Position{}
	w.job.After, w.job.AfterAny = nil, nil
	for _, wait := range waits {
		found, err := r.find(wait.On)
		if err != nil {
			return nil, err
		}
		switch {
		case found.refusal != "":
			return wait.At.Fault(found.refusal, "give an id, its first 8 letters, or the name of an earlier document of the file"), nil
		case slices.Contains(found.ids, w.job.ID):
			return wait.At.Fault("the job waits for itself", ""), nil
		}
		for _, id := range found.ids {
			w.at[id] = wait.At
			into := &w.job.After
			if wait.Any {
				into = &w.job.AfterAny
			}
			*into = append(*into, id)
		}
	}
	w.job.After, w.job.AfterAny = once(w.job.After), once(w.job.AfterAny)
	return nil, nil
}

// find gives the jobs that text names: one, or those of a sweep.
func (r *finder) find(text string) (foundWait, error) {
	if found, ok := r.found[text]; ok {
		return found, nil
	}
	found, err := r.lookUp(strings.ToLower(text))
	if err == nil {
		r.found[text] = found
	}
	return found, err
}

func (r *finder) lookUp(text string) (foundWait, error) {
	for id, job := range r.answered {
		if len(text) >= minPrefix && strings.HasPrefix(id, text) {
			return foundWait{ids: []string{job}}, nil
		}
	}
	job, sweep, refusal, err := r.t.lookUp(text)
	switch {
	case err != nil:
		return foundWait{}, err
	case job != "":
		return foundWait{ids: []string{job}}, nil
	case sweep != "":
		text = sweep
	}
	ids, err := r.t.members(text)
	if err == nil {
		var gone *PrunedError // of a sweep it may be a part
		if gone, err = r.t.prunedBy(text); gone != nil {
			ids = append(ids, gone.ID)
		}
	}
	if ids = once(append(ids, r.sweeps[text]...)); len(ids) > 0 {
		refusal = ""
	}
	return foundWait{ids, refusal}, err
}

// circles refuses the jobs that wait for each other.
func circles(waiters []*waiter) []Refusal {
	number := make(map[string]int, len(waiters))
	for n, w := range waiters {
		number[w.job.ID] = n
	}
	after, before := make([][]int, len(waiters)), make([][]int, len(waiters))
	for n, w := range waiters {
		for _, d := range w.job.dependencies() {
			if m, ours := number[d.on]; ours {
				after[n], before[m] = append(after[n], m), append(before[m], n)
			}
		}
	}
	// What is left between a circle and itself is one.
	left := make([]bool, len(waiters))
	for n := range left {
		left[n] = true
	}
	trim(left, after, before)
	trim(left, before, after)
	var refusals []Refusal
	for n, w := range waiters {
		if left[n] {
			refusals = append(refusals, w.circle(n, waiters, after, left))
		}
	}
	return refusals
}

// trim takes away what leads nowhere, again and again until the rest leads to
// itself. back is where to turns back to.
func trim(left []bool, to, back [][]int) {
	open := make([]int, len(to))
	var ends []int
	for n := range to {
		for _, m := range to[n] {
			if left[m] {
				open[n]++
			}
		}
		if left[n] && open[n] == 0 {
			ends = append(ends, n)
		}
	}
	for len(ends) > 0 {
		n := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		left[n] = false
		for _, m := range back[n] {
			if open[m]--; left[m] && open[m] == 0 {
				ends = append(ends, m)
			}
		}
	}
}

// circle words the way from the n-th job round to itself, or its beginning.
func (w *waiter) circle(n int, waiters []*waiter, after [][]int, left []bool) Refusal {
	const most = 4
	next := func(m int) int {
		return after[m][slices.IndexFunc(after[m], func(k int) bool { return left[k] })]
	}
	m := next(n)
	at := w.at[waiters[m].job.ID]
	path := shortID(w.job.ID)
	for range most - 1 {
		if m == n {
			break
		}
		path += " after " + shortID(waiters[m].job.ID)
		m = next(m)
	}
	path += " after "
	if m == n {
		path += shortID(w.job.ID)
	} else {
		path += ellipsis
	}
	return Refusal{w.entry, at.Fault("jobs wait for each other: "+path, "")}
}

// once gives each text of list once, in its order.
func once(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(text string) bool {
		again := seen[text]
		seen[text] = true
		return again
	})
}
