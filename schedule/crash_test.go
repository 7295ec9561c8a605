package schedule_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
	"jobrunner/schedule"
)

// childEnv names the folder for which this binary is to run a clock instead of
// the tests.
const childEnv = "JOBRUNNER_TEST_CLOCK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := runClock(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// crashSchedule makes up for everything, so that each of its times must have
// made exactly one job.
func crashSchedule() jobs.Schedule {
	s := every(100 * time.Millisecond)
	s.CatchUp = jobs.CatchUpAll
	return s
}

// runClock runs a clock until the process is killed. It says so once the clock
// runs.
func runClock(dir string) error {
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		return err
	}
	c := catalog(dir, crashSchedule())
	fmt.Println("ready")
	return schedule.New(schedule.Options{StateDir: dir, Queue: q, Catalog: func() *jobs.Catalog { return c }}).Run(context.Background())
}

// However often the daemon is killed: no time makes two jobs, none is lost.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	state := q.StateID()
	// Some of its times were more than a minute ago.
	begin := time.Now().Add(-80 * time.Second).UTC().Truncate(time.Millisecond)
	err = q.PutSchedule(bg, jobs.ScheduleState{Name: "poll", Spec: schedule.SpecOf(crashSchedule()), NextAt: begin})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		killClock(t, dir)
	}

	r := finishClock(t, dir)
	states, err := r.Schedules(bg)
	if err != nil || len(states) != 1 {
		t.Fatalf("schedules: %v, %v", states, err)
	}
	want := 0
	for due := begin; due.Before(states[0].NextAt); due = due.Add(100 * time.Millisecond) {
		id := uuid.NewSHA1(uuid.MustParse(state), []byte("schedule:poll "+due.Format(jobs.TimeFormat))).String()
		if _, err := r.Job(bg, id); err != nil {
			t.Errorf("the job of %v: %v", due, err)
		}
		want++
	}
	stats, err := r.Stats(bg)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "jobs", stats.States[jobs.Pending], want)
}

// finishClock runs a clock until it has dealt with all that is due.
func finishClock(t *testing.T, dir string) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(filepath.Join(dir, "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	changed, unsubscribe := q.Changed()
	defer unsubscribe()
	now, c := time.Now(), catalog(dir, crashSchedule())
	ctx, cancel := context.WithTimeout(bg, time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- schedule.New(schedule.Options{StateDir: dir, Queue: q, Catalog: func() *jobs.Catalog { return c }}).Run(ctx)
	}()
	for {
		states, err := q.Schedules(bg)
		if err != nil {
			t.Fatal(err)
		}
		if states[0].NextAt.After(now) {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("it stands at %v", states[0].NextAt)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return q
}

// killClock starts a clock in a process of its own and kills it a moment later.
func killClock(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fscanln(out, new(string)); err != nil {
		t.Error("the clock said nothing:", err)
	}
	timer := time.NewTimer(rand.N(300 * time.Millisecond))
	defer timer.Stop()
	<-timer.C
	cancel()
	_ = cmd.Wait() // it was killed
}
