package jobs

// drop takes a PENDING job to an ended state and reports false if it is not
// PENDING. What it waited for is forgotten. The caller settles that it ended.
func (t *tx) drop(id string, to State, reason string) (bool, error) {
	ok, err := t.leave(id, to, reason)
	if err != nil || !ok {
		return false, err
	}
	return true, t.forget(id)
}

// leave is drop without the rows of what the job waited for.
func (t *tx) leave(id string, to State, reason string) (bool, error) {
	return t.change(`UPDATE jobs SET state = ?, reason = ?, finished_at = ?, doubt = 0, hold = 0, due = 0, unmet = 0
		WHERE id = ? AND state = 'PENDING'`, string(to), reason, toMillis(t.now), id)
}

func (t *tx) forget(id string) error {
	_, err := t.change("DELETE FROM dependencies WHERE job = ?", id)
	return err
}

// over is a job that has ended, and how.
type over struct {
	id    string
	state State
}

// settle tells the jobs that wait for those in ended, which are in that state
// already: the ones that may start now, and the ones that never can, which
// have ended with that themselves. Each way in which a job ends comes by here.
// Chains and fans of any size need neither a deep stack nor much memory.
func (t *tx) settle(ended ...over) error {
	for len(ended) > 0 {
		e := ended[0]
		ended = ended[1:]
		var some int
		err := t.row("SELECT 1 FROM dependencies WHERE on_job = ? LIMIT 1", []any{e.id}, &some)
		if err == ErrNotFound {
			continue
		}
		if err != nil {
			return err
		}
		failed, err := t.failAfter(e)
		if err == nil {
			err = t.readyAfter(e.id)
		}
		if err != nil {
			return err
		}
		ended = append(ended, failed...)
	}
	return nil
}

const selectFailing = `SELECT j.id, j.unmet FROM dependencies d JOIN jobs j ON j.id = d.job
	WHERE d.on_job = ? AND d.any = 0 ORDER BY j.seq`

// failAfter ends the jobs that could start only if e had COMPLETED.
func (t *tx) failAfter(e over) (failed []over, err error) {
	if e.state == Completed {
		return nil, nil
	}
	var ids, more []string // more: those that wait for others too
	err = t.each(selectFailing, []any{e.id}, func(row scanner) error {
		var id string
		var unmet int
		err := row.Scan(&id, &unmet)
		if ids = append(ids, id); unmet > 1 {
			more = append(more, id)
		}
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	for _, id := range ids {
		ok, err := t.fail(id, e)
		if err != nil {
			return nil, err
		}
		if ok {
			failed = append(failed, over{id, Failed})
		}
	}
	for _, id := range more {
		if err := t.forget(id); err != nil {
			return nil, err
		}
	}
	// At once, for there may be many.
	_, err = t.change("DELETE FROM dependencies WHERE on_job = ? AND any = 0", e.id)
	return failed, err
}

// fail ends a PENDING job because one that it waits for ended otherwise than
// it should have. The caller forgets what it waited for, and settles its end.
func (t *tx) fail(id string, because over) (bool, error) {
	reason := "dependency " + because.words()
	ok, err := t.leave(id, Failed, reason)
	if err != nil || !ok {
		return false, err
	}
	return true, t.event(id, EventEnded, Failed, reason)
}

func (o over) words() string { return shortID(o.id) + " " + string(o.state) }

// The index is named, or all jobs would be walked in their order.
const (
	lessUnmet = `UPDATE jobs INDEXED BY jobs_id SET unmet = unmet - 1
		WHERE id IN (SELECT job FROM dependencies WHERE on_job = ?)`
	tellReady = `INSERT INTO events (at, job, kind, state, reason)
		SELECT ?, id, '` + EventReady + `', state, '' FROM jobs INDEXED BY jobs_id
		WHERE id IN (SELECT job FROM dependencies WHERE on_job = ?) AND unmet = 0 ORDER BY seq`
)

// readyAfter takes one from what each job waits for that still waits for id.
func (t *tx) readyAfter(id string) error {
	some, err := t.change(lessUnmet, id)
	if err != nil || !some {
		return err
	}
	if _, err = t.change(tellReady, toMillis(t.now), id); err == nil {
		_, err = t.change("DELETE FROM dependencies WHERE on_job = ?", id)
	}
	return err
}

// dependency is one job that another one waits for.
type dependency struct {
	on  string // its whole id
	any bool   // whatever its end
}

// stand says how the jobs in list stand: which have not ended, and the first
// that ended so that whoever waits for it can never start.
func (t *tx) stand(list []dependency) (unmet []dependency, broken *over, err error) {
	for _, d := range list {
		s, err := t.stateOf(d.on)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case !s.Ended():
			unmet = append(unmet, d)
		case s != Completed && !d.any:
			return nil, &over{d.on, s}, nil
		}
	}
	return unmet, nil, nil
}

// await notes what a PENDING job waits for; its column unmet is the caller's.
func (t *tx) await(id string, unmet []dependency) error {
	for _, d := range unmet {
		if _, err := t.change("INSERT INTO dependencies (on_job, job, any) VALUES (?,?,?)", d.on, id, d.any); err != nil {
			return err
		}
	}
	return nil
}

// dependencies gives what a stored job waits for, or waited for, each once. A
// job that it names twice must have COMPLETED.
func (j *Job) dependencies() []dependency {
	var list []dependency
	seen := make(map[string]bool, len(j.After)+len(j.AfterAny))
	for i, id := range append(append([]string{}, j.After...), j.AfterAny...) {
		if !seen[id] {
			seen[id] = true
			list = append(list, dependency{id, i >= len(j.After)})
		}
	}
	return list
}
