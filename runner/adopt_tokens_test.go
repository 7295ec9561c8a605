package runner

import (
	"context"
	"os"
	"testing"

	"jobrunner/jobs"
)

// What is configured anew ends nothing, and what runs keeps its tokens.
func TestTokensReconfigured(t *testing.T) {
	w := slotWorld(t, 5, gpus(1, "0", "1"), taker("gpu", map[string]int{"gpu": 1}))
	one, two := w.addUntil("gpu", "one", 0), w.addUntil("gpu", "two", 0)
	r, _ := w.serve()
	w.awaitRun(one, w.file("one"))
	w.awaitRun(two, w.file("two"))
	w.pools = gpus(1, "2", "1")
	w.configure(5, taker("gpu", map[string]int{"gpu": 1}))
	r.Reload()
	three, four := w.addUntil("gpu", "three", 0), w.addUntil("gpu", "four", 0)
	w.awaitRun(three, w.file("three"))
	w.wantTokens(three, gpu("2"))
	w.wantTokens(one, gpu("0"))
	w.release(w.file("one"))
	w.want(w.awaitEnd(one), jobs.Completed, "exit 0")
	w.wantWaiting(four) // the token that is gone is not given out again
	w.release(w.file("two"))
	w.awaitRun(four, w.file("four"))
	w.wantTokens(four, gpu("1"))
	w.pools = nil
	w.configure(5, roleType("gpu"))
	r.Reload()
	five := w.addUntil("gpu", "five", 0)
	w.awaitRun(five, w.file("five"))
	w.wantTokens(five, nil)
	for _, id := range []string{three, four} {
		if job := w.job(id); job.State != jobs.Running || !alive(job.Process) {
			t.Errorf("job %s is %s, want RUNNING", id, job.State)
		}
	}
}

// A type that takes other tokens than when its job was begun, which has not
// started yet, gets those.
func TestTokensChangedBeforeStart(t *testing.T) {
	w := slotWorld(t, 1, gpus(1, "0", "1"), taker("gpu", map[string]int{"gpu": 2}))
	id := w.addUntil("gpu", "go", 0)
	w.begin(w.connect(), id)
	w.serve()
	w.awaitRun(id, w.file("go"))
	w.wantTokens(id, gpu("0", "1"))
}

// Tokens stay with those who have them when the daemon is another one, also if
// their supervisor is gone.
func TestTokensAdopted(t *testing.T) {
	w := slotWorld(t, 5, gpus(1, "0", "1"), taker("gpu", map[string]int{"gpu": 1}))
	one, two := w.addUntil("gpu", "one", 0), w.addUntil("gpu", "two", 0)
	_, stop := w.serve()
	w.awaitRun(one, w.file("one"))
	w.awaitRun(two, w.file("two"))
	stop()
	w.release(w.file("one"))
	w.awaitGone(w.job(one).Process)
	_, stop = w.serve()
	w.awaitEnd(one)
	three := w.addUntil("gpu", "three", 0)
	w.awaitRun(three, w.file("three"))
	w.wantTokens(three, gpu("0"))
	stop()
	w.killSupervisor()
	w.serve()
	four := w.addUntil("gpu", "four", 0)
	w.wantWaiting(four)
	w.release(w.file("two"))
	w.awaitRun(four, w.file("four"))
	w.wantTokens(four, gpu("1"))
}

// A process that the queue does not have running keeps its tokens too, and one
// that it has PENDING is taken over with them.
func TestTokensOfStrays(t *testing.T) {
	w := slotWorld(t, 5, gpus(1, "0", "1", "2"), taker("gpu", map[string]int{"gpu": 1}))
	file := w.file("stray")
	e := w.connect()
	stray := &jobs.Job{ID: "0b6f2d1c-0000-4000-8000-000000000001", Type: "gpu", Attempt: 1,
		Args: []string{"until", file, "0"}, Slots: gpu("0")}
	pending := w.addUntil("gpu", "pending", 0)
	early := w.job(pending)
	early.Slots = gpu("1")
	c := w.catalog.Load()
	for _, job := range []*jobs.Job{stray, early} {
		sp, err := prepare(job, c.Types["gpu"], w.dir, w.state, readEnv(os.Environ()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Start(context.Background(), sp); err != nil {
			t.Fatal(err)
		}
	}
	w.awaitFile(file + ".up")
	next, last := w.addUntil("gpu", "next", 0), w.addUntil("gpu", "last", 0)
	w.serve()
	w.awaitRun(next, w.file("next"))
	w.wantTokens(pending, gpu("1"))
	w.wantTokens(next, gpu("2"))
	w.wantWaiting(last)
	w.release(file)
	w.awaitRun(last, w.file("last"))
	w.wantTokens(last, gpu("0"))
	w.release(w.file("pending"))
	w.want(w.awaitEnd(pending), jobs.Completed, "exit 0")
	if n := w.ran(w.file("pending")); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

// One that could not be taken over at first is when its turn comes, and then it
// takes one place and not two.
func TestStrayTakenOverLater(t *testing.T) {
	w := newWorld(t, 2)
	file := w.file("go")
	id := w.add("until", file, "0")
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	st := w.start(s.link, id)
	w.execute(jobs.Command{Action: jobs.Pause})
	s.meetStray(context.Background(), st)
	if job := w.job(id); job.State != jobs.Pending || len(s.strays) != 1 {
		t.Fatalf("the job is %s, there are %d strays", job.State, len(s.strays))
	}
	w.execute(jobs.Command{Action: jobs.Resume})
	s.fill(context.Background())
	if job := w.job(id); job.State != jobs.Running || len(s.strays) != 0 || len(s.slots) != 1 {
		t.Errorf("the job is %s, there are %d strays and %d slots", job.State, len(s.strays), len(s.slots))
	}
	w.release(file)
	w.awaitGone(st.Process)
}
