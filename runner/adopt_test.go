package runner

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// begin commits that the jobs run under the supervisor that e talks to, as a
// daemon does that is killed before it asks for them.
func (w *world) begin(e *executor, ids ...string) {
	w.t.Helper()
	var starts []jobs.Start
	for _, id := range ids {
		starts = append(starts, jobs.Start{ID: id, Attempt: 1, Instance: e.Instance()})
	}
	begun, err := w.queue.Begin(context.Background(), starts)
	if err != nil || len(begun) != len(ids) {
		w.t.Fatalf("begun %d of %d: %v", len(begun), len(ids), err)
	}
}

// connect is a connection to this world's supervisor, which is started.
func (w *world) connect() *executor {
	w.t.Helper()
	o := w.options()
	e, err := connect(context.Background(), o.StateDir, o.Command, o.Log)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(e.Close)
	return e
}

// start asks for a job's attempt as the Runner does.
func (w *world) start(e *executor, id string) attemptState {
	w.t.Helper()
	job, c := w.job(id), w.catalog.Load()
	sp, err := prepare(job, c.Types[job.Type], c.Dir, w.state, readEnv(os.Environ()))
	if err != nil {
		w.t.Fatal(err)
	}
	st, err := e.Start(context.Background(), sp)
	if err != nil {
		w.t.Fatal(err)
	}
	return st
}

// ran is how often an until role began to wait for the file.
func (w *world) ran(file string) int {
	text, err := os.ReadFile(file + ".up")
	if err != nil {
		return 0
	}
	return strings.Count(string(text), "\n")
}

// awaitGone blocks until the process has ended and was reaped.
func (w *world) awaitGone(p jobs.ProcessID) {
	w.t.Helper()
	w.poll("the job's process is gone", func() bool { return !present(p) })
}

func TestAdoptRunning(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "5")
	next := w.add("exit", "0")
	_, stop := w.serve()
	before := w.awaitRun(id, file)
	stop()
	if job := w.job(id); job.State != jobs.Running || !alive(job.Process) {
		t.Fatalf("without a runner the job is %s, alive: %t", job.State, alive(job.Process))
	}
	w.serve()
	w.release(file)
	job := w.awaitEnd(id)
	w.want(job, jobs.Failed, "exit 5")
	if n := w.ran(file); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
	if !job.StartedAt.Equal(before.StartedAt) {
		t.Errorf("started at %s, before it was %s", job.StartedAt, before.StartedAt)
	}
	if after := w.awaitEnd(next); after.StartedAt.Before(job.FinishedAt) {
		t.Error("the next job began beside the adopted one under a limit of 1")
	}
}

func TestEndedMeanwhile(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "5")
	_, stop := w.serve()
	p := w.awaitRun(id, file).Process
	stop()
	w.release(file)
	w.awaitGone(p)
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 5")
}

// TestTermsOfTheStart changes a type while its jobs run and no runner is there:
// what their ends mean is what it was when they started.
func TestTermsOfTheStart(t *testing.T) {
	w := newWorld(t, 2)
	then := roleType("role")
	then.SuccessCodes, then.Timeout, then.KillGrace = []int{5}, time.Hour, 100*time.Millisecond
	w.configure(2, then)
	file := w.file("go")
	good := w.add("until", file, "5")
	_, stop := w.serve()
	w.awaitRun(good, file)
	stop()
	now := roleType("role")
	now.Timeout = time.Minute
	w.configure(2, now)
	w.serve()
	w.release(file)
	w.want(w.awaitEnd(good), jobs.Completed, "exit 5")
}

func TestCancelledMeanwhile(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "5")
	_, stop := w.serve()
	w.awaitRun(id, file)
	stop()
	w.command(jobs.Cancel, id)
	w.serve()
	w.want(w.awaitEnd(id), jobs.Cancelled, "cancelled by request")
}

// The daemon was killed after the supervisor had started the job and before it
// could note that.
func TestStartNotRecorded(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "5")
	e := w.connect()
	w.begin(e, id)
	st := w.start(e, id)
	e.Close()
	w.serve()
	if job := w.awaitRun(id, file); job.Process != st.Process {
		t.Errorf("process %+v, want %+v", job.Process, st.Process)
	}
	w.release(file)
	w.want(w.awaitEnd(id), jobs.Failed, "exit 5")
	if n := w.ran(file); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

// The daemon was killed before it could ask the supervisor.
func TestBegunNotStarted(t *testing.T) {
	w := newWorld(t, 2)
	file, other := w.file("go"), w.file("other")
	w.release(file)
	id, cancelled := w.add("until", file, "5"), w.add("until", other, "5")
	e := w.connect()
	w.begin(e, id, cancelled)
	w.command(jobs.Cancel, cancelled)
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 5")
	w.want(w.awaitEnd(cancelled), jobs.Cancelled, "cancelled by request")
	if n, m := w.ran(file), w.ran(other); n != 1 || m != 0 {
		t.Errorf("they ran %d and %d times, want 1 and 0", n, m)
	}
}

// The daemon was killed before it could ask the supervisor, and that is gone.
func TestBegunSupervisorGone(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	w.release(file)
	id := w.add("until", file, "5")
	e := w.connect()
	w.begin(e, id)
	e.Close()
	w.killSupervisor()
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 5")
	if n := w.ran(file); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

// What the supervisor wrote down counts also when it is gone.
func TestEndInJournal(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "5")
	_, stop := w.serve()
	w.awaitRun(id, file)
	stop()
	w.release(file)
	w.poll("the journal has the end", func() bool {
		entries, err := readJournal(w.state)
		for k, entry := range entries {
			if k.ID == id && entry.State.Ended {
				return true
			}
		}
		return err != nil
	})
	w.killSupervisor()
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 5")
	w.want(w.awaitEnd(w.add("exit", "0")), jobs.Completed, "exit 0")
	w.poll("the journal has forgotten it", func() bool {
		entries, err := readJournal(w.state)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries) == 0
	})
}

// An attempt that the supervisor runs and the queue does not know takes a place
// until it ends.
func TestStray(t *testing.T) {
	w := newWorld(t, 1)
	file, other := w.file("go"), w.file("other")
	e := w.connect()
	typ := w.catalog.Load().Types["role"]
	stray := &jobs.Job{ID: uuid.NewString(), Type: "role", Attempt: 1, Args: []string{"until", file, "0"}}
	sp, err := prepare(stray, typ, w.dir, w.state, readEnv(os.Environ()))
	if err != nil {
		t.Fatal(err)
	}
	st, err := e.Start(context.Background(), sp)
	if err != nil {
		t.Fatal(err)
	}
	w.awaitFile(file + ".up")
	id := w.add("until", other, "0")
	w.serve()
	w.release(file)
	started := w.awaitRun(id, other)
	if alive(st.Process) {
		t.Error("the job began beside the stray under a limit of 1")
	}
	if n := w.ran(file); n != 1 || started.State != jobs.Running {
		t.Errorf("the stray ran %d times, the job is %s", n, started.State)
	}
	w.release(other)
	w.awaitEnd(id)
}

// A PENDING job whose attempt runs already is taken over, not started again.
func TestStrayPending(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "5")
	w.start(w.connect(), id)
	w.serve()
	w.awaitRun(id, file)
	w.release(file)
	w.want(w.awaitEnd(id), jobs.Failed, "exit 5")
	if n := w.ran(file); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

func TestVerdict(t *testing.T) {
	now := bootID()
	code := 3
	gone := jobs.ProcessID{PID: 1 << 22, Start: "1", Boot: now}
	self, ok := identify(os.Getpid())
	if !ok {
		t.Fatal("this process is not found")
	}
	then := jobs.ProcessID{PID: os.Getpid(), Start: self.Start, Boot: "another"}
	ended := attemptState{Ended: true, Exit: &exitStatus{Known: true, Code: &code}}
	tests := []struct {
		name    string
		process jobs.ProcessID // in the queue
		entry   *journalEntry
		boot    string // of the supervisor, "" if the journal does not know it
		kind    verdictKind
		reason  string
	}{
		{"ended", self, &journalEntry{now, ended}, now, verdictEnded, ""},
		{"ended before a restart", then, &journalEntry{"another", ended}, "another", verdictEnded, ""},
		{"running", self, &journalEntry{now, attemptState{Process: self}}, now, verdictOrphan, ""},
		{"running, not in the queue", jobs.ProcessID{}, &journalEntry{now, attemptState{Process: self}}, now, verdictOrphan, ""},
		{"running, no journal", self, nil, "", verdictOrphan, ""},
		{"gone", gone, &journalEntry{now, attemptState{Process: gone}}, now, verdictLost, lostSupervisor},
		{"restarted", then, &journalEntry{"another", attemptState{Process: then}}, "another", verdictLost, restarted(bootTime(), time.Now())},
		{"restarted, no journal", then, nil, "", verdictLost, restarted(bootTime(), time.Now())},
		{"restarted, not started", jobs.ProcessID{}, nil, "another", verdictLost, restarted(bootTime(), time.Now())},
		{"about to start", jobs.ProcessID{}, &journalEntry{now, attemptState{}}, now, verdictLost, lostSupervisor},
		{"never asked", jobs.ProcessID{}, nil, now, verdictNever, ""},
		{"nothing known", jobs.ProcessID{}, nil, "", verdictLost, lostSupervisor},
	}
	for _, tt := range tests {
		job := &jobs.Job{ID: uuid.NewString(), Attempt: 1, Instance: "one", Process: tt.process}
		left := &estate{entries: map[key]journalEntry{}, boots: map[string]string{}}
		if tt.entry != nil {
			left.entries[key{"one", job.ID, 1}] = *tt.entry
		}
		if tt.boot != "" {
			left.boots["one"] = tt.boot
		}
		if got := left.verdict(job); got.kind != tt.kind || got.reason != tt.reason {
			t.Errorf("%s: %d %q, want %d %q", tt.name, got.kind, got.reason, tt.kind, tt.reason)
		}
	}
	// Nothing follows from records that could not be read.
	left := &estate{err: fmt.Errorf("reading: %w", os.ErrPermission), boots: map[string]string{"one": now}}
	if got := left.verdict(&jobs.Job{ID: uuid.NewString(), Instance: "one"}); got.kind != verdictLost {
		t.Errorf("journal not read: %d, want LOST", got.kind)
	}
}
