//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
)

// A script that tells in the file "trace" when it runs, for a while.
const traceScript = `echo "start $1" >> trace
sleep 0.35
echo "end $1" >> trace
`

const traceConfig = `listen: ""
max_concurrent: %d
types:
  trace: {interpreter: [sh], scripts: scripts}
  last: {command: [sh, scripts/trace.sh], priority: -1000}
`

// A page of before keeps its functions for the queue file; four processes use
// them at once while a hundred jobs run.
func TestFunctionsOfOldPage(t *testing.T) {
	t.Parallel()
	const total, limit = 100, 3
	page, err := os.ReadFile("testdata/page.py")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, map[string]string{
		"jobrunner.yaml":   fmt.Sprintf(traceConfig, limit),
		"scripts/trace.sh": traceScript,
		"page.py":          string(page),
	})
	w.start()
	ended := make(chan error, 4)
	for n := range 4 {
		cmd := w.command("python3", "page.py", fmt.Sprint(n))
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		go func() {
			err := cmd.Wait()
			if err != nil {
				err = fmt.Errorf("page %d: %w\n%s", n, err, out.String())
			}
			ended <- err
		}()
	}
	for range 4 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	w.until("all jobs have ended", func() error {
		if n := w.counts()[jobs.Pending] + w.counts()[jobs.Running]; n > 0 {
			return fmt.Errorf("%d have not", n)
		}
		return nil
	})
	ran := checkTrace(t, w.lines("trace"), limit)
	for n := range total {
		if ran[fmt.Sprint(n)] != 1 {
			t.Errorf("job %d ran %d times, want once", n, ran[fmt.Sprint(n)])
		}
	}
	removed := w.lines("removed")
	if len(removed) != 3 {
		t.Errorf("%d jobs were removed, want 3", len(removed))
	}
	for _, id := range removed {
		j := w.job(id)
		if want := "line removed from job_queue.txt"; j.State != jobs.Cancelled || j.Reason != want {
			t.Errorf("removed job is %s: %s, want CANCELLED: %s", j.State, j.Reason, want)
		}
		if ran["removed"] != 0 {
			t.Errorf("removed jobs ran %d times, want never", ran["removed"])
		}
	}
	if n := w.counts()[jobs.Completed]; n != total {
		t.Errorf("%d jobs are COMPLETED, want %d", n, total)
	}
}

// checkTrace returns how often each job ran, and reports if more than limit
// ran at once.
func checkTrace(t *testing.T, lines []string, limit int) map[string]int {
	t.Helper()
	ran, now, most := map[string]int{}, 0, 0
	for _, line := range lines {
		word, name, _ := strings.Cut(line, " ")
		switch word {
		case "start":
			ran[name]++
			now++
		case "end":
			now--
		}
		most = max(most, now)
	}
	if most > limit {
		t.Errorf("%d jobs ran at once, want at most %d", most, limit)
	}
	return ran
}

// Eight programs append a thousand lines (the long version: four thousand) while
// the daemon is killed again and again: each line becomes one job, and each job
// runs once.
func TestNoLineIsLost(t *testing.T) {
	t.Parallel()
	const programs = 8
	each := rounds(125, 500)
	o := newOracleWorld(t, 8)
	o.start()
	var wg sync.WaitGroup
	for n := range programs {
		wg.Go(func() {
			for i := range each {
				o.askLine(fmt.Sprintf("%d-%d", n, i), i%5)
			}
		})
	}
	for _, after := range []int{40, 2 * each, 5 * each} {
		o.going(func() (bool, string) {
			n := len(o.traced())
			return n/2 >= after, fmt.Sprint(n, " begins and ends of jobs")
		})
		o.end(syscall.SIGKILL)
		o.start()
	}
	wg.Wait()
	o.settle()
	o.check()
}

// A job outlives its daemon, however that ends, and its exit status is known.
func TestJobOutlivesDaemon(t *testing.T) {
	t.Parallel()
	gate := `echo $$ > pid.$1
echo begun
until [ -e open.$1 ]; do sleep 0.05; done
echo ended
: > ended.$1
exit $1
`
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		absent bool // it ends while there is no daemon
	}{
		{"stopped", syscall.SIGTERM, false},
		{"killed", syscall.SIGKILL, false},
		{"ends while none runs", syscall.SIGTERM, true},
		{"ends after a kill while none runs", syscall.SIGKILL, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, map[string]string{
				"jobrunner.yaml":  fmt.Sprintf(traceConfig, 1),
				"scripts/gate.sh": gate,
			})
			w.start()
			id := strings.TrimSpace(w.run("add", "gate.sh", "7"))
			w.until("the job runs", func() error { return exists(w.path("pid.7")) })
			w.end(c.signal)
			pid := strings.TrimSpace(w.read("pid.7"))
			if !alive(pid) {
				t.Fatalf("the job's process %s ended with the daemon", pid)
			}
			if c.absent {
				w.write("open.7", "")
				w.until("the job has ended", func() error { return exists(w.path("ended.7")) })
				w.start()
			} else {
				w.start()
				w.until("the job is known to run", func() error {
					if j := w.job(id); j.State != jobs.Running || fmt.Sprint(j.PID) != pid {
						return fmt.Errorf("it is %s with pid %d, want RUNNING with %s", j.State, j.PID, pid)
					}
					return nil
				})
				w.write("open.7", "")
			}
			if _, _, code := w.try("wait", id); code != 7 {
				t.Errorf("wait: exit code %d, want 7", code)
			}
			j := w.job(id)
			if j.State != jobs.Failed || j.Reason != "exit 7" || j.Attempt != 1 {
				t.Errorf("job is %s: %s at attempt %d, want FAILED: exit 7 at attempt 1", j.State, j.Reason, j.Attempt)
			}
			if got, want := w.run("logs", id), "begun\nended\n"; got != want {
				t.Errorf("output is %q, want %q", got, want)
			}
		})
	}
}

func exists(path string) error {
	_, err := os.Stat(path)
	return err
}

// The supervisor ends by itself when there is neither a daemon nor a job.
func TestSupervisorEndsByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": fmt.Sprintf(traceConfig, 1), "scripts/x.sh": "exit 0"})
	w.start()
	w.run("add", "--wait", "x.sh")
	lock := w.path(".jobrunner/supervisor.lock")
	pid := fmt.Sprint(readPID(lock))
	if !alive(pid) {
		t.Fatalf("no supervisor of pid %s is there", pid)
	}
	w.end(syscall.SIGTERM)
	w.until("the supervisor has ended", func() error {
		if supervises(lock) || alive(pid) {
			return errors.New("it is there")
		}
		return nil
	})
}

// cancel leaves nothing of a job behind, whatever its processes ignore.
func TestCancelEndsWholeTree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{
		"jobrunner.yaml": `listen: ""
types:
  stubborn: {command: [sh, scripts/tree.sh], kill_grace: 500ms}
`,
		"scripts/tree.sh": `trap '' TERM INT HUP
echo $$ >> pids
sh -c 'echo $$ >> pids; sleep 300' &
(sh -c 'echo $$ >> pids; sh -c "echo \$\$ >> pids; sleep 300; :" & wait' &)
wait
sleep 300
`,
	})
	w.start()
	id := strings.TrimSpace(w.run("add", "stubborn"))
	w.until("the whole tree runs", func() error {
		if n := len(w.lines("pids")); n != 4 {
			return fmt.Errorf("%d processes do, want 4", n)
		}
		return nil
	})
	begun := time.Now()
	out := w.run("cancel", id[:8])
	if want := id[:8] + " CANCELLED: cancelled by request\n"; out != want {
		t.Errorf("cancel printed %q, want %q", out, want)
	}
	if took := time.Since(begun); took < 500*time.Millisecond {
		t.Errorf("it took %s, less than kill_grace", took)
	}
	for _, pid := range w.lines("pids") {
		if alive(pid) {
			t.Errorf("process %s of the job is still there", pid)
		}
	}
	if j := w.job(id); j.Signal != "SIGKILL" {
		t.Errorf("signal is %q, want SIGKILL", j.Signal)
	}
}

// Every request in examples/ is taken, with the configuration of the project.
func TestExamples(t *testing.T) {
	t.Parallel()
	const root = "../.."
	w := newWorld(t, nil)
	if err := os.CopyFS(w.path("examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(root, configFile))
	if err != nil {
		t.Fatal(err)
	}
	w.write(configFile, "listen: \"\"\nsettle_bad: 300ms\n"+string(config))
	w.run("check")
	w.start()
	var names []string
	entries, err := os.ReadDir(w.path("examples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "grafana-dashboard.json" && slices.Contains([]string{".yaml", ".yml", ".json", ".txt", ".job"}, filepath.Ext(e.Name())) {
			names = append(names, e.Name())
		}
	}
	if len(names) < 5 {
		t.Fatalf("only %q are requests", names)
	}
	cancel := slices.Index(names, "cancel.yaml")
	if cancel < 0 {
		t.Fatalf("no cancel.yaml in %q", names)
	}
	for _, name := range slices.Delete(slices.Clone(names), cancel, cancel+1) {
		w.drop(name)
	}
	for _, name := range slices.Delete(slices.Clone(names), cancel, cancel+1) {
		w.answered(name, jobs.Completed)
	}
	// It names the last job of batch.txt, which has ended by now.
	w.drop("cancel.yaml")
	a := w.answered("cancel.yaml", jobs.Rejected)
	if want := "e9d4620b is already COMPLETED"; a != nil && a.Reason != want {
		t.Errorf("cancel.yaml: reason %q, want %q", a.Reason, want)
	}
}

// drop copies an example into the inbox as a person would.
func (w *world) drop(name string) {
	w.Helper()
	if out, err := w.command("cp", "examples/"+name, "inbox/"+name).CombinedOutput(); err != nil {
		w.Fatalf("%v\n%s", err, out)
	}
}

// answered waits until the reply to a file says that it has come to its end,
// which is to be of that state.
func (w *world) answered(name string, want jobs.State) *answer {
	w.Helper()
	var a *answer
	w.until(name+" has ended", func() (err error) {
		a, err = readAnswer(w.path("outbox/" + name + ".json"))
		if err == nil && (a == nil || !a.State.Ended()) {
			err = fmt.Errorf("its reply is %+v", a)
		}
		return err
	})
	if a.State != want {
		w.Errorf("%s is %s: %s, want %s", name, a.State, a.Reason, want)
	}
	return a
}
