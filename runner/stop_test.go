package runner

import (
	"context"
	"fmt"
	"testing"
	"time"

	"jobrunner/jobs"
)

// stopAll is StopAll, bounded.
func (w *world) stopAll() (int, []string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ended, left, err := StopAll(ctx, w.options())
	if err != nil {
		w.t.Fatal(err)
	}
	return ended, left
}

func TestStopAll(t *testing.T) {
	deaf := roleType("deaf")
	deaf.KillGrace = time.Second
	const count = 4
	w := newWorld(t, count+1, deaf)
	var ids []string
	_, stop := w.serve()
	for i := range count {
		file := w.file(fmt.Sprint("never", i))
		ids = append(ids, w.addJob(jobs.Job{Type: "deaf", Args: []string{"deaf", file, "0"}}))
		w.awaitRun(ids[i], file)
	}
	done := w.file("done")
	earlier := w.add("until", done, "5")
	p := w.awaitRun(earlier, done).Process
	stop()
	w.release(done) // it ends by itself before anybody stops it
	w.awaitGone(p)
	begun := time.Now()
	ended, left := w.stopAll()
	if took := time.Since(begun); took > count*time.Second {
		t.Errorf("it took %s: one after the other", took)
	}
	if ended != count+1 || len(left) != 0 {
		t.Errorf("%d ended, left %q, want %d and none", ended, left, count+1)
	}
	for _, id := range ids {
		w.want(w.job(id), jobs.Cancelled, "cancelled by request")
		if found := findByJob(id, 1); len(found) != 0 {
			t.Errorf("processes of job %s are left: %+v", id, found)
		}
	}
	w.want(w.job(earlier), jobs.Failed, "exit 5")
	if all, err := w.connect().Attempts(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("the supervisor still keeps %d, %v: it would stay for ever", len(all), err)
	}
}

func TestStopAllOrphans(t *testing.T) {
	w := newWorld(t, 2)
	one, two := w.file("one"), w.file("two")
	ids := []string{w.add("until", one, "0"), w.add("until", two, "0")}
	waiting := w.add("exit", "0")
	_, stop := w.serve()
	w.awaitRun(ids[0], one)
	w.awaitRun(ids[1], two)
	stop()
	w.killSupervisor()
	if ended, left := w.stopAll(); ended != 2 || len(left) != 0 {
		t.Errorf("%d ended, left %q, want 2 and none", ended, left)
	}
	for _, id := range ids {
		w.want(w.job(id), jobs.Cancelled, "cancelled by request")
	}
	if job := w.job(waiting); job.State != jobs.Pending {
		t.Errorf("the waiting job is %s, want PENDING", job.State)
	}
}

func TestStopAllOfNothing(t *testing.T) {
	w := newWorld(t, 1)
	if ended, left := w.stopAll(); ended != 0 || len(left) != 0 {
		t.Errorf("%d ended, left %q, want none", ended, left)
	}
	if pid := w.supervisorPID(); pid != 0 {
		t.Errorf("a supervisor was started: pid %d", pid)
	}
}
