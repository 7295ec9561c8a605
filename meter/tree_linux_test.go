package meter_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/meter"
)

// processID gives what tells a process from all others, as the supervisor notes it.
func processID(t testing.TB, pid int) jobs.ProcessID {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return jobs.ProcessID{PID: pid, Start: strings.Fields(rest)[19], Boot: strings.TrimSpace(string(boot))}
}

// rootOf is a job whose first process has that pid and was started at 100.
func rootOf(t testing.TB, pid int) *jobs.Job {
	p := processID(t, os.Getpid())
	return &jobs.Job{Process: jobs.ProcessID{PID: pid, Start: "100", Boot: p.Boot}, StartedAt: time.Unix(1000, 0)}
}

// accounts passes a table after the other, two seconds apart, and gives what the
// only tree's usage is then: time in ms, processes.
func accounts(t *testing.T, passes ...[]meter.Process) (got []string) {
	t.Helper()
	tree := meter.NewTrees(rootOf(t, 10))
	at := time.Unix(1000, 0)
	for _, procs := range passes {
		at = at.Add(2 * time.Second)
		u := meter.Take(tree, at, procs...)[0]
		if u == nil {
			got = append(got, "-")
			continue
		}
		got = append(got, fmt.Sprintf("%d/%d", u.CPUTime.Milliseconds(), u.Processes))
	}
	return got
}

func TestAccounts(t *testing.T) {
	p := meter.NewProcess
	type table = []meter.Process
	init, root := p(1, 0, 1, 1, 5000, 5000), p(10, 5, 10, 100, 50, 0)
	for _, c := range []struct {
		name   string
		passes []table
		want   string
	}{
		{"another job's are not counted", []table{{init, root, p(20, 1, 20, 100, 900, 0)}}, "50/1"},
		{"the session", []table{{init, root, p(20, 1, 10, 100, 900, 0)}}, "950/2"},
		{"by descent", []table{{root, p(11, 10, 10, 101, 1, 0), p(30, 11, 30, 102, 2, 0), p(31, 30, 31, 103, 3, 0)}}, "56/4"},
		{"a child with a smaller pid", []table{{p(7, 10, 7, 300, 9, 0), root}}, "59/2"},
		{"a parent that is younger is none", []table{{root, p(40, 10, 40, 99, 900, 0)}}, "50/1"},
		{"another process got the root's pid", []table{{p(10, 1, 10, 500, 900, 0), p(11, 10, 10, 501, 900, 0)}}, "-"},
		{"it got it after a pass", []table{{root}, {p(10, 1, 10, 500, 900, 0)}}, "50/1 50/0"},
		{"seen before, it left session and parent", []table{{root, p(30, 10, 30, 102, 20, 0)}, {root, p(30, 1, 30, 102, 40, 0)}}, "70/2 90/2"},
		{"another process got its pid", []table{{root, p(30, 10, 30, 102, 20, 0)}, {root, p(30, 1, 30, 900, 4000, 0)}}, "70/2 70/1"},
		{"children too short to be seen", []table{{root}, {p(10, 5, 10, 100, 50, 700)}}, "50/1 750/1"},
		{"a child that the root has taken over", []table{{root, p(11, 10, 10, 101, 300, 0)}, {p(10, 5, 10, 100, 50, 310)}}, "350/2 360/1"},
		{"a child that nobody has taken over", []table{{root, p(11, 10, 10, 101, 300, 0)}, {p(10, 5, 10, 100, 60, 0)}, {p(10, 5, 10, 100, 70, 0)}}, "350/2 360/1 370/1"},
		{"it is taken over later", []table{{root, p(11, 10, 10, 101, 300, 0)}, {p(10, 5, 10, 100, 50, 0)}, {p(10, 5, 10, 100, 50, 310)}}, "350/2 350/1 360/1"},
		{"a grandchild by its grandparent", []table{{root, p(11, 10, 10, 101, 100, 0), p(12, 11, 10, 102, 200, 0)},
			{p(10, 5, 10, 100, 50, 305)}}, "350/3 355/1"},
		{"a zombie has its time still", []table{{root, p(11, 10, 10, 101, 300, 0)}, {root, meter.Dead(p(11, 10, 10, 101, 320, 0))},
			{p(10, 5, 10, 100, 50, 320)}}, "350/2 370/1 370/1"},
		{"the root ends, its children do not", []table{{root, p(11, 10, 10, 101, 300, 0)}, {p(11, 1, 10, 101, 400, 0), p(13, 11, 10, 109, 7, 0)}}, "350/2 457/2"},
		{"all end", []table{{root}, {init}, {init}}, "50/1 50/0 -"},
		{"a circle", []table{{p(50, 51, 50, 400, 1, 0), p(51, 50, 51, 400, 1, 0), root}}, "50/1"},
	} {
		if got := strings.Join(accounts(t, c.passes...), " "); got != c.want {
			t.Errorf("%s: ms/processes %s, want %s", c.name, got, c.want)
		}
	}
}

// Two jobs share a pass, and a job that one of the other starts is not counted twice.
func TestAccountsOfSeveral(t *testing.T) {
	trees := meter.NewTrees(rootOf(t, 10), rootOf(t, 20))
	p := meter.NewProcess
	all := meter.Take(trees, time.Unix(1002, 0),
		p(10, 1, 10, 100, 1000, 0), p(11, 10, 10, 101, 500, 0), p(20, 11, 20, 100, 4000, 0), p(21, 20, 20, 102, 300, 0))
	for n, want := range []jobs.Usage{
		{CPU: 0.75, CPUTime: 1500 * time.Millisecond, Memory: 2 << 20, PeakMemory: 2 << 20, Processes: 2},
		{CPU: 2.15, CPUTime: 4300 * time.Millisecond, Memory: 2 << 20, PeakMemory: 2 << 20, Processes: 2},
	} {
		if got := *all[n]; got != want {
			t.Errorf("job %d: %+v, want %+v", n, got, want)
		}
	}
}

// spawn starts a shell in a session of its own, as a supervisor does, with its
// output in the job's log. It is killed, with all that it has started, at the
// end of the test.
func (w *world) spawn(script string) (*jobs.Job, *exec.Cmd) {
	w.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.SysProcAttr = w.state, &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
		text, _ := os.ReadFile(filepath.Join(w.state, "pids"))
		for _, word := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(word); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	w.now = time.Now()
	j := w.start("job", time.Minute, processID(w, cmd.Process.Pid))
	w.meter.Change(w.now)
	w.pass(time.Millisecond)
	return j, cmd
}

// until passes through the processes until what is measured is as wanted.
func (w *world) until(what string, j *jobs.Job, done func(u *jobs.Usage) bool) *jobs.Usage {
	w.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for {
		w.meter.Pass(time.Now())
		w.meter.Turn(bg, time.Now())
		r := w.reading(j)
		if r != nil && r.Usage != nil && done(r.Usage) {
			return r.Usage
		}
		select {
		case <-tick.C:
		case <-late:
			w.Fatalf("waiting until %s: %+v", what, r)
		}
	}
}

// Real processes: children that burn processor time and hold memory, one of
// which has a session of its own and loses its parent.
func TestUsageOfRealProcesses(t *testing.T) {
	w := newWorld(t)
	j, cmd := w.spawn(`
		sh -c 'while :; do :; done' &
		echo $! > pids
		head -c 50000000 /dev/zero | tail -c 50000000 | sleep 1000 &
		sh -c 'echo $$ >> pids; setsid sh -c "echo \$\$ >> pids; touch up; exec sleep 1000" & until [ -e go ]; do sleep 0.02; done' &
		until [ -e stop ]; do sleep 0.02; done
		n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done`)
	u := w.until("it holds 50 MB", j, func(u *jobs.Usage) bool { return u.Memory > 50_000_000 })
	if u.Memory > 500_000_000 || u.PeakMemory < u.Memory {
		t.Errorf("memory %d, peak %d", u.Memory, u.PeakMemory)
	}
	w.until("it has used the processor", j, func(u *jobs.Usage) bool { return u.CPUTime > 300*time.Millisecond && u.CPU > 0 })
	w.until("the one with a session of its own is seen", j, func(u *jobs.Usage) bool {
		_, err := os.Stat(filepath.Join(w.state, "up"))
		return err == nil && u.Processes >= 7
	})
	w.touch("go") // its parent ends
	before := w.until("the parent is gone", j, func(u *jobs.Usage) bool { return u.Processes <= 8 })
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it ended by itself")
	}
	left := w.until("only that one is left", j, func(u *jobs.Usage) bool { return u.Processes == 1 })
	if left.CPUTime < before.CPUTime || left.PeakMemory < 50_000_000 {
		t.Errorf("in the end %+v, it was %+v", left, before)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("seen %v, of which %v stand to the account of the first process", left.CPUTime, used)
}

// What ended children have used counts, also of those that no pass has seen.
func TestUsageOfShortChildren(t *testing.T) {
	w := newWorld(t)
	j, cmd := w.spawn(`for i in 1 2 3; do sh -c 'n=0; while [ $n -lt 100000 ]; do n=$((n+1)); done'; done; touch up; until [ -e go ]; do sleep 0.02; done`)
	w.until("they are done", j, func(*jobs.Usage) bool {
		_, err := os.Stat(filepath.Join(w.state, "up"))
		return err == nil
	})
	seen := w.until("it is looked at once more", j, func(u *jobs.Usage) bool { return u.Processes > 0 }).CPUTime
	w.touch("go")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() // and that of children that it has waited for
	if used == 0 || seen < used*8/10-50*time.Millisecond || seen > used+50*time.Millisecond {
		t.Errorf("seen %v, used %v", seen, used)
	}
}

func (w *world) touch(name string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.state, name), nil, 0o600); err != nil {
		w.Fatal(err)
	}
}

// The next daemon goes on counting, and the peak before it is not lost.
func TestUsageAfterARestart(t *testing.T) {
	w := newWorld(t)
	j, _ := w.spawn(`sh -c 'while [ ! -e less ]; do :; done' & head -c 30000000 /dev/zero | tail -c 30000000 | sleep 1000 & wait`)
	w.until("it holds and burns", j, func(u *jobs.Usage) bool { return u.Memory > 30_000_000 && u.CPUTime > 200*time.Millisecond })
	w.meter.End(bg, time.Now())
	first := w.stored(j)
	w.touch("less")
	w.next()
	w.now = time.Now()
	w.meter.Turn(bg, w.now)
	if u := w.reading(j).Usage; u == nil || u.CPUTime < first.Usage.CPUTime {
		t.Errorf("at once %+v, it was %+v", u, first.Usage)
	}
	now := w.until("it is measured again", j, func(u *jobs.Usage) bool { return u.Processes > 0 })
	if now.CPUTime < first.Usage.CPUTime || now.PeakMemory < first.Usage.PeakMemory {
		t.Errorf("%+v, it was %+v", now, first.Usage)
	}
	if r := w.reading(j); len(first.Series) == 0 || len(r.Series) < len(first.Series) || !r.Series[0].At.Equal(first.Series[0].At) {
		t.Errorf("the series began with %+v, and now with %+v", first.Series, r.Series)
	}
}

// BenchmarkPass measures what a pass costs with so many processes on the system
// and 10 jobs. It reports the time on the processor, too: the machine may be busy.
func BenchmarkPass(b *testing.B) {
	for range 300 - processes(b) {
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	var list []*jobs.Job
	for range 10 {
		cmd := exec.Command("sh", "-c", "sleep 1000 & sleep 1000 & wait")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		})
		list = append(list, &jobs.Job{Process: processID(b, cmd.Process.Pid), StartedAt: time.Now()})
	}
	trees := meter.NewTrees(list...)
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		meter.LookAndTake(trees, time.Now())
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(processes(b)), "processes")
}

// processes gives how many processes there are, threads of the kernel too.
func processes(b *testing.B) int {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		b.Fatal(err)
	}
	return len(names)
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
