package runner

import (
	"context"
	"testing"
	"time"

	"jobrunner/jobs"
)

// execute carries out a command that is to work.
func (w *world) execute(c jobs.Command) {
	w.t.Helper()
	out, err := w.queue.Execute(context.Background(), c)
	if err != nil || out.State != jobs.Completed {
		w.t.Fatalf("%+v: %+v, %v", c, out, err)
	}
}

// serveDrained is serve; the channel gets a token each time that the Runner says
// that nothing runs any more.
func (w *world) serveDrained() (drained chan struct{}, stop func()) {
	drained = make(chan struct{}, 10)
	w.drained = func() { drained <- struct{}{} }
	_, stop = w.serve()
	return drained, stop
}

func (w *world) awaitDrained(drained chan struct{}) {
	w.t.Helper()
	select {
	case <-drained:
	case <-time.After(patience):
		w.t.Fatal("not drained")
	}
}

func TestPauseType(t *testing.T) {
	w := newWorld(t, 3, roleType("train"))
	running := w.addUntil("train", "running", 0)
	_, stop := w.serve()
	w.awaitRun(running, w.file("running"))
	w.execute(jobs.Command{Action: jobs.Pause, Type: "train"})
	waiting := w.addJob(jobs.Job{Type: "train", Priority: 9, Args: []string{"exit", "0"}})
	w.wantWaiting(waiting)
	stop() // it outlives the daemon
	r, _ := w.serve()
	r.Reload()
	w.wantWaiting(waiting)
	w.release(w.file("running"))
	w.want(w.awaitEnd(running), jobs.Completed, "exit 0")
	w.wantWaiting(waiting)
	w.execute(jobs.Command{Action: jobs.Resume, Type: "train"})
	w.want(w.awaitEnd(waiting), jobs.Completed, "exit 0")
}

// Nothing starts once a pause is committed, however many wait and end.
func TestPauseAll(t *testing.T) {
	const count = 40
	w := newWorld(t, 2)
	file := w.file("spans")
	var ids []string
	for range count {
		ids = append(ids, w.add("span", file, "1", "x"))
	}
	_, stop := w.serve()
	w.awaitEnd(ids[4])
	w.execute(jobs.Command{Action: jobs.Pause})
	started := map[string]bool{}
	for _, id := range ids {
		if w.job(id).State != jobs.Pending {
			started[id] = true
		}
	}
	for id := range started {
		w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	}
	if len(started) == count {
		t.Skip("all had started before the pause")
	}
	stop()
	_, stop = w.serve()
	held := w.add("exit", "0")
	w.command(jobs.Cancel, held) // it is served, and yet nothing starts
	stop()
	for _, id := range ids {
		if job := w.job(id); !started[id] && job.State != jobs.Pending {
			t.Errorf("job %s is %s, started after the pause", id, job.State)
		}
	}
	began, _ := spans(t, file)
	if len(began) != len(started) {
		t.Errorf("%d ran, want %d", len(began), len(started))
	}
	w.serve()
	w.execute(jobs.Command{Action: jobs.Resume})
	for _, id := range ids {
		w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	}
}

// A start that the queue refuses, because it was paused since the last look, is
// not asked for again and again.
func TestRefusedBegin(t *testing.T) {
	w := newWorld(t, 2)
	id := w.add("exit", "0")
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	s.look(context.Background())
	s.heed(context.Background())
	w.execute(jobs.Command{Action: jobs.Pause})
	s.fill(context.Background())
	if job := w.job(id); job.State != jobs.Pending || len(s.slots) != 0 {
		t.Errorf("the job is %s, %d slots are taken", job.State, len(s.slots))
	}
	if !s.dirty {
		t.Error("it does not look why")
	}
}

func TestHold(t *testing.T) {
	w := newWorld(t, 2)
	held := w.addJob(jobs.Job{Hold: true, Priority: 9, Args: []string{"exit", "0"}})
	other := w.addJob(jobs.Job{Args: []string{"exit", "0"}})
	w.command(jobs.Hold, other)
	w.serve()
	w.wantWaiting(held, other)
	w.command(jobs.Release, held)
	w.want(w.awaitEnd(held), jobs.Completed, "exit 0")
	w.wantWaiting(other)
	w.command(jobs.Release, other)
	w.want(w.awaitEnd(other), jobs.Completed, "exit 0")
}

func TestAfter(t *testing.T) {
	w := newWorld(t, 3)
	first := w.addUntil("", "first", 0)
	second := w.addJob(jobs.Job{Priority: 9, Args: []string{"exit", "4"}}, jobs.Wait{On: first})
	third := w.addJob(jobs.Job{Priority: 9, Args: []string{"exit", "0"}}, jobs.Wait{On: second})
	whatever := w.addJob(jobs.Job{Priority: 9, Args: []string{"exit", "0"}}, jobs.Wait{On: second, Any: true})
	w.serve()
	w.awaitRun(first, w.file("first"))
	w.wantWaiting(second, third, whatever)
	w.release(w.file("first"))
	w.want(w.awaitEnd(second), jobs.Failed, "exit 4")
	w.want(w.awaitEnd(third), jobs.Failed, "dependency "+second[:8]+" FAILED")
	job := w.awaitEnd(whatever)
	w.want(job, jobs.Completed, "exit 0")
	if after := w.job(second); job.StartedAt.Before(after.FinishedAt) {
		t.Error("it began before the one that it waits for had ended")
	}
}

// Start times wake the scheduler by themselves.
func TestNotBefore(t *testing.T) {
	w := newWorld(t, 3)
	w.serve()
	now := time.Now()
	var ids []string
	for _, wait := range []time.Duration{700 * time.Millisecond, 200 * time.Millisecond, -time.Hour} {
		at := now.Add(wait)
		ids = append(ids, w.addJob(jobs.Job{NotBefore: at, Due: at, Args: []string{"exit", "0"}}))
	}
	never := w.addJob(jobs.Job{NotBefore: now.Add(time.Hour), Due: now.Add(time.Hour), Args: []string{"exit", "0"}})
	for i, id := range ids {
		job := w.awaitEnd(id)
		w.want(job, jobs.Completed, "exit 0")
		if job.StartedAt.Before(job.NotBefore.Truncate(time.Millisecond)) {
			t.Errorf("job %d began at %s, not before %s", i, job.StartedAt, job.NotBefore)
		}
	}
	w.wantWaiting(never)
	w.command(jobs.Cancel, never)
}

// What is due is asked for at each look, and then the scheduler sleeps until
// then and no longer.
func TestSleepUntilDue(t *testing.T) {
	w := newWorld(t, 3)
	s := newScheduler(w.options())
	defer s.close()
	ctx := context.Background()
	at := time.Now().Add(time.Second)
	w.addJob(jobs.Job{NotBefore: at, Due: at, Args: []string{"exit", "0"}})
	s.dirty = true
	s.look(ctx)
	s.heed(ctx)
	s.wake(ctx)
	if wait := s.untilNext(); wait > time.Second {
		t.Errorf("it sleeps for %s, want at most 1s", wait)
	}
	// Not while starts are put off: that would be a busy loop.
	s.wakeAt, s.startAt = time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	beat := time.Now().Add(jobs.UntilBeat(tick))
	if wait := s.untilNext(); time.Now().Add(wait).Before(beat) {
		t.Errorf("it sleeps for %s", wait)
	}
}

func TestDrain(t *testing.T) {
	w := newWorld(t, 2)
	file := w.file("go")
	running := w.add("until", file, "0")
	_, stop := w.serveDrained()
	w.awaitRun(running, file)
	w.execute(jobs.Command{Action: jobs.Drain})
	waiting := w.add("exit", "0")
	stop() // another daemon goes on with it
	drained, stop := w.serveDrained()
	if job := w.job(waiting); job.State != jobs.Pending || len(drained) != 0 {
		t.Errorf("the waiting job is %s, told %d times that it is drained", job.State, len(drained))
	}
	w.release(file)
	w.awaitDrained(drained)
	w.want(w.job(running), jobs.Completed, "exit 0")
	if job := w.job(waiting); job.State != jobs.Pending {
		t.Errorf("the waiting job is %s, want PENDING", job.State)
	}
	stop()
	if err := w.queue.EndDrain(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.serve()
	w.want(w.awaitEnd(waiting), jobs.Completed, "exit 0")
}

// It is told once, and only when there is nothing that runs.
func TestTellDrained(t *testing.T) {
	w := newWorld(t, 1)
	told := 0
	w.drained = func() { told++ }
	s := newScheduler(w.options())
	defer s.close()
	tell := func(what string, want int) {
		t.Helper()
		s.tellDrained()
		if told != want {
			t.Errorf("%s: told %d times, want %d", what, told, want)
		}
	}
	tell("no drain", 0)
	s.brakes.Draining, s.dirty = true, true
	tell("not looked at yet", 0)
	s.dirty = false
	s.strays[attemptKey{"a", 1}] = attemptState{}
	tell("a stray runs", 0)
	clear(s.strays)
	tell("nothing runs", 1)
	tell("once more", 1)
}

// A drain with nothing running is over at once, and one that is lifted is none.
func TestDrainOfNothing(t *testing.T) {
	w := newWorld(t, 2)
	drained, _ := w.serveDrained()
	file := w.file("go")
	id := w.add("until", file, "0")
	w.awaitRun(id, file)
	w.execute(jobs.Command{Action: jobs.Drain})
	w.execute(jobs.Command{Action: jobs.Resume})
	w.want(w.awaitEnd(w.add("exit", "0")), jobs.Completed, "exit 0")
	w.release(file)
	w.awaitEnd(id)
	if n := len(drained); n != 0 {
		t.Errorf("told %d times that it is drained", n)
	}
	w.execute(jobs.Command{Action: jobs.Drain})
	w.awaitDrained(drained)
}
