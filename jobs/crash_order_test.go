package jobs_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

// player does at random what people, the scheduler and a clock do with a
// queue, and prints what it was told is on disk.
type player struct {
	q     *jobs.Queue
	mu    sync.Mutex // guards known
	known []string
}

func playForEver(path string) {
	q, err := jobs.Open(path)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	p := &player{q: q}
	var group sync.WaitGroup
	for _, act := range []func() error{p.submit, p.submit, p.command, p.schedule, p.hold, p.pause, p.fire, p.wake} {
		group.Go(func() {
			for {
				if err := act(); err != nil {
					fmt.Println("error", err)
					return
				}
			}
		})
	}
	group.Wait()
}

func tell(words ...any) { fmt.Fprint(os.Stdout, fmt.Sprintln(words...)) } // one write(2) a line

// some gives up to n jobs that were taken in not long ago.
func (p *player) some(n int) (ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range rand.IntN(n + 1) {
		if len(p.known) > 0 {
			ids = append(ids, p.known[max(0, len(p.known)-1-rand.IntN(30))])
		}
	}
	return ids
}

// submit takes in a few jobs that wait for each other and for older ones.
func (p *player) submit() error {
	var in jobs.Intake
	var ids []string
	for n := range 1 + rand.IntN(4) {
		j := pendingJob()
		j.Retries, j.Priority, j.Hold = rand.IntN(3), rand.IntN(5), rand.IntN(8) == 0
		if rand.IntN(3) == 0 {
			j.UniqueKey = fmt.Sprint("key", rand.IntN(5))
		}
		if rand.IntN(5) == 0 {
			j.NotBefore = time.Now().Add(time.Duration(rand.IntN(20)) * time.Millisecond)
		}
		e := asks(j, p.some(3)...)
		for i := range e.Waits {
			e.Waits[i].Any = rand.IntN(2) == 0
		}
		if n > 0 {
			e.Waits = append(e.Waits, jobs.Wait{On: ids[rand.IntN(n)]})
		}
		if rand.IntN(2) == 0 {
			e.Duplicate = jobs.DuplicateReplace
		}
		ids = append(ids, j.ID)
		in.Entries = append(in.Entries, e)
	}
	out, err := p.q.Accept(bg, in)
	if err != nil {
		var refused *jobs.RefusedError
		if errors.As(err, &refused) {
			return nil // by way of a key it waits for itself
		}
		return err
	}
	for _, o := range out {
		tell("job", o.Job.ID)
		p.mu.Lock()
		p.known = append(p.known, o.Job.ID)
		p.mu.Unlock()
	}
	return nil
}

func (p *player) command() error {
	ids := p.some(2)
	if len(ids) == 0 {
		return nil
	}
	actions := []jobs.Action{jobs.Cancel, jobs.Retry, jobs.Retry, jobs.Release, jobs.Release, jobs.Hold, jobs.Rerun}
	_, err := p.q.Execute(bg, jobs.Command{Action: actions[rand.IntN(len(actions))], IDs: ids})
	return err
}

// schedule starts what may start, and ends it somehow.
func (p *player) schedule() error {
	next, err := p.q.Next(bg, map[string]int{"train": 8}, 8)
	if err != nil {
		return err
	}
	for _, j := range next {
		begun, err := p.q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: j.Attempt, Slots: map[string][]string{"gpu": {"0"}}}})
		if err != nil {
			return err
		}
		for _, j := range begun {
			if err := p.run(j); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) run(j *jobs.Job) error {
	if rand.IntN(6) == 0 {
		_, err := p.q.Unbegin(bg, j.ID, j.Attempt)
		return err
	}
	states := []jobs.State{jobs.Completed, jobs.Completed, jobs.Failed, jobs.Timeout, jobs.Lost}
	e := jobs.Ending{State: states[rand.IntN(len(states))], Reason: "why"}
	if e.State != jobs.Completed {
		e.RetryAt = time.Now().Add(time.Duration(rand.IntN(20)) * time.Millisecond)
	}
	ok, err := p.q.End(bg, j.ID, j.Attempt, e)
	if ok {
		tell("attempt", j.ID, j.Attempt, e.State)
	}
	return err
}

// hold takes in a job, and holds it for good.
func (p *player) hold() error {
	j := pendingJob()
	if _, err := p.q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j, Waits: asks(j, p.some(1)...).Waits}}}); err != nil {
		return err
	}
	out, err := p.q.Execute(bg, jobs.Command{Action: jobs.Hold, IDs: []string{j.ID}})
	if err == nil && out.State == jobs.Completed { // else it was started before
		tell("held", j.ID)
	}
	return err
}

// pause pauses a type for good, and has a job of it wait.
func (p *player) pause() error {
	name := "t" + uuid.NewString()
	if _, err := p.q.Execute(bg, jobs.Command{Action: jobs.Pause, Type: name}); err != nil {
		return err
	}
	j := pendingJob()
	j.Type = name
	if _, err := p.q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
		return err
	}
	begun, err := p.q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: 1}})
	if len(begun) > 0 {
		return fmt.Errorf("job %s began although its type is paused", j.ID)
	}
	tell("paused", j.ID, name)
	return err
}

// fire takes a schedule on by one step.
func (p *player) fire() error {
	states, err := p.q.Schedules(bg)
	if err != nil {
		return err
	}
	s := states[0]
	j := pendingJob()
	j.ID, j.Type = scheduled(s.NextAt.UnixMilli()), "tick"
	f := jobs.Firing{Name: s.Name, Due: s.NextAt, Next: s.NextAt.Add(time.Millisecond)}
	if _, err := p.q.Accept(bg, jobs.Intake{Firing: &f, Entries: []jobs.Entry{{Job: j}}}); err != nil {
		return err
	}
	tell("fired", s.NextAt.UnixMilli())
	return nil
}

func scheduled(at int64) string { return uuid.NewSHA1(uuid.Nil, fmt.Append(nil, at)).String() }

func (p *player) wake() error {
	_, err := p.q.Wake(bg, time.Now())
	return err
}

// Whatever was acknowledged before a SIGKILL stands afterwards, and what must
// hold of every queue holds, also of what was only half done.
func TestKilledWriterKeepsOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.db")
	q := reopenQueue(t, path)
	if err := q.PutSchedule(bg, jobs.ScheduleState{Name: "play", NextAt: time.UnixMilli(1)}); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	var said []string
	for round := range 4 {
		said = append(said, killAfter(t, "play", path, 100+round*150)...)
		q := reopenQueue(t, path)
		truth(t, q)
		checkCounters(t, q)
		for _, line := range said {
			checkSaid(t, q, strings.Fields(line))
		}
		checkSchedule(t, q)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkSaid(t *testing.T, q *jobs.Queue, words []string) {
	t.Helper()
	switch words[0] {
	case "job":
		readJob(t, q, words[1])
	case "attempt":
		got := strings.Join(attempts(t, q, words[1]), "\n")
		if want := words[2] + " " + words[3] + " why -"; !strings.Contains(got, want) {
			t.Errorf("attempts of job %s:\n%s\nwant among them %q", words[1], got, want)
		}
	case "held":
		j := readJob(t, q, words[1])
		// What it waits for may have ended it.
		if j.State != jobs.Failed && (j.State != jobs.Pending || !j.Hold) {
			t.Errorf("held job is %s, hold %v", j.State, j.Hold)
		}
	case "paused":
		b, err := q.Brakes(bg)
		if err != nil || !b.Types[words[2]] || readJob(t, q, words[1]).State != jobs.Pending {
			t.Errorf("type %s is not paused, or its job is not waiting (%v)", words[2], err)
		}
	case "fired":
		var at int64
		if _, err := fmt.Sscan(words[1], &at); err != nil {
			t.Fatal(err)
		}
		readJob(t, q, scheduled(at))
	default:
		t.Errorf("the writer said %q", words)
	}
}

// checkSchedule holds the schedule against its jobs: one of each time up to
// where it stands, and none of a later one.
func checkSchedule(t *testing.T, q *jobs.Queue) {
	t.Helper()
	states, err := q.Schedules(bg)
	if err != nil || len(states) != 1 {
		t.Fatal(states, err)
	}
	next := states[0].NextAt.UnixMilli()
	for at := int64(1); at < next; at++ {
		readJob(t, q, scheduled(at))
	}
	if _, err := q.Job(bg, scheduled(next)); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("the schedule stands at %d, and its job is there: %v", next, err)
	}
	stats, err := q.Stats(bg)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "jobs of the schedule", int64(stats.Types["tick"][jobs.Pending]), next-1)
}
