package runner

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"jobrunner/jobs"
)

func init() {
	// daemon runs a Runner for the state folder until it is killed.
	roles["daemon"] = func(args []string) {
		exe, err := os.Executable()
		if err != nil {
			panic(err)
		}
		dir, state := args[0], filepath.Join(args[0], "state")
		queue, err := jobs.Open(filepath.Join(state, "queue.db"))
		if err != nil {
			panic(err)
		}
		catalog := manyKinds(dir, number(args[1]))
		fmt.Println("up")
		err = New(Options{StateDir: state, Queue: queue, Catalog: func() *jobs.Catalog { return catalog },
			Command: []string{exe, "supervise", state}}).Run(context.Background())
		panic(err)
	}
}

// manyKinds are the types of the daemons that get killed: role; gpu, whose jobs
// take one of two tokens and may be tried three times; and late.
func manyKinds(dir string, limit int) *jobs.Catalog {
	c := &jobs.Catalog{Dir: dir, MaxConcurrent: limit, Types: map[string]*jobs.Type{}, Slots: gpus(1, "0", "1")}
	for _, name := range []string{"role", "gpu", "late"} {
		c.Types[name] = roleType(name)
		c.Types[name].Workdir = dir
	}
	gpu := c.Types["gpu"]
	gpu.Slots, gpu.MaxRetries, gpu.RetryDelay = map[string]int{"gpu": 1}, 2, 10*time.Millisecond
	gpu.RetryOn = jobs.RetryRules{Failed: true, Lost: true}
	return c
}

// lives runs daemons one after the other, each killed outright after a moment,
// until ok holds. before and after are called around the kill.
func (w *world) lives(limit int, before, after func(life int), ok func() bool) {
	w.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.queue.Close(); err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.state, "queue.db")
	if w.queue, err = jobs.OpenReader(path); err != nil {
		w.t.Fatal(err)
	}
	deadline := time.Now().Add(2 * patience)
	for life := 0; !ok(); life++ {
		if time.Now().After(deadline) {
			w.t.Fatalf("not done after %d lives", life)
		}
		daemon := exec.Command(exe, "role", "daemon", w.dir, fmt.Sprint(limit))
		daemon.Stderr = os.Stderr
		out, err := daemon.StdoutPipe()
		if err != nil {
			w.t.Fatal(err)
		}
		if err := daemon.Start(); err != nil {
			w.t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			w.t.Error(err)
		}
		// The moment is left to chance; in most lives something gets done first.
		if last := w.lastEvent(); rand.IntN(4) > 0 {
			w.poll("something has happened", func() bool { return w.lastEvent() > last })
		}
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		before(life)
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
		after(life)
	}
}

func (w *world) lastEvent() int64 {
	w.t.Helper()
	id, err := w.queue.LastEvent(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// allEnded reports whether nothing is left to do.
func (w *world) allEnded(ids []string) bool {
	for _, id := range ids {
		if !w.job(id).State.Ended() {
			return false
		}
	}
	return true
}

// However often the daemon is killed, each job runs once, never too many at
// once, and each status is the true one.
func TestDaemonKilled(t *testing.T) {
	const limit, count = 3, 40
	w := newWorld(t, limit)
	file := w.file("spans")
	var ids []string
	for i := range count {
		ids = append(ids, w.add("span", file, "30", fmt.Sprint(i)))
	}
	nothing := func(int) {}
	w.lives(limit, nothing, nothing, func() bool { return w.allEnded(ids) })
	for _, id := range ids {
		w.want(w.job(id), jobs.Completed, "exit 0")
	}
	w.wantOnce(file, limit, count)
}

// If the supervisor is killed as well, statuses may be unknown, but nothing
// runs twice and nothing is made up.
func TestBothKilled(t *testing.T) {
	const limit, count = 3, 40
	w := newWorld(t, limit)
	file := w.file("spans")
	var ids []string
	for i := range count {
		ids = append(ids, w.add("span", file, "30", fmt.Sprint(i)))
	}
	killed := 0
	killAt := func(phase int) func(int) {
		return func(life int) {
			if life%3 != phase {
				return
			}
			if p, ok := identify(w.supervisorPID()); ok {
				kill(p)
				killed++
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		}
	}
	w.lives(limit, killAt(0), killAt(1), func() bool { return w.allEnded(ids) })
	lost := 0
	for _, id := range ids {
		if job := w.job(id); job.State == jobs.Lost {
			w.want(job, jobs.Lost, lostSupervisor)
			lost++
		} else {
			w.want(job, jobs.Completed, "exit 0")
		}
	}
	t.Logf("%d supervisors killed, %d of %d jobs lost", killed, lost, count)
	w.wantOnce(file, limit, count-lost)
}

// wantOnce holds what span roles noted against at least count runs, none twice,
// and not more than limit at once.
func (w *world) wantOnce(file string, limit, count int) {
	w.t.Helper()
	began, most := spans(w.t, file)
	times := map[string]int{}
	for _, label := range began {
		times[label]++
		if times[label] > 1 {
			w.t.Errorf("job %s ran %d times", label, times[label])
		}
	}
	if len(times) < count {
		w.t.Errorf("%d jobs ran, want at least %d", len(times), count)
	}
	if most > limit {
		w.t.Errorf("%d at once, want at most %d", most, limit)
	}
}
