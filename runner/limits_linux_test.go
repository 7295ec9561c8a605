package runner

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

func init() {
	// humble becomes the role that follows, without the right to lower niceness.
	roles["humble"] = func(args []string) {
		runtime.LockOSThread()
		err := unix.Setrlimit(unix.RLIMIT_NICE, &unix.Rlimit{})
		if err == nil && os.Geteuid() == 0 {
			err = unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_NICE, 0, 0, 0)
		}
		if err == nil {
			err = syscall.Exec("/proc/self/exe", append([]string{"test", "role"}, args...), os.Environ())
		}
		fmt.Println(err)
		os.Exit(1)
	}
	// nice runs nice(1) with a niceness and says what became of that.
	roles["nice"] = func(args []string) {
		nice := number(args[0])
		sp := spec{ID: "an-id", Attempt: 1, Argv: []string{"nice"}, Env: os.Environ(), Dir: "/", Umask: -1,
			Log: args[1], Limits: limits{Nice: &nice}}
		c, err := launchNow(&sp, (&limiter{used: map[int]int{}}).bind(&sp))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		c.await()
		c.reap()
		fmt.Print(c.limits)
	}
}

// gated is a job that runs the script once open is called: by then all its
// limits hold.
func gated(h *house, script string) (s spec, open func()) {
	s = h.job("sh", "-c", "read line < gate; "+script)
	s.Dir = h.t.TempDir()
	gate := filepath.Join(s.Dir, "gate")
	if err := unix.Mkfifo(gate, 0o600); err != nil {
		h.t.Fatal(err)
	}
	return s, func() {
		h.t.Helper()
		if err := os.WriteFile(gate, []byte("go\n"), 0); err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestNice(t *testing.T) {
	h := newHouse(t)
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 - niceness
	if err != nil {
		t.Fatal(err)
	}
	mine := 20 - own
	for _, nice := range []int{mine + 3, min(mine+30, 19)} {
		s := h.job("nice")
		s.Limits.Nice = &nice
		end := h.run(s)
		if got, want := h.output(s), fmt.Sprintf("%d\n", nice); got != want {
			t.Errorf("it had niceness %q, want %q", got, want)
		}
		if want := fmt.Sprintf("nice %d", nice); end.Limits != want {
			t.Errorf("got %q, want %q", end.Limits, want)
		}
	}
	// It stays with the job that asked for it.
	for range 20 {
		s := h.job("nice")
		h.run(s)
		if got, want := h.output(s), fmt.Sprintf("%d\n", mine); got != want {
			t.Fatalf("a job without limits had niceness %q, want %q", got, want)
		}
	}
	if got, err := unix.Getpriority(unix.PRIO_PROCESS, h.PID()); err != nil || got != own {
		t.Errorf("the supervisor has niceness %d, %v, want %d", 20-got, err, mine)
	}
}

// What was set of the limits is kept with the job.
func TestLimitsAreRecorded(t *testing.T) {
	nice, limited := 19, roleType("limited")
	limited.Nice = &nice
	w := newWorld(t, 1, limited)
	w.serve()
	for name, want := range map[string]string{"limited": "nice 19", "role": ""} {
		job := w.awaitEnd(w.addJob(jobs.Job{Type: name, Args: []string{"exit", "0"}}))
		if job.State != jobs.Completed || job.Limits != want {
			t.Errorf("%s: %s %q, limits %q, want %q", name, job.State, job.Reason, job.Limits, want)
		}
	}
}

func TestNiceNotPermitted(t *testing.T) {
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine := 20 - own
	log := filepath.Join(t.TempDir(), "an-id.log")
	out, err := exec.Command(testBinary(t), "role", "humble", "nice", strconv.Itoa(mine-5), log).CombinedOutput()
	if want := fmt.Sprintf("nice %d not set: permission denied", mine-5); err != nil || string(out) != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
	if got, err := os.ReadFile(log); string(got) != fmt.Sprintf("%d\n", mine) {
		t.Errorf("it had niceness %q, %v, want %d", got, err, mine)
	}
}

func TestMemoryLimit(t *testing.T) {
	h := newHouse(t)
	// tail keeps all of a line, however long.
	s, open := gated(h, "head -c 400000000 /dev/zero | tail -n 1 | wc -c")
	s.Limits.Memory = 200 << 20
	state := h.start(s)
	open()
	end := h.ending(s.ID, 1)
	switch state.Limits {
	case "memory 200MiB by cgroup":
		if got := how(end); got != "SIGKILL" || end.Exit.Note != "out of memory, limit 200MiB" {
			t.Errorf("got %q, %q", got, end.Exit.Note)
		}
	case "memory 200MiB for each process (rlimit)":
		if got := h.output(s); strings.Contains(got, "400000000") || !strings.Contains(got, "memory exhausted") {
			t.Errorf("got %s %q, want tail to be denied the memory", how(end), got)
		}
	default:
		t.Errorf("got %q", state.Limits)
	}

	s = h.job("sh", "-c", "head -c 400000000 /dev/zero | tail -n 1 | wc -c")
	if end := h.run(s); end.Limits != "" || h.output(s) != "400000000\n" {
		t.Errorf("without a limit: %q, %q", end.Limits, h.output(s))
	}
}

// A program that reserves many addresses and uses little memory is not hindered.
func TestMemoryLimitOfReserved(t *testing.T) {
	h := newHouse(t)
	s, open := gated(h, fmt.Sprintf("exec python3 -c %q", "import mmap; mmap.mmap(-1, 1 << 36, prot=0, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"))
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	s.Limits.Memory = 200 << 20
	h.start(s)
	open()
	if got := how(h.ending(s.ID, 1)); got != "exit 0" {
		t.Errorf("got %q: %s", got, h.output(s))
	}
}

func TestProcessors(t *testing.T) {
	all := allowedProcessors()
	if len(all) < 2 {
		t.Skip("one processor cannot be shared out")
	}
	if h := lookForHome(); h != nil && h.cpu {
		t.Skip("control groups limit processors here")
	}
	h := newHouse(t)
	allowed := func(s spec) string {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.start(s).Process.PID))
		if err != nil {
			t.Fatal(err)
		}
		_, list, _ := strings.Cut(string(data), "Cpus_allowed_list:\t")
		list, _, _ = strings.Cut(list, "\n")
		return list
	}
	limited := func(cpu float64) spec {
		s := h.role("stay")
		s.Limits.CPU = cpu
		return s
	}
	first, second, third := limited(0.5), limited(1), limited(1)
	cpus := []string{allowed(first), allowed(second)}
	if cpus[0] == cpus[1] || slices.ContainsFunc(cpus, func(s string) bool { _, err := strconv.Atoi(s); return err != nil }) {
		t.Errorf("two jobs are bound to %q, want to one processor each", cpus)
	}
	// Who has ended makes room on its processor.
	if end := h.end(first, limit); end.Limits != "cpu: 1 processor (affinity)" {
		t.Errorf("got %q", end.Limits)
	}
	if got := allowed(third); len(all) == 2 && got != cpus[0] {
		t.Errorf("the third is bound to %q, want %q", got, cpus[0])
	}
	s := h.job("nproc")
	s.Limits.CPU = float64(len(all))
	end := h.run(s)
	if got, want := h.output(s), fmt.Sprintf("%d\n", len(all)); got != want {
		t.Errorf("it saw %q processors, want %q", got, want)
	}
	if want := fmt.Sprintf("cpu not limited: there are no more than %d processors", len(all)); end.Limits != want {
		t.Errorf("got %q, want %q", end.Limits, want)
	}
}

func TestLimitsOfOneThatDoesNotStart(t *testing.T) {
	h := newHouse(t)
	s, nice := h.job("no-such-program"), 19
	s.Limits = limits{Nice: &nice, Memory: 1 << 30, CPU: 1}
	if got, want := how(h.run(s)), "start: no-such-program not found in PATH"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// launchNow starts a process with its output in its log.
func launchNow(sp *spec, b *bounds) (*child, error) {
	out, err := openOutput(sp, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	return launch(sp, out, b)
}
