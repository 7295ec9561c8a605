package jobs

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// rerun makes a new job of what j asked for. Its place in time and order is
// not part of that: it may start at once.
func (t *tx) rerun(j *Job, source, hash string) (deed, error) {
	refuse := func(why string) (deed, error) {
		return deed{state: j.State, words: why, sum: "cannot run again"}, nil
	}
	switch {
	case j.State == Rejected:
		return refuse("is REJECTED: it was never accepted, so it cannot run again")
	case j.Type == "":
		return refuse("cannot run again: its type is not known")
	case j.UniqueKey != "":
		bearer, err := t.bearer(j.UniqueKey)
		if err != nil {
			return deed{}, err
		}
		if bearer != nil {
			return refuse(fmt.Sprintf("cannot run again now: %s, which is %s, bears its unique_key %q",
				shortID(bearer.ID), bearer.State, j.UniqueKey))
		}
	}
	again := fresh(&Job{
		ID: uuid.NewString(), State: Pending, LineAt: LineWanted, ScriptHash: j.ScriptHash, Source: source,
		Type: j.Type, Target: j.Target, Args: j.Args, Params: j.Params, Env: j.Env, Workdir: j.Workdir,
		Name: j.Name, Labels: j.Labels, Priority: j.Priority, Timeout: j.Timeout, Retries: j.Retries, UniqueKey: j.UniqueKey,
	}, t.now)
	if hash != "" {
		again.ScriptHash = hash
	}
	if source == "" {
		again.Source = j.Source
	}
	if _, err := t.insert(again); err != nil {
		return deed{}, err
	}
	words := "runs again as " + shortID(again.ID)
	return deed{ok: true, state: j.State, words: words, sum: "run again", made: again.ID},
		t.event(again.ID, EventAccepted, Pending, "")
}

// scriptHashes gives the hashes of the scripts of jobs that commands are about
// to run again, by the job's id. It reads files, so it comes before the
// transaction. Where the script as it was is kept, or it cannot be read now,
// the old hash counts on.
func (q *Queue) scriptHashes(ctx context.Context, commands ...Command) map[string]string {
	c := q.catalog.Load()
	if c == nil {
		return nil
	}
	var hashes map[string]string
	for _, j := range q.toRerun(ctx, commands) {
		t := c.Types[j.Type]
		if t == nil || t.OnChange == OnChangeCopy || j.ScriptHash == "" {
			continue
		}
		path, err := t.Script(j.Target, c.Dir)
		if err != nil {
			continue
		}
		if hash, err := HashScript(path); err == nil {
			if hashes == nil {
				hashes = map[string]string{}
			}
			hashes[j.ID] = hash
		}
	}
	return hashes
}

// toRerun gives the jobs that the rerun commands among commands name. What
// names none is left to the transaction.
func (q *Queue) toRerun(ctx context.Context, commands []Command) []*Job {
	var list []*Job
	for _, c := range commands {
		if c.Action != Rerun {
			continue
		}
		for _, id := range c.IDs {
			if j, err := q.Find(ctx, id); err == nil {
				list = append(list, j)
			} else if members, err := q.Members(ctx, id); err == nil {
				list = append(list, members...)
			}
		}
	}
	return list
}
