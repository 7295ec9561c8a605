package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

func init() {
	// codes exits with the status that stands at its attempt.
	roles["codes"] = func(args []string) {
		attempt := os.Getenv("JOBRUNNER_ATTEMPT")
		fmt.Println("attempt", attempt)
		os.Exit(number(args[number(attempt)-1]))
	}
	// never waits, at its first attempt, for what does not come, and then ends well.
	roles["never"] = func(args []string) {
		note(args[0]+".up", "up")
		if os.Getenv("JOBRUNNER_ATTEMPT") == "1" {
			time.Sleep(time.Minute)
		}
	}
}

// again is a type whose jobs are tried again after what the rules say.
func again(name string, delay time.Duration, rules jobs.RetryRules) *jobs.Type {
	typ := roleType(name)
	typ.MaxRetries, typ.RetryDelay, typ.RetryOn, typ.KillGrace = 5, delay, rules, 100*time.Millisecond
	return typ
}

// detail is a job with its attempts.
func (w *world) detail(id string) *jobs.Job {
	w.t.Helper()
	job, err := w.queue.Detail(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return job
}

// awaitAttempt blocks until the job waits for, or runs, that attempt.
func (w *world) awaitAttempt(id string, n int) *jobs.Job {
	w.t.Helper()
	return w.await(id, fmt.Sprint("at attempt ", n), func(j *jobs.Job) bool { return j.Attempt == n })
}

// wantAttempts holds a job's history against the states that it should have.
func (w *world) wantAttempts(id string, want ...jobs.State) []jobs.Attempt {
	w.t.Helper()
	past := w.detail(id).Past
	var got []jobs.State
	for i, a := range past {
		got = append(got, a.State)
		if a.Attempt != i+1 {
			w.t.Errorf("attempt %d of job %s is called %d", i+1, id, a.Attempt)
		}
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("job %s has attempts %v, want %v", id, got, want)
	}
	return past
}

// readLog is what an attempt wrote.
func (w *world) readLog(name string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.state, "logs", name))
	if err != nil {
		w.t.Error(err)
	}
	return string(text)
}

func TestRetries(t *testing.T) {
	const delay = 60 * time.Millisecond
	w := newWorld(t, 2, again("again", delay, jobs.RetryRules{Failed: true}))
	id := w.addJob(jobs.Job{Type: "again", Retries: 3, Args: []string{"codes", "3", "4", "0"}})
	w.serve()
	job := w.awaitEnd(id)
	w.want(job, jobs.Completed, "exit 0")
	if job.Attempt != 3 || job.Retried != 2 {
		t.Errorf("attempt %d after %d retries, want 3 and 2", job.Attempt, job.Retried)
	}
	past := w.wantAttempts(id, jobs.Failed, jobs.Failed, jobs.Completed)
	for i, wait := range []time.Duration{delay, 2 * delay} {
		if got := past[i+1].StartedAt.Sub(past[i].FinishedAt); got < wait-time.Millisecond {
			t.Errorf("attempt %d began %s after the one before, want at least %s", i+2, got, wait)
		}
	}
	for i, code := range []int{3, 4, 0} {
		if past[i].ExitCode == nil || *past[i].ExitCode != code {
			t.Errorf("attempt %d: exit code %v, want %d", i+1, past[i].ExitCode, code)
		}
	}
	logs := []string{id + ".1.log", id + ".2.log", id + ".log"}
	for i, name := range logs {
		if got, want := w.readLog(name), fmt.Sprintf("attempt %d\n", i+1); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
		if past[i].Log != "logs/"+name {
			t.Errorf("attempt %d has log %q, want logs/%s", i+1, past[i].Log, name)
		}
	}
	w.poll("the supervisor has forgotten all attempts", func() bool {
		entries, err := readJournal(w.state)
		return err == nil && len(entries) == 0
	})
}

// Once the retries are used up the job has ended, and by hand it starts anew.
func TestRetriesUsedUp(t *testing.T) {
	w := newWorld(t, 2, again("again", time.Millisecond, jobs.RetryRules{Failed: true}))
	id := w.addJob(jobs.Job{Type: "again", Retries: 1, Args: []string{"codes", "3", "4", "5", "6", "7"}})
	none := w.addJob(jobs.Job{Type: "again", Args: []string{"codes", "3"}})
	w.serve()
	w.want(w.awaitEnd(id), jobs.Failed, "exit 4")
	w.want(w.awaitEnd(none), jobs.Failed, "exit 3")
	w.command(jobs.Retry, id)
	job := w.await(id, "ended again", func(j *jobs.Job) bool { return j.State.Ended() && j.Attempt == 4 })
	w.want(job, jobs.Failed, "exit 6")
	w.wantAttempts(id, jobs.Failed, jobs.Failed, jobs.Failed, jobs.Failed)
	w.wantAttempts(none, jobs.Failed)
}

// While a job waits for its next attempt it takes no place and no token, and it
// can be cancelled.
func TestRetryWaits(t *testing.T) {
	long := again("gpu", time.Hour, jobs.RetryRules{})
	long.Slots = map[string]int{"gpu": 1}
	w := slotWorld(t, 1, gpus(1, "0"), long)
	id := w.addJob(jobs.Job{Type: "gpu", Retries: 5, Args: []string{"codes", "3"}})
	next := w.addJob(jobs.Job{Type: "gpu", Args: []string{"exit", "0"}})
	w.serve()
	w.want(w.awaitEnd(next), jobs.Completed, "exit 0")
	job := w.awaitAttempt(id, 2)
	if job.State != jobs.Pending || time.Until(job.Due) < 50*time.Minute {
		t.Errorf("the job is %s, due %s, want PENDING for an hour", job.State, job.Due)
	}
	w.wantWaiting(id)
	w.command(jobs.Cancel, id)
	w.want(w.awaitEnd(id), jobs.Cancelled, "cancelled by request")
	w.wantAttempts(id, jobs.Failed)
}

func TestRetryRules(t *testing.T) {
	short := again("timeout", time.Millisecond, jobs.RetryRules{Timeout: true})
	short.Timeout = 200 * time.Millisecond
	unset := again("unset", time.Millisecond, jobs.RetryRules{})
	unset.Timeout = 200 * time.Millisecond
	missing := again("missing", time.Millisecond, jobs.RetryRules{Failed: true})
	missing.Command = []string{"no-such-program"}
	w := newWorld(t, 9, again("codes", time.Millisecond, jobs.RetryRules{Codes: []int{7}}), short, unset, missing)
	file := w.file("never")
	tests := []struct {
		typ   string
		args  []string
		state jobs.State
		past  []jobs.State
	}{
		{"codes", []string{"codes", "7", "8", "0"}, jobs.Failed, []jobs.State{jobs.Failed, jobs.Failed}},
		{"codes", []string{"codes", "0"}, jobs.Completed, []jobs.State{jobs.Completed}},
		{"timeout", []string{"never", file}, jobs.Completed, []jobs.State{jobs.Timeout, jobs.Completed}},
		{"timeout", []string{"codes", "1"}, jobs.Failed, []jobs.State{jobs.Failed}},
		{"unset", []string{"until", file, "0"}, jobs.Timeout, []jobs.State{jobs.Timeout}},
		{"missing", nil, jobs.Failed, []jobs.State{jobs.Failed}},
	}
	var ids []string
	for _, tt := range tests {
		ids = append(ids, w.addJob(jobs.Job{Type: tt.typ, Retries: 3, Args: tt.args}))
	}
	w.serve()
	for i, tt := range tests {
		if job := w.awaitEnd(ids[i]); job.State != tt.state {
			t.Errorf("%s %q is %s %q, want %s", tt.typ, tt.args, job.State, job.Reason, tt.state)
		}
		w.wantAttempts(ids[i], tt.past...)
	}
}

// Who cancels a job or ends all of them wants no further attempt.
func TestCancelledIsNotRetried(t *testing.T) {
	w := newWorld(t, 3, again("again", 0, jobs.RetryRules{Failed: true, Timeout: true, Lost: true}))
	var ids, files []string
	for i := range 3 {
		files = append(files, w.file(fmt.Sprint("go", i)))
		ids = append(ids, w.addJob(jobs.Job{Type: "again", Retries: 5, Args: []string{"until", files[i], "3"}}))
	}
	_, stop := w.serve()
	for i, id := range ids {
		w.awaitRun(id, files[i])
	}
	w.command(jobs.Cancel, ids[0])
	w.want(w.awaitEnd(ids[0]), jobs.Cancelled, "cancelled by request")
	stop()
	p := w.job(ids[1]).Process
	w.release(files[1]) // it ends by itself before anybody stops it
	w.awaitGone(p)
	if ended, _ := w.stopAll(); ended != 2 {
		t.Errorf("%d ended, want 2", ended)
	}
	w.want(w.job(ids[1]), jobs.Failed, "exit 3")
	w.want(w.job(ids[2]), jobs.Cancelled, "cancelled by request")
}

// A job whose end nobody saw is tried again if its type says so.
func TestRetryLost(t *testing.T) {
	w := newWorld(t, 2, again("lost", time.Millisecond, jobs.RetryRules{Lost: true}), again("kept", 0, jobs.RetryRules{}))
	lost, kept := w.file("lost"), w.file("kept")
	ids := []string{
		w.addJob(jobs.Job{Type: "lost", Retries: 1, Args: []string{"until", lost, "0"}}),
		w.addJob(jobs.Job{Type: "kept", Retries: 1, Args: []string{"until", kept, "0"}}),
	}
	_, stop := w.serve()
	p, q := w.awaitRun(ids[0], lost).Process, w.awaitRun(ids[1], kept).Process
	stop()
	w.killSupervisor()
	w.release(lost)
	w.release(kept)
	w.awaitGone(p)
	w.awaitGone(q)
	w.serve()
	w.want(w.awaitEnd(ids[0]), jobs.Completed, "exit 0")
	w.want(w.awaitEnd(ids[1]), jobs.Lost, lostSupervisor)
	past := w.wantAttempts(ids[0], jobs.Lost, jobs.Completed)
	if past[0].Reason != lostSupervisor {
		t.Errorf("the first attempt has the reason %q, want %q", past[0].Reason, lostSupervisor)
	}
	if n := w.ran(lost); n != 2 {
		t.Errorf("it ran %d times, want twice", n)
	}
}

// A time limit that the daemon has seen to itself counts like any other.
func TestRetryOrphanTimeout(t *testing.T) {
	short := again("short", time.Millisecond, jobs.RetryRules{Timeout: true})
	short.Timeout = time.Second
	w := newWorld(t, 1, short)
	file := w.file("file")
	id := w.addJob(jobs.Job{Type: "short", Retries: 1, Args: []string{"never", file}})
	w.serve()
	w.awaitRun(id, file)
	w.killSupervisor()
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	w.wantAttempts(id, jobs.Timeout, jobs.Completed)
}

// The rules are those of the type as it is when the attempt ends; what its exit
// status means is as it was at the start.
func TestRetryByCurrentType(t *testing.T) {
	w := newWorld(t, 1, again("again", 0, jobs.RetryRules{Codes: []int{9}}))
	file := w.file("go")
	id := w.addJob(jobs.Job{Type: "again", Retries: 1, Args: []string{"until", file, "3"}})
	r, _ := w.serve()
	w.awaitRun(id, file)
	w.configure(1, again("again", 0, jobs.RetryRules{Codes: []int{3}}))
	r.Reload()
	w.release(file)
	w.want(w.awaitEnd(id), jobs.Failed, "exit 3")
	w.wantAttempts(id, jobs.Failed, jobs.Failed)
}

// An attempt of which something runs on is not tried again beside that.
func TestLostIsNotDoubled(t *testing.T) {
	typ := again("lost", 0, jobs.RetryRules{Lost: true})
	w := newWorld(t, 1, typ)
	file := w.file("go")
	id := w.add("until", file, "0") // it stands for what an attempt left behind
	w.serve()
	w.awaitRun(id, file)
	job := *w.job(id)
	job.Retries = 1
	sl := &slot{job: &job, catalog: func() *jobs.Catalog { return &jobs.Catalog{Types: map[string]*jobs.Type{"role": typ}} }}
	e := jobs.Ending{State: jobs.Lost, Reason: lostSupervisor}
	if sl.plan(&e); !e.RetryAt.IsZero() || !strings.HasPrefix(e.Reason, lostSupervisor+"; still running: pid ") {
		t.Errorf("planned for %s, reason %q", e.RetryAt, e.Reason)
	}
	w.release(file)
	w.awaitGone(job.Process)
	e = jobs.Ending{State: jobs.Lost, Reason: lostSupervisor}
	if sl.plan(&e); e.RetryAt.IsZero() || e.Reason != lostSupervisor {
		t.Errorf("not planned although nothing runs any more, reason %q", e.Reason)
	}
}

// The wait counts from the end, and never from a time that is still to come.
func TestRetryAt(t *testing.T) {
	typ := again("again", time.Minute, jobs.RetryRules{Failed: true})
	sl := &slot{job: &jobs.Job{Type: "again", Retries: 1},
		catalog: func() *jobs.Catalog { return &jobs.Catalog{Types: map[string]*jobs.Type{"again": typ}} }}
	code := 1
	for _, shift := range []time.Duration{-time.Hour, 24 * time.Hour} {
		now := time.Now()
		e := jobs.Ending{State: jobs.Failed, ExitCode: &code, FinishedAt: now.Add(shift)}
		sl.plan(&e)
		from := now.Add(min(shift, 0))
		if wait := e.RetryAt.Sub(from); wait < time.Minute || wait > time.Minute+10*time.Second {
			t.Errorf("ended %s from now: next attempt %s after", shift, wait)
		}
	}
	sl.survivors = []string{"pid 7 (python3)"}
	e := jobs.Ending{State: jobs.Failed, ExitCode: &code}
	if sl.plan(&e); !e.RetryAt.IsZero() {
		t.Error("planned although a process of it could not be ended")
	}
	sl.survivors, sl.why = nil, jobs.EndCancel
	e = jobs.Ending{State: jobs.Failed, ExitCode: &code}
	if sl.plan(&e); !e.RetryAt.IsZero() {
		t.Error("planned although it is being cancelled")
	}
}
