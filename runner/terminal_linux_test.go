package runner

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

func init() {
	// streams says what its three streams are.
	roles["streams"] = func([]string) {
		for i, f := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
			to := os.Stdout
			if f == os.Stderr {
				to = f
			}
			size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
			if err != nil {
				size = new(unix.Winsize)
			}
			fmt.Fprintf(to, "%d: %dx%d\n", i, size.Col, size.Row)
		}
		_, err := os.Open("/dev/tty")
		fmt.Println("no /dev/tty:", err != nil)
		fmt.Printf("TERM=%s PAGER=%s COLUMNS=%s\n", os.Getenv("TERM"), os.Getenv("PAGER"), os.Getenv("COLUMNS"))
	}
	// parting prints a line, waits for a file, prints another one and exits with the
	// status given; 96 if it could not print.
	roles["parting"] = func(args []string) {
		fmt.Println("hello")
		note(args[0]+".up", "up")
		for !exists(args[0]) {
			time.Sleep(5 * time.Millisecond)
		}
		if _, err := fmt.Println("farewell"); err != nil {
			os.Exit(96)
		}
		os.Exit(number(args[1]))
	}
	// heir leaves a process behind, which it waits to be up, that does as parting.
	roles["heir"] = func(args []string) {
		exe, err := os.Executable()
		if err == nil {
			cmd := exec.Command(exe, append([]string{"role", "parting"}, args...)...)
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			err = cmd.Start()
		}
		for err == nil && !exists(args[0]+".up") {
			time.Sleep(5 * time.Millisecond)
		}
		fmt.Println("left", err)
	}
	// numbers prints so many numbered lines.
	roles["numbers"] = func(args []string) {
		var b bytes.Buffer
		for n := range number(args[0]) {
			fmt.Fprintf(&b, "line %d\n", n)
		}
		_, _ = os.Stdout.Write(b.Bytes())
	}
}

// terminals gives a world with a type of jobs with a terminal, "tty".
func terminals(t *testing.T, change ...func(*jobs.Type)) *world {
	t.Helper()
	if err := CheckTerminal(); err != nil {
		t.Skip(err)
	}
	typ := roleType("tty")
	typ.TTY = true
	for _, c := range change {
		c(typ)
	}
	return newWorld(t, 3, typ)
}

func (w *world) addTTY(args ...string) string { return w.addJob(jobs.Job{Type: "tty", Args: args}) }

func (w *world) logOf(id string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.state, filepath.FromSlash(logName(id))))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// relays finds the relays of a job's log.
func (w *world) relays(id string) (found []jobs.ProcessID) {
	w.t.Helper()
	want := RelayVerb + "\x00" + filepath.Join(w.state, filepath.FromSlash(logName(id))) + "\x00"
	for _, q := range table.look() {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", q.pid))
		if !q.dead && strings.HasSuffix(string(line), want) {
			found = append(found, q.id())
		}
	}
	return found
}

func (w *world) relay(id string) jobs.ProcessID {
	w.t.Helper()
	found := w.relays(id)
	if len(found) != 1 {
		w.t.Fatalf("%d relays run for the job, want one", len(found))
	}
	return found[0]
}

func (w *world) awaitNoRelay(id string) {
	w.t.Helper()
	w.poll("no relay is left", func() bool { return len(w.relays(id)) == 0 })
}

// A job of a type with tty sees a terminal, its log plain lines, all of them as soon
// as its end is told, and others see neither.
func TestTerminal(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, _ = w.serve()
	id, plain := w.addTTY("streams"), w.add("streams")
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	want := "0: 0x0\n1: 120x40\n2: 120x40\nno /dev/tty: true\nTERM=xterm-256color PAGER=cat COLUMNS=120\n"
	if got := w.logOf(id); got != want {
		t.Errorf("with a terminal: %q, want %q", got, want)
	}
	w.want(w.awaitEnd(plain), jobs.Completed, "exit 0")
	want = "0: 0x0\n1: 0x0\n2: 0x0\nno /dev/tty: true\nTERM= PAGER= COLUMNS=120\n"
	if got := w.logOf(plain); got != want {
		t.Errorf("without: %q, want %q", got, want)
	}
	w.awaitNoRelay(id)
	if found := w.relays(plain); len(found) > 0 {
		t.Errorf("a job without a terminal has a relay: %v", found)
	}
}

// What is printed last, and much at once, is in the log when the end is told.
func TestTerminalOutputIsWhole(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, _ = w.serve()
	const lines = 200_000
	var want bytes.Buffer
	for n := range lines {
		fmt.Fprintf(&want, "line %d\n", n)
	}
	id := w.addTTY("numbers", strconv.Itoa(lines))
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	if got := w.logOf(id); got != want.String() {
		t.Errorf("%d bytes, want %d; it ends in %q", len(got), want.Len(), got[max(0, len(got)-40):])
	}
	for range 20 {
		id := w.addTTY("exit", "7")
		w.want(w.awaitEnd(id), jobs.Failed, "exit 7")
	}
}

// The job runs on if the supervisor is killed, and if the daemon is: its output
// reaches the log all the same, before its end is told.
func TestTerminalOutlivesSupervisor(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, stop := w.serve()
	file := w.file("go")
	id := w.addTTY("parting", file, "3")
	w.awaitRun(id, file)
	w.killSupervisor()
	stop()
	_, _ = w.serve()
	w.release(file)
	job := w.awaitEnd(id)
	if job.State != jobs.Lost { // before Linux 6.15 nobody can know
		w.want(job, jobs.Failed, "exit 3")
	}
	if got := w.logOf(id); got != "hello\nfarewell\n" {
		t.Errorf("log %q", got)
	}
	w.awaitNoRelay(id)
}

// Who is left behind and keeps the terminal open does not keep the end from being
// told, and can still write to the log.
func TestTerminalIsLeftOpen(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, _ = w.serve()
	file := w.file("go")
	id := w.addTTY("heir", file, "0")
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	if got := w.logOf(id); got != "hello\nleft <nil>\n" {
		t.Errorf("log at the end %q", got)
	}
	w.relay(id)
	w.release(file)
	w.poll("the last line is there", func() bool { return w.logOf(id) == "hello\nleft <nil>\nfarewell\n" })
	w.awaitNoRelay(id)
}

// Ending a job leaves no relay, and none is taken for one of its processes.
func TestTerminalIsEnded(t *testing.T) {
	t.Parallel()
	w := terminals(t, func(typ *jobs.Type) { typ.KillGrace = 200 * time.Millisecond })
	_, _ = w.serve()
	file, orphaned := w.file("a"), w.file("b")
	first, second := w.addTTY("deaf", file, "0"), w.addTTY("parting", orphaned, "0")
	w.awaitRun(first, file)
	w.awaitRun(second, orphaned)
	w.command(jobs.Cancel, first)
	w.want(w.awaitEnd(first), jobs.Cancelled, "cancelled by request")
	w.awaitNoRelay(first)
	w.killSupervisor()
	w.command(jobs.Cancel, second)
	w.want(w.awaitEnd(second), jobs.Cancelled, "cancelled by request")
	w.awaitNoRelay(second)
}

// stop --jobs leaves none either.
func TestTerminalIsStopped(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, stop := w.serve()
	file := w.file("go")
	id := w.addTTY("parting", file, "0")
	w.awaitRun(id, file)
	stop()
	if ended, left, err := StopAll(t.Context(), w.options()); ended != 1 || len(left) > 0 || err != nil {
		t.Errorf("%d ended, %q left, %v", ended, left, err)
	}
	w.want(w.job(id), jobs.Cancelled, "cancelled by request")
	w.awaitNoRelay(id)
}

// A relay that is killed is replaced: the job notices nothing, and the log says
// that something may be missing there.
func TestTerminalRelayKilled(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, _ = w.serve()
	file := w.file("go")
	id := w.addTTY("parting", file, "3")
	w.awaitRun(id, file)
	w.poll("its first line is there", func() bool { return w.logOf(id) == "hello\n" })
	dead := w.relay(id)
	kill(dead)
	w.poll("another relay runs", func() bool {
		found := w.relays(id)
		return len(found) == 1 && found[0] != dead
	})
	w.release(file)
	w.want(w.awaitEnd(id), jobs.Failed, "exit 3")
	if got := w.logOf(id); got != "hello\n"+lostOutput+"farewell\n" {
		t.Errorf("log %q", got)
	}
	w.awaitNoRelay(id)
}

// With the supervisor and the relay gone nobody takes the job's output any more. It
// learns that when it writes, and is not hung up before.
func TestTerminalIsGone(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, _ = w.serve()
	file := w.file("go")
	id := w.addTTY("parting", file, "3")
	job := w.awaitRun(id, file)
	w.killSupervisor()
	relay := w.relay(id)
	kill(relay)
	w.poll("the relay is gone", func() bool { return !alive(relay) }) // one that is about to has lost its command line, and not yet its files
	w.awaitNoRelay(id)
	if !alive(job.Process) {
		t.Error("the job was hung up")
	}
	w.release(file)
	if job := w.awaitEnd(id); job.State != jobs.Lost {
		w.want(job, jobs.Failed, "exit 96")
	}
}

// What could not be started leaves no relay and no log.
func TestTerminalOfNothing(t *testing.T) {
	t.Parallel()
	w := terminals(t, func(typ *jobs.Type) { typ.Command = []string{"no-such-program"} })
	_, _ = w.serve()
	id := w.addTTY()
	w.want(w.awaitEnd(id), jobs.Failed, "start: no-such-program not found in PATH")
	if path := filepath.Join(w.state, filepath.FromSlash(logName(id))); exists(path) {
		t.Errorf("%s is there", path)
	}
	w.awaitNoRelay(id)
}

// max_log holds for what comes by a terminal too.
func TestTerminalMaxLog(t *testing.T) {
	t.Parallel()
	const bound, total = 1 << 20, 6 << 20
	w := terminals(t, func(typ *jobs.Type) { typ.MaxLog = bound })
	w.needsHoles(w.state)
	_, _ = w.serve()
	id := w.addTTY("flood", "free:6")
	job := w.awaitEnd(id)
	w.want(job, jobs.Completed, "exit 0")
	w.bounded(job, total, bound)
}

// Another user has a terminal of their own, and others cannot read or write it.
func TestTerminalOfAnotherUser(t *testing.T) {
	t.Parallel()
	account := needRoot(t)
	w := terminals(t, func(typ *jobs.Type) {
		typ.Command, typ.RunAs = []string{"sh", "-c", `stat -L -c "%u %a" /proc/self/fd/1; echo again >/dev/stdout; test -t 2`}, "nobody"
	})
	w.open()
	_, _ = w.serve()
	id := w.addTTY()
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	if got, want := w.logOf(id), fmt.Sprintf("%d 200\nagain\n", account.UID); got != want {
		t.Errorf("log %q, want %q", got, want)
	}
	w.awaitNoRelay(id)
}

// Signals that end other programs do not end a relay: its job may have something
// to say to them.
func TestRelayHearsNoSignals(t *testing.T) {
	t.Parallel()
	w := terminals(t)
	_, _ = w.serve()
	file := w.file("go")
	id := w.addTTY("parting", file, "0")
	w.awaitRun(id, file)
	relay := w.relay(id)
	w.poll("the relay is at work", func() bool { return w.logOf(id) == "hello\n" })
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT} {
		if err := syscall.Kill(relay.PID, sig); err != nil {
			t.Error(err)
		}
	}
	w.release(file)
	w.want(w.awaitEnd(id), jobs.Completed, "exit 0")
	if got := w.logOf(id); got != "hello\nfarewell\n" {
		t.Errorf("log %q", got)
	}
	w.awaitNoRelay(id)
}
