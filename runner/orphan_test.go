package runner

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// wantEnd is want for a job whose status nobody but the kernel could tell: where
// it does not, the job is LOST, and never anything else.
func (w *world) wantEnd(job *jobs.Job, state jobs.State, reason string) {
	w.t.Helper()
	if !tellsStrangers(w.t) {
		state, reason = jobs.Lost, lostSupervisor
	}
	w.want(job, state, reason)
}

// The supervisor is killed while the daemon runs: its jobs run on, keep their
// places, and their true status is known where the kernel tells it.
func TestSupervisorKilled(t *testing.T) {
	w := newWorld(t, 2)
	one, two, three := w.file("one"), w.file("two"), w.file("three")
	ids := []string{w.add("until", one, "0"), w.add("until", two, "7"), w.add("until", three, "3")}
	w.serve()
	w.awaitRun(ids[0], one)
	w.awaitRun(ids[1], two)
	w.killSupervisor()
	w.release(two)
	second := w.awaitEnd(ids[1])
	w.wantEnd(second, jobs.Failed, "exit 7")
	if job := w.job(ids[0]); job.State != jobs.Running || !alive(job.Process) {
		t.Errorf("the first job is %s %q, want RUNNING", job.State, job.Reason)
	}
	if third := w.awaitRun(ids[2], three); third.StartedAt.Before(second.FinishedAt) {
		t.Error("the third job began before an orphan had left its place")
	}
	w.release(one)
	w.wantEnd(w.awaitEnd(ids[0]), jobs.Completed, "exit 0")
	w.release(three)
	w.want(w.awaitEnd(ids[2]), jobs.Failed, "exit 3")
}

// The job is killed together with its supervisor.
func TestSupervisorKilledWithJob(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "0")
	w.serve()
	p := w.awaitRun(id, file).Process
	supervisor, ok := identify(w.supervisorPID())
	if !ok {
		t.Fatal("no supervisor runs")
	}
	kill(supervisor)
	kill(p)
	w.wantEnd(w.awaitEnd(id), jobs.Failed, "signal 9 (SIGKILL)")
}

// The supervisor is killed while there is no daemon; the next one watches.
func TestSupervisorKilledAlone(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id, next := w.add("until", file, "4"), w.add("exit", "0")
	_, stop := w.serve()
	w.awaitRun(id, file)
	stop()
	w.killSupervisor()
	w.serve()
	w.release(file)
	job := w.awaitEnd(id)
	if job.State == jobs.Lost {
		w.want(job, jobs.Lost, lostSupervisor) // it ended before it was looked for
	} else {
		w.wantEnd(job, jobs.Failed, "exit 4")
	}
	w.want(w.awaitEnd(next), jobs.Completed, "exit 0")
}

// Supervisor and job end while there is no daemon: nobody saw the status.
func TestLost(t *testing.T) {
	w := newWorld(t, 1)
	file := w.file("go")
	id := w.add("until", file, "0")
	_, stop := w.serve()
	p := w.awaitRun(id, file).Process
	stop()
	w.killSupervisor()
	w.release(file)
	w.awaitGone(p)
	w.serve()
	job := w.awaitEnd(id)
	w.want(job, jobs.Lost, lostSupervisor)
	if job.ExitCode != nil || job.Signal != "" {
		t.Errorf("exit code %v, signal %q were made up", job.ExitCode, job.Signal)
	}
}

func TestCancelOrphan(t *testing.T) {
	deaf := roleType("deaf")
	deaf.KillGrace = 300 * time.Millisecond
	w := newWorld(t, 2, deaf)
	one, two := w.file("one"), w.file("two")
	ids := []string{w.add("until", one, "0"), w.addJob(jobs.Job{Type: "deaf", Args: []string{"deaf", two, "0"}})}
	w.serve()
	w.awaitRun(ids[0], one)
	p := w.awaitRun(ids[1], two).Process
	w.killSupervisor()
	w.command(jobs.Cancel, ids...)
	for _, id := range ids {
		w.want(w.awaitEnd(id), jobs.Cancelled, "cancelled by request")
	}
	if alive(p) {
		t.Error("the deaf job is still alive")
	}
}

func TestOrphanTimeout(t *testing.T) {
	short := roleType("short")
	short.Timeout = time.Second
	w := newWorld(t, 1, short)
	file := w.file("never")
	id := w.addJob(jobs.Job{Type: "short", Args: []string{"until", file, "0"}})
	w.serve()
	w.awaitRun(id, file)
	w.killSupervisor()
	w.want(w.awaitEnd(id), jobs.Timeout, "timeout 1s")
}

// The end of an orphan means what it meant when it started.
func TestTermsOfAnOrphan(t *testing.T) {
	w := newWorld(t, 2)
	then := roleType("role")
	then.SuccessCodes, then.Timeout = []int{5}, time.Hour
	w.configure(2, then)
	file := w.file("go")
	id := w.add("until", file, "5")
	_, stop := w.serve()
	w.awaitRun(id, file)
	stop()
	now := roleType("role")
	now.Timeout = time.Millisecond
	w.configure(2, now, roleType("next"))
	w.killSupervisor()
	w.serve()
	// It begins when the orphan has been adopted.
	next := w.addJob(jobs.Job{Type: "next", Args: []string{"exit", "0"}})
	w.want(w.awaitEnd(next), jobs.Completed, "exit 0")
	w.release(file)
	w.wantEnd(w.awaitEnd(id), jobs.Completed, "exit 5")
}

// A daemon that was ending an orphan may be killed just after the signal. What
// the next one then sees of the orphan's end is what was asked for, unless the
// orphan has succeeded all the same.
func TestOrphanEndedBefore(t *testing.T) {
	zero, three := 0, 3
	tests := []struct {
		name  string
		asked jobs.EndReason
		exit  exitStatus
		want  jobs.State
	}{
		{"cancelled", jobs.EndCancel, exitStatus{Known: true, Signal: "SIGTERM"}, jobs.Cancelled},
		{"cancelled, in its own way", jobs.EndCancel, exitStatus{Known: true, Code: &three}, jobs.Cancelled},
		{"cancelled, status unknown", jobs.EndCancel, exitStatus{}, jobs.Cancelled},
		{"succeeded", jobs.EndCancel, exitStatus{Known: true, Code: &zero}, jobs.Completed},
		{"out of time", jobs.EndTimeout, exitStatus{Known: true, Signal: "SIGKILL"}, jobs.Timeout},
		{"by itself", "", exitStatus{Known: true, Signal: "SIGTERM"}, jobs.Failed},
		{"by itself, status unknown", "", exitStatus{}, jobs.Lost},
	}
	w := newWorld(t, len(tests))
	e := w.connect()
	stop := make(chan struct{})
	close(stop)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := w.add("exit", "0")
			w.begin(e, id)
			job := w.job(id)
			job.EndReason = tt.asked
			sl := &slot{job: job, queue: w.queue, catalog: w.catalog.Load, state: w.state, log: zerolog.Nop(), stop: stop}
			sl.sawOrphanEnd(context.Background(), tt.exit)
			if got := w.job(id); got.State != tt.want {
				t.Errorf("got %s %q, want %s", got.State, got.Reason, tt.want)
			}
		})
	}
}
