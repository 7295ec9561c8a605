package runner

import (
	"context"
	"strconv"
	"time"

	"jobrunner/jobs"
)

// killTime is how long processes that were killed are waited for; those that
// are still there are named as survivors (a process may hang in the kernel).
const killTime = 5 * time.Second

// tree is everything that an attempt has started.
type tree struct {
	leader  jobs.ProcessID // its first process, which leads a session and a group
	jobID   string
	attempt string
	seen    map[int]uint64 // start time by pid of those found so far: who loses its parent stays a member
}

// endTree ends all that an attempt has started: SIGTERM, after grace SIGKILL,
// then a look for survivors, which it names. It finds the members by session,
// by descent, and by the job's mark in the environment, and signals only
// those. It blocks for at most grace and killTime; if ctx ends it kills
// nothing more and names what is left.
//
// A zero p leaves the mark and descent from those that carry it.
// If p is a child of this process, the caller must not reap it meanwhile.
func endTree(ctx context.Context, p jobs.ProcessID, jobID string, attempt int, grace time.Duration) (survivors []string) {
	survivors, _ = newTree(p, jobID, attempt).end(ctx, grace, func() bool { return true })
	return survivors
}

func newTree(p jobs.ProcessID, jobID string, attempt int) *tree {
	return &tree{leader: p, jobID: jobID, attempt: strconv.Itoa(attempt), seen: make(map[int]uint64)}
}

// end is endTree. It calls wanted right before the first signal, and does
// nothing if that says no; begun tells whether there was a signal.
func (t *tree) end(ctx context.Context, grace time.Duration, wanted func() bool) (survivors []string, begun bool) {
	left, leader := t.find()
	if len(left) == 0 || !wanted() {
		return nil, false
	}
	if t.ask(ctx, time.Now().Add(grace), left, leader) {
		return nil, true
	}
	return names(t.kill(ctx)), true
}

// ask sends SIGTERM to all members and to those that come up meanwhile. It
// reports whether all have gone before the time given.
func (t *tree) ask(ctx context.Context, until time.Time, left []proc, leader *proc) bool {
	asked := make(map[int]uint64)
	for len(left) > 0 {
		fresh := left[:0:0]
		for _, q := range left {
			if asked[q.pid] != q.start {
				asked[q.pid] = q.start
				fresh = append(fresh, q)
			}
		}
		t.askAll(fresh, leader)
		if !waitGone(ctx, left, until) {
			return false
		}
		left, leader = t.find()
	}
	return true
}

// kill sends SIGKILL to all members until none is left or killTime is over,
// and returns those that are left.
func (t *tree) kill(ctx context.Context) []proc {
	const look = 200 * time.Millisecond
	until := time.Now().Add(killTime)
	for {
		left, leader := t.find()
		if len(left) == 0 || ctx.Err() != nil || time.Now().After(until) {
			return left
		}
		t.killAll(left, leader)
		waitGone(ctx, left, time.Now().Add(look))
	}
}

// running reports whether q is still there and has not ended.
func running(q proc) bool {
	now, ok := look(q.pid)
	return ok && now.start == q.start && !now.dead
}

// waitGone blocks until none of the processes runs any more; false if one
// still does at the time given or when ctx ends.
func waitGone(ctx context.Context, procs []proc, until time.Time) bool {
	const first, last = 2 * time.Millisecond, 100 * time.Millisecond
	pause := first
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for len(procs) > 0 && !running(procs[len(procs)-1]) {
			procs = procs[:len(procs)-1]
		}
		left := time.Until(until)
		switch {
		case len(procs) == 0:
			return true
		case left <= 0:
			return false
		}
		timer.Reset(min(pause, left))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
		pause = min(2*pause, last)
	}
}

func names(procs []proc) []string {
	var words []string
	for i := range procs {
		words = append(words, procs[i].String())
	}
	return words
}
