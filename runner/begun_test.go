package runner

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// The supervisor is killed while it is about to start many jobs.
func TestManyAboutToStart(t *testing.T) {
	w := newWorld(t, 30)
	var ids []string
	for range 30 {
		ids = append(ids, w.add("exit", "0"))
	}
	e := w.connect()
	w.begin(e, ids...)
	instance := e.Instance()
	e.Close()
	w.killSupervisor()
	f, err := os.OpenFile(filepath.Join(w.state, journalFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		line, err := appendRecord(nil, record{Kind: recordStarting, Instance: instance, ID: id, Attempt: 1})
		if err == nil {
			_, err = f.Write(line)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	began := time.Now()
	w.serve()
	for _, id := range ids {
		w.want(w.awaitEnd(id), jobs.Lost, lostSupervisor)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A type that goes between the commit of RUNNING and the start lets the job wait.
func TestTypeGoneBeforeStart(t *testing.T) {
	w := newWorld(t, 1, roleType("gone"))
	id := w.addJob(jobs.Job{Type: "gone", Args: []string{"exit", "0"}})
	e := w.connect()
	w.begin(e, id)
	w.configure(1)
	r, _ := w.serve()
	w.await(id, "given back", func(j *jobs.Job) bool { return j.State != jobs.Running })
	if job := w.job(id); job.State != jobs.Pending {
		t.Fatalf("it is %s %q", job.State, job.Reason)
	}
	w.configure(1, roleType("gone"))
	r.Reload()
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
}

// A start that comes after its job was ended without it does nothing.
func TestLateStart(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	w.release(file)
	id := w.add("until", file, "0")
	e := w.connect()
	w.begin(e, id)
	job, c := w.job(id), w.catalog.Load()
	sp, err := prepare(job, c.Types[job.Type], c.Dir, w.state, readEnv(os.Environ()))
	if err != nil {
		t.Fatal(err)
	}
	w.command(jobs.Cancel, id)
	w.serve()
	w.want(w.awaitEnd(id), jobs.Cancelled, "cancelled by request")
	if st, err := e.Start(context.Background(), sp); err == nil {
		t.Errorf("it was started although it is CANCELLED: %s", st.ID)
	}
}

// What is met when the supervisor answers again counts at once.
func TestLimitWithLateStray(t *testing.T) {
	w := newWorld(t, 1)
	file, other := w.file("go"), w.file("other")
	e := w.connect()
	stray := &jobs.Job{ID: uuid.NewString(), Type: "role", Attempt: 1, Args: []string{"until", file, "0"}}
	sp, err := prepare(stray, w.catalog.Load().Types["role"], w.dir, w.state, readEnv(os.Environ()))
	if err != nil {
		t.Fatal(err)
	}
	st, err := e.Start(context.Background(), sp)
	if err != nil {
		t.Fatal(err)
	}
	w.awaitFile(file + ".up")
	id := w.add("until", other, "0")
	s := newScheduler(w.options())
	defer s.close()
	s.fill(context.Background())
	if job := w.job(id); job.State != jobs.Pending {
		t.Errorf("the job is %s beside the stray under a limit of 1", job.State)
	}
	w.release(file)
	w.awaitGone(st.Process)
}

// An attempt that has ended takes no place, though its job is cancelled just
// when it is taken over.
func TestEndedStrayTakesNoPlace(t *testing.T) {
	w := newWorld(t, 1)
	id := w.add("exit", "0")
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	job := w.job(id)
	w.command(jobs.Cancel, id)
	s.takeStray(context.Background(), job, attemptState{ID: id, Attempt: 1, Ended: true})
	if _, most := s.room(w.catalog.Load()); most != 1 {
		t.Errorf("room for %d, want 1", most)
	}
}
