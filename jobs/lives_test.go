package jobs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// lives is a queue with which everything is done that can be done, in an order
// that a seed gives.
type lives struct {
	*testing.T
	q     *jobs.Queue
	r     *rand.Rand
	known []string // ids of jobs and sweeps
}

func (l *lives) some(most int) (ids []string) {
	for range l.r.IntN(most) + 1 {
		if len(l.known) > 0 {
			ids = append(ids, l.known[l.r.IntN(len(l.known))])
		}
	}
	return ids
}

func (l *lives) one(n int) bool { return l.r.IntN(n) == 0 }

func (l *lives) submit() {
	var entries []jobs.Entry
	sweep := uuid.NewString()
	for range 1 + l.r.IntN(5) {
		j := pendingJob()
		if l.one(6) && len(l.known) > 0 {
			j.ID = l.some(1)[0]
		}
		j.Retries, j.Hold, j.Priority = l.r.IntN(3), l.one(8), l.r.IntN(3)
		if l.one(3) {
			j.UniqueKey = fmt.Sprint("key", l.r.IntN(4))
		}
		if l.one(8) {
			j.State, j.Reason, j.Hold = []jobs.State{jobs.Rejected, jobs.Completed, jobs.Lost}[l.r.IntN(3)], fmt.Sprint("why", l.r.IntN(9)), false
		}
		if l.one(3) {
			j.Group = sweep
		}
		if l.one(9) {
			j.NotBefore = time.Now().Add(2 * time.Millisecond)
		}
		e := asks(j)
		if j.State == jobs.Pending && l.one(2) {
			e = asks(j, l.some(3)...)
			for i := range e.Waits {
				e.Waits[i].Any = l.one(2)
			}
		}
		if l.one(2) {
			e.Duplicate = jobs.DuplicateReplace
		}
		entries = append(entries, e)
		if l.one(4) {
			actions := []jobs.Action{jobs.Cancel, jobs.Retry, jobs.Hold}
			entries = append(entries, jobs.Entry{Command: &jobs.Command{Action: actions[l.r.IntN(3)], IDs: append(l.some(1), j.ID)}})
		}
	}
	l.r.Shuffle(len(entries), func(a, b int) { entries[a], entries[b] = entries[b], entries[a] })
	out, err := l.q.Accept(bg, jobs.Intake{Entries: entries})
	var refused *jobs.RefusedError
	if errors.As(err, &refused) {
		return
	}
	if err != nil {
		l.Fatal(err)
	}
	for _, o := range out {
		if o.Job == nil {
			continue
		}
		if l.isPruned(o.Job.ID) {
			if !o.Known || !o.Job.State.Ended() {
				l.Errorf("a pruned job was taken in: %+v", o.Job)
			}
			continue
		}
		if got := readJob(l, l.q, o.Job.ID); got.State != o.Job.State || got.Attempt != o.Job.Attempt || got.Unmet != o.Job.Unmet || got.Hold != o.Job.Hold {
			l.Errorf("Accept gave %+v, and stored is %+v", o.Job, got)
		}
		l.known = append(l.known, o.Job.ID)
		if o.Job.Group != "" && !slices.Contains(l.known, o.Job.Group) {
			l.known = append(l.known, o.Job.Group)
		}
	}
}

func (l *lives) command() {
	actions := []jobs.Action{jobs.Cancel, jobs.Retry, jobs.Retry, jobs.Retry, jobs.Release, jobs.Release, jobs.Hold, jobs.Rerun}
	execute(l, l.q, actions[l.r.IntN(len(actions))], l.some(3)...)
}

// isPruned reports whether a job is known by its id alone.
func (l *lives) isPruned(id string) bool {
	_, err := l.q.Job(bg, id)
	var gone *jobs.PrunedError
	return errors.As(err, &gone)
}

// prune lets go of jobs, some of them while their lines are in the file.
func (l *lives) prune() {
	var places []jobs.Placement
	for _, id := range l.some(20) {
		places = append(places, jobs.Placement{ID: id, At: jobs.LineLeft})
	}
	if err := l.q.PlaceLines(bg, places); err != nil {
		l.Fatal(err)
	}
	wish := jobs.Wish{Keep: l.r.IntN(30), State: []jobs.State{"", "", "", jobs.Failed}[l.r.IntN(4)], DryRun: l.one(5)}
	pruned(l, l.q, jobs.PruneOptions{Wish: wish})
	if l.one(3) {
		far := time.Now().Add(time.Hour)
		if _, err := l.q.PruneEvents(bg, 0, 1<<40, far, far); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *lives) line() {
	ids := l.some(4)
	var err error
	switch l.r.IntN(4) {
	case 0:
		_, err = l.q.RemoveByLine(bg, ids, "job_queue.txt")
	case 1:
		err = l.q.SetDoubt(bg, ids, true)
	default:
		err = l.q.SetDoubt(bg, l.known, false)
	}
	if err != nil {
		l.Fatal(err)
	}
}

// step starts a few jobs and takes a few on.
func (l *lives) step() {
	if _, err := l.q.Wake(bg, time.Now()); err != nil {
		l.Fatal(err)
	}
	next, err := l.q.Next(bg, map[string]int{"train": 4}, 4)
	if err != nil {
		l.Fatal(err)
	}
	for _, j := range next {
		if _, err := l.q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: j.Attempt}}); err != nil {
			l.Fatal(err)
		}
	}
	running, err := l.q.Running(bg)
	if err != nil {
		l.Fatal(err)
	}
	for _, j := range running {
		l.end(j)
	}
}

func (l *lives) end(j *jobs.Job) {
	var err error
	switch l.r.IntN(6) {
	case 0:
		_, err = l.q.Unbegin(bg, j.ID, j.Attempt)
	case 1:
		_, err = l.q.AskEnd(bg, j.ID, j.Attempt, jobs.EndTimeout)
	case 2:
		_, err = l.q.Started(bg, j.ID, j.Attempt, jobs.StartInfo{Process: jobs.ProcessID{PID: 7}, Log: "logs/a.log"})
	default:
		states := []jobs.State{jobs.Completed, jobs.Completed, jobs.Failed, jobs.Timeout, jobs.Lost, jobs.Cancelled}
		e := jobs.Ending{State: states[l.r.IntN(len(states))], Reason: "why"}
		if l.one(2) {
			e.RetryAt = time.Now().Add(time.Duration(l.r.IntN(3)) * time.Millisecond)
		}
		_, err = l.q.End(bg, j.ID, j.Attempt, e)
	}
	if err != nil {
		l.Fatal(err)
	}
}

// told fails if a job is in another state than its latest event says: what
// follows the events would show an old one for ever.
func (l *lives) told() {
	events, err := l.q.Events(bg, 0, 1_000_000)
	if err != nil {
		l.Fatal(err)
	}
	last := map[string]jobs.State{}
	ends := map[string]int{}
	for _, e := range events {
		if e.Job != "" && e.State != "" {
			if was := last[e.Job]; e.Ends() && was != "" && was != jobs.Rejected && was.Ended() {
				l.Errorf("job %s ends twice without a beginning: %+v", e.Job, e)
			}
			last[e.Job] = e.State
		}
		if e.Ends() {
			ends[e.Job]++
		}
	}
	for _, id := range l.known {
		j, err := l.q.Job(bg, id)
		if errors.Is(err, jobs.ErrNotFound) {
			continue // a sweep
		}
		if err != nil {
			l.Fatal(err)
		}
		if last[id] != j.State {
			l.Errorf("job %s is %s, and its latest event says %s", id, j.State, last[id])
		}
		if j.State.Ended() && ends[id] == 0 && !j.StartedAt.IsZero() {
			l.Errorf("no event tells that job %s ended", id)
		}
	}
}

// drain lets everything run to its end: nothing may wait for ever.
func (l *lives) drain() {
	for _, id := range l.known {
		execute(l, l.q, jobs.Release, id)
	}
	if err := l.q.SetDoubt(bg, l.known, false); err != nil {
		l.Fatal(err)
	}
	for range 2000 {
		l.step()
		stats, err := l.q.Stats(bg)
		if err != nil {
			l.Fatal(err)
		}
		if stats.States[jobs.Pending]+stats.States[jobs.Running] == 0 {
			return
		}
	}
	active, _ := l.q.ListActive(bg, 10)
	for _, j := range active {
		l.Errorf("waits for ever: %s %s %q unmet %d", j.ID, j.State, j.Reason, j.Unmet)
	}
}

// Whatever is done in whatever order, what must hold of every queue holds.
func TestLives(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			q, _ := openQueue(t)
			l := &lives{T: t, q: q, r: rand.New(rand.NewPCG(seed, 0))}
			acts := []func(){l.submit, l.command, l.command, l.line, l.step, l.step, l.prune}
			for n := range 150 {
				acts[l.r.IntN(len(acts))]()
				if n%10 == 0 {
					truth(t, q)
				}
			}
			truth(t, q)
			l.told()
			l.drain()
			truth(t, q)
			checkCounters(t, q)
			l.told()
		})
	}
}
