package runner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"jobrunner/jobs"
)

// between carries out a command while no daemon runs.
func (w *world) between(c jobs.Command) {
	w.t.Helper()
	q, err := jobs.Open(filepath.Join(w.state, "queue.db"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer q.Close()
	out, err := q.Execute(context.Background(), c)
	if err != nil || out.State != jobs.Completed {
		w.t.Fatalf("%+v: %+v, %v", c, out, err)
	}
}

// kinds are jobs of every kind that a killed daemon must get right.
type kinds struct {
	*world
	file, tokens string   // what span and token roles note
	retried      []string // two failures, then success, each with a token
	plain        []string
	chain        []string // each waits for the one before
	timed        []string // they wait for their time
	paused       []string
	held         string
}

const kindsLimit = 5

func newKinds(t *testing.T) *kinds {
	k := &kinds{world: newWorld(t, kindsLimit)}
	k.file, k.tokens = k.world.file("spans"), k.world.file("tokens")
	for i := range 8 {
		k.retried = append(k.retried, k.addJob(jobs.Job{Type: "gpu", Retries: 2, Priority: i % 3,
			Args: []string{"token", k.tokens, "20", fmt.Sprint("gpu", i), "1", "1", "0"}}))
		k.plain = append(k.plain, k.add("span", k.file, "20", fmt.Sprint("plain", i)))
		k.paused = append(k.paused, k.addJob(jobs.Job{Type: "late", Priority: 20,
			Args: []string{"span", k.file, "5", fmt.Sprint("paused", i)}}))
		at := time.Now().Add(time.Duration(i) * 100 * time.Millisecond)
		k.timed = append(k.timed, k.addJob(jobs.Job{NotBefore: at, Due: at,
			Args: []string{"span", k.file, "5", fmt.Sprint("timed", i)}}))
		var waits []jobs.Wait
		if i > 0 {
			waits = []jobs.Wait{{On: k.chain[i-1]}}
		}
		k.chain = append(k.chain, k.addJob(jobs.Job{Args: []string{"span", k.file, "5", fmt.Sprint("chain", i)}}, waits...))
	}
	k.held = k.addJob(jobs.Job{Hold: true, Priority: 20, Args: []string{"span", k.file, "5", "held"}})
	k.execute(jobs.Command{Action: jobs.Pause, Type: "late"})
	return k
}

// check holds what must be so whenever no daemon runs.
func (k *kinds) check(released bool) {
	k.t.Helper()
	running, err := k.queue.Running(context.Background())
	if err != nil {
		k.t.Fatal(err)
	}
	taken := map[string]string{}
	for _, job := range running {
		for _, token := range job.Slots["gpu"] {
			if other := taken[token]; other != "" {
				k.t.Errorf("token %s is with %s and %s", token, other, job.ID)
			}
			taken[token] = job.ID
		}
		if job.Type == "gpu" && len(job.Slots["gpu"]) != 1 {
			k.t.Errorf("job %s runs with tokens %v", job.ID, job.Slots)
		}
	}
	if released {
		return
	}
	for _, id := range append([]string{k.held}, k.paused...) {
		if job := k.job(id); job.State != jobs.Pending {
			k.t.Errorf("job %s, held or of a paused type, is %s", id, job.State)
		}
	}
}

// untilEnded runs and kills daemons until all jobs have ended; the held ones are
// let go when the others have.
func (k *kinds) untilEnded(after func(life int)) {
	k.t.Helper()
	released := false
	k.lives(kindsLimit, func(int) {}, after, func() bool {
		k.check(released)
		if !released && k.allEnded(slices.Concat(k.retried, k.plain, k.chain, k.timed)) {
			released = true
			k.between(jobs.Command{Action: jobs.Resume, Type: "late"})
			k.between(jobs.Command{Action: jobs.Release, IDs: []string{k.held}})
		}
		return released && k.allEnded(append([]string{k.held}, k.paused...))
	})
}

// However often the daemon is killed: no retry is forgotten or made twice, no
// token given to two, nothing held, paused or too early starts.
func TestKindsDaemonKilled(t *testing.T) {
	k := newKinds(t)
	k.untilEnded(func(int) {})
	for _, id := range slices.Concat(k.retried, k.plain, k.chain, k.timed, k.paused, []string{k.held}) {
		k.want(k.job(id), jobs.Completed, "exit 0")
	}
	for i, id := range k.retried {
		k.wantAttempts(id, jobs.Failed, jobs.Failed, jobs.Completed)
		if job := k.job(id); job.Retried != 2 || job.Attempt != 3 {
			t.Errorf("job %d is at attempt %d after %d retries", i, job.Attempt, job.Retried)
		}
	}
	for label, n := range k.wantTokenOnce(k.tokens, 1) {
		if n != 3 {
			t.Errorf("job %s ran %d times, want 3", label, n)
		}
	}
	k.wantOnce(k.file, kindsLimit, len(k.plain)+len(k.chain)+len(k.timed)+len(k.paused)+1)
	for i := 1; i < len(k.chain); i++ {
		if before, job := k.job(k.chain[i-1]), k.job(k.chain[i]); job.StartedAt.Before(before.FinishedAt) {
			t.Errorf("link %d of the chain began before the one before had ended", i)
		}
	}
	for i, id := range k.timed {
		if job := k.job(id); job.StartedAt.Before(job.NotBefore.Truncate(time.Millisecond)) {
			t.Errorf("job %d began at %s, not before %s", i, job.StartedAt, job.NotBefore)
		}
	}
}

// If supervisors are killed too, attempts may be LOST; still none runs twice and
// no token is with two.
func TestKindsBothKilled(t *testing.T) {
	k := newKinds(t)
	killed := 0
	k.untilEnded(func(life int) {
		if life%3 != 0 {
			return
		}
		if p, ok := identify(k.supervisorPID()); ok {
			kill(p)
			killed++
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		}
	})
	lost := 0
	for _, id := range k.retried {
		past := k.detail(id).Past
		if len(past) > 3 {
			t.Errorf("job %s had %d attempts", id, len(past))
		}
		for _, a := range past {
			if a.State == jobs.Lost {
				lost++
			}
		}
	}
	t.Logf("%d supervisors killed, %d attempts lost", killed, lost)
	k.wantTokenOnce(k.tokens, 1)
	k.wantOnce(k.file, kindsLimit, 1)
}

// wantTokenOnce holds what token roles noted: no token was with more jobs at
// once than may share it, and no attempt of a job began twice.
func (w *world) wantTokenOnce(file string, perSlot int) (attempts map[string]int) {
	w.t.Helper()
	now, seen, attempts := map[string]int{}, map[string]bool{}, map[string]int{}
	for _, words := range notes(w.t, file) {
		token, label, attempt := words[1], words[2], words[3]
		if words[0] == "end" {
			now[token]--
			continue
		}
		if now[token]++; now[token] > perSlot {
			w.t.Errorf("token %s is with %d jobs at once", token, now[token])
		}
		if seen[label+"/"+attempt] {
			w.t.Errorf("attempt %s of job %s began twice", attempt, label)
		}
		seen[label+"/"+attempt] = true
		attempts[label]++
	}
	return attempts
}
