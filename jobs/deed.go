package jobs

import "fmt"

// What is said of a job that a command has changed: for deedCancelled it was
// PENDING, for deedCancelling it runs.
const (
	deedCancelled  = "cancelled"
	deedCancelling = "is being cancelled"
	deedHeld       = "held"
	deedReleased   = "released"
	deedRetried    = "waits for attempt %d"
)

// cancelledReason is the reason of a job that a command made CANCELLED.
const cancelledReason = "cancelled by request"

func (t *tx) cancel(j *Job) (deed, error) {
	switch {
	case j.State == Pending:
		_, err := t.drop(j.ID, Cancelled, cancelledReason)
		return deed{ok: true, state: Cancelled, words: deedCancelled, sum: deedCancelled}, err
	case j.State == Running && j.EndReason == "":
		_, err := t.askEnd(j.ID, j.Attempt, EndCancel)
		return deed{ok: true, state: Running, words: deedCancelling, sum: "being cancelled"}, err
	case j.State == Running:
		sum := "already " + endWords(j.EndReason)
		return deed{ok: true, state: Running, words: "is " + sum, sum: sum}, nil
	}
	sum := "already " + string(j.State)
	return deed{ok: j.State == Cancelled, state: j.State, words: "is " + sum, sum: sum}, nil
}

func (t *tx) hold(j *Job) (deed, error) { return t.setHold(j, true, deedHeld, "is already held") }

func (t *tx) release(j *Job) (deed, error) { return t.setHold(j, false, deedReleased, "is not held") }

func (t *tx) setHold(j *Job, on bool, done, was string) (deed, error) {
	if j.State != Pending {
		return deed{state: j.State, sum: string(j.State),
			words: fmt.Sprintf("is %s: only a waiting job can be %s", j.State, done)}, nil
	}
	ok, err := t.change("UPDATE jobs SET hold = ? WHERE id = ? AND state = 'PENDING' AND hold <> ?", on, j.ID, on)
	if !ok {
		return deed{ok: true, state: Pending, words: was, sum: was[len("is "):]}, err
	}
	return deed{ok: true, state: Pending, words: done, sum: done}, err
}

// retry takes an ended job back to PENDING. What it waits for counts again.
func (t *tx) retry(j *Job) (deed, error) {
	refuse := func(why string) (deed, error) {
		return deed{state: j.State, words: "is " + string(j.State) + why, sum: string(j.State) + " still"}, nil
	}
	switch j.State {
	case Failed, Cancelled, Timeout, Lost:
	case Rejected:
		return refuse(": it was never accepted, so it cannot be retried")
	case Completed:
		return refuse(": there is nothing to retry")
	default:
		return refuse(": only an ended job can be retried")
	}
	if j.UniqueKey != "" {
		bearer, err := t.bearer(j.UniqueKey)
		if err != nil {
			return deed{}, err
		}
		if bearer != nil {
			return refuse(fmt.Sprintf(": %s, which is %s, bears its unique_key %q now", shortID(bearer.ID), bearer.State, j.UniqueKey))
		}
	}
	unmet, broken, err := t.stand(j.dependencies())
	switch {
	case err != nil:
		return deed{}, err
	case broken != nil && broken.state == Rejected:
		return refuse(", and dependency " + broken.words() + ": that was never accepted")
	case broken != nil && j.State == Failed && j.Reason == "dependency "+broken.words():
		return refuse(" because " + j.Reason + ": retry that first")
	case broken != nil:
		return refuse(", and dependency " + broken.words() + ": retry that first")
	}
	return t.retryNow(j, unmet)
}

func (t *tx) retryNow(j *Job, unmet []dependency) (deed, error) {
	if err := t.keepLatest(j.ID); err != nil {
		return deed{}, err
	}
	_, err := t.change(`UPDATE jobs SET state = 'PENDING', reason = '', attempt = attempt + 1, retried = 0, due = 0, hold = 0,
		unmet = ?, line_at = iif(line_at = -1, 0, line_at), `+clearRun+`
		WHERE id = ? AND state = ? AND attempt = ?`, len(unmet), j.ID, string(j.State), j.Attempt)
	if err == nil {
		err = t.await(j.ID, unmet)
	}
	return deed{ok: true, state: Pending, words: fmt.Sprintf(deedRetried, j.Attempt+1), sum: "retried"}, err
}
