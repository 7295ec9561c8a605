//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

const killedConfig = `listen: ""
max_concurrent: 6
slots: {gpu: [0, 1]}
types:
  flaky: {command: [sh, flaky.sh], max_retries: 3, retry_delay: 50ms}
  gpu: {command: [sh, gpu.sh], slots: {gpu: 1}}
  once: {command: [sh, -c, 'echo $JOBRUNNER_JOB_ID >> once']}
  other: {command: [sh, -c, 'echo $JOBRUNNER_JOB_ID >> other']}
  tick: {command: [sh, -c, 'echo $JOBRUNNER_JOB_ID >> tick']}
schedules:
  - {name: tick, every: 1s, overlap: queue, request: {type: tick}}
`

// Whoever finds the token of another one in use says so.
const gpuScript = `mkdir token.$JOBRUNNER_SLOT_GPU || echo $JOBRUNNER_SLOT_GPU >> clash
sleep 0.1
echo $JOBRUNNER_JOB_ID >> gpu
rmdir token.$JOBRUNNER_SLOT_GPU
`

const flakyScript = `echo $JOBRUNNER_JOB_ID $JOBRUNNER_ATTEMPT >> flaky
[ $JOBRUNNER_ATTEMPT = 3 ] || exit 7
`

// The daemon is killed again and again at moments that nobody chose: what was
// tried is counted, what is held stays held, what is paused stays paused, no
// token is given twice, and no time of a schedule counts twice or never.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	const rounds = 14
	w := newWorld(t, map[string]string{"jobrunner.yaml": killedConfig, "gpu.sh": gpuScript, "flaky.sh": flakyScript})
	w.start()
	w.until("the schedule has come to a time", func() error { return exists(w.path("tick")) })
	times, ticks := w.ticks()
	var flaky, gpu, held, released []string
	for round := range rounds {
		flaky = append(flaky, w.ask("flaky", ""))
		gpu = append(gpu, w.ask("gpu", ""))
		w.ask("other", "")
		once := w.ask("once", `, "hold": true`)
		if round%2 == 1 {
			held = append(held, once)
			w.append("resume other")
		} else {
			released = append(released, once)
			w.append("pause other", "release "+once)
		}
		time.Sleep(rand.N(250 * time.Millisecond)) // the moment of its death, not a wait for something
		w.end(syscall.SIGKILL)
		w.restart()
	}
	w.append("pause other")
	paused := w.ask("other", "")
	gpu = append(gpu, w.ask("gpu", "")) // lines are taken in order: once it has run, so were all
	w.until("all has run that may", func() error { return w.completed(flaky, gpu, released) })
	w.checkFlaky(flaky)
	if clashes := w.lines("clash"); len(clashes) > 0 {
		t.Errorf("tokens were given to two jobs at once: %q", clashes)
	}
	w.waits("held", held...)
	w.waits("paused: type other", paused)
	w.end(syscall.SIGTERM)
	lastTimes, lastTicks := w.ticks()
	if made, want := lastTicks-ticks, int(lastTimes.Sub(times)/time.Second); made != want {
		t.Errorf("the schedule made %d jobs in %d times", made, want)
	}
	for _, name := range []string{"tick", "gpu", "once", "other"} {
		w.eachOnce(name)
	}
}

// restart starts a daemon, kills it while it starts, and starts another one.
func (w *world) restart() {
	w.Helper()
	early := w.command("jobrunner", "serve")
	if err := early.Start(); err != nil {
		w.Fatal(err)
	}
	time.Sleep(rand.N(120 * time.Millisecond)) // the moment of its death
	_ = early.Process.Kill()
	_ = early.Wait()
	w.start()
}

// ask appends a request with an id, and returns that.
func (w *world) ask(name, more string) (id string) {
	w.Helper()
	id = uuid.NewString()
	w.append(fmt.Sprintf(`{"type": %q, "id": %q%s}`, name, id, more))
	return id
}

// append appends lines to the queue file, each in one write.
func (w *world) append(lines ...string) {
	w.Helper()
	for _, line := range lines {
		f, err := os.OpenFile(w.path("job_queue.txt"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		if err == nil {
			_, err = f.WriteString(line + "\n")
			f.Close()
		}
		if err != nil {
			w.Fatal(err)
		}
	}
}

// ticks gives the last time that the schedule has dealt with, and how many jobs
// it has made so far.
func (w *world) ticks() (last time.Time, made int) {
	w.Helper()
	q := w.queue()
	defer q.Close()
	w.until("the schedule stands still", func() error {
		states, err := q.Schedules(context.Background())
		if err != nil || len(states) != 1 {
			return fmt.Errorf("schedules %+v, %v", states, err)
		}
		counts, err := q.Stats(context.Background())
		if err != nil {
			return err
		}
		again, err := q.Schedules(context.Background())
		if err != nil || !again[0].LastAt.Equal(states[0].LastAt) {
			return fmt.Errorf("it has moved on: %+v, %v", again, err)
		}
		last, made = again[0].LastAt, 0
		for _, n := range counts.Types["tick"] {
			made += n
		}
		return nil
	})
	return last, made
}

// completed says which of the jobs is not COMPLETED.
func (w *world) completed(lists ...[]string) error {
	q := w.queue()
	defer q.Close()
	for _, list := range lists {
		for _, id := range list {
			j, err := q.Job(context.Background(), id)
			if err != nil {
				return err
			}
			if j.State != jobs.Completed {
				return fmt.Errorf("%s is %s: %s", id, j.State, j.Reason)
			}
		}
	}
	return nil
}

// checkFlaky looks whether each of the jobs was tried three times, and that is
// known of it.
func (w *world) checkFlaky(ids []string) {
	w.Helper()
	q := w.queue()
	defer q.Close()
	for _, id := range ids {
		j, err := q.Detail(context.Background(), id)
		if err != nil {
			w.Fatal(err)
		}
		var past []string
		for _, a := range j.Past {
			past = append(past, fmt.Sprintf("%d %s %s", a.Attempt, a.State, a.Reason))
		}
		got := fmt.Sprintf("attempt %d with %d retries used: %s", j.Attempt, j.Retried, strings.Join(past, ", "))
		if want := "attempt 3 with 2 retries used: 1 FAILED exit 7, 2 FAILED exit 7, 3 COMPLETED exit 0"; got != want {
			w.Errorf("flaky job came to %s\nwant %s", got, want)
		}
	}
	w.eachOnce("flaky")
	if n := len(w.lines("flaky")); n != 3*len(ids) {
		w.Errorf("%d flaky jobs were started %d times, want 3 times each", len(ids), n)
	}
}

// waits looks whether jobs are PENDING for that reason.
func (w *world) waits(reason string, ids ...string) {
	w.Helper()
	for _, id := range ids {
		if j := w.job(id); j.State != jobs.Pending || j.Reason != reason {
			w.Errorf("%s is %s: %s; want PENDING: %s", id, j.State, j.Reason, reason)
		}
	}
}

// eachOnce looks that a file has no line twice.
func (w *world) eachOnce(name string) {
	w.Helper()
	seen := map[string]bool{}
	for _, line := range w.lines(name) {
		if seen[line] {
			w.Errorf("%s ran twice: %s", name, line)
		}
		seen[line] = true
	}
}
