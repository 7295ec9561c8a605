package jobs

import (
	"fmt"
	"slices"
	"strings"
)

// known answers an entry with the job that has its id already.
func (t *tx) known(known, j *Job, e Entry) (Outcome, error) {
	out := Outcome{Job: known, Known: true}
	begin := fmt.Sprintf("id %s is known already", shortID(j.ID))
	switch {
	case j.State == Rejected && known.State == Rejected:
		return out, nil
	case j.State == Rejected:
		out.Warning = begin + "; what came now is bad: " + j.Reason
		return out, nil
	}
	var err error
	out.Warning, err = t.difference(begin, known, j, e)
	return out, err
}

// answerByKey answers an entry with the unfinished job that bears its key. If
// there is none, or it makes room, the Outcome bears no Job: j is to be added.
func (t *tx) answerByKey(j *Job, e Entry) (Outcome, error) {
	old, err := t.job(j.ID)
	if err == nil && !replaces(old, j) {
		return Outcome{}, nil // the id counts first
	}
	if err != nil && err != ErrNotFound {
		return Outcome{}, err
	}
	bearer, err := t.bearer(j.UniqueKey)
	if err != nil || bearer == nil {
		return Outcome{}, err
	}
	if e.Duplicate == DuplicateReplace && bearer.State == Pending {
		return Outcome{}, t.replace(bearer, j)
	}
	begin := fmt.Sprintf("%s bears the unique_key %q", shortID(bearer.ID), j.UniqueKey)
	warning, err := t.difference(begin, bearer, j, e)
	return Outcome{Job: bearer, Known: true, Warning: warning}, err
}

const selectBearer = selectJobs + `INDEXED BY jobs_unique
	WHERE unique_key = ? AND unique_key <> '' AND state IN ('PENDING', 'RUNNING') LIMIT 1`

// bearer gives the unfinished job that bears a key; nil if there is none.
func (t *tx) bearer(key string) (*Job, error) {
	s, err := t.stmt(selectBearer)
	if err != nil {
		return nil, err
	}
	j, err := scanJob(s.QueryRow(key))
	if notFound(err) == ErrNotFound {
		return nil, nil
	}
	return j, err
}

// replace cancels a PENDING job whose key j takes over.
func (t *tx) replace(old, j *Job) error {
	reason := "replaced by " + shortID(j.ID)
	if _, err := t.drop(old.ID, Cancelled, reason); err != nil {
		return err
	}
	if err := t.event(old.ID, EventEnded, Cancelled, reason); err != nil {
		return err
	}
	return t.settle(over{old.ID, Cancelled})
}

// difference says in words, which begin as given, in what j differs from the
// known job that answers it; "" if in nothing. A line bears no more than type
// and arguments, unless it is an object.
func (t *tx) difference(begin string, known, j *Job, e Entry) (string, error) {
	var other []string
	add := func(name string, differs bool) {
		if differs {
			other = append(other, name)
		}
	}
	add("type", known.Type != j.Type)
	add("target", known.Target != j.Target)
	add("args", !slices.Equal(known.Args, j.Args))
	if e.Taken == nil {
		add("name", known.Name != j.Name)
		add("priority", known.Priority != j.Priority)
		add("timeout", known.Timeout != j.Timeout)
		add("workdir", known.Workdir != j.Workdir)
		add("env", packMap(known.Env) != packMap(j.Env))
		add("labels", packMap(known.Labels) != packMap(j.Labels))
		add("params", packMap(known.Params) != packMap(j.Params))
		add("retries", known.Retries != j.Retries)
		add("unique_key", known.UniqueKey != j.UniqueKey)
		after, err := t.sameWaits(known, e.Waits)
		if err != nil {
			return "", err
		}
		add("after", !after)
	}
	if len(other) == 0 {
		return "", nil
	}
	return begin + ", with other " + strings.Join(other, ", "), nil
}

// sameWaits reports whether waits name what a known job waits for, or did.
func (t *tx) sameWaits(known *Job, waits []Wait) (bool, error) {
	w := &waiter{job: &Job{}}
	r := &finder{t: t, found: map[string]foundWait{}}
	f, err := r.resolve(w, waits)
	if err != nil || f != nil {
		return false, err
	}
	return sameSet(w.job.After, known.After) && sameSet(w.job.AfterAny, known.AfterAny), nil
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
