//go:build unix

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/runner"
)

// What the environment of a daemon or a supervisor may ask for.
const (
	passedVar = "JOBRUNNER_TEST_PASSED" // file: note in it each step that is passed
	blowsVar  = "JOBRUNNER_TEST_BLOWS"  // file: the blows to be dealt, one a line
)

// blow is what befalls a process when it passes a step for the n-th time; only
// once, however many processes come to it.
type blow struct {
	deed string // kill: kill -9 of itself; both: of daemon and supervisor; stop: SIGSTOP; wait: until allowed
	role string // serve, supervise or relay
	n    int
	step string
}

func (b blow) String() string { return fmt.Sprintf("%s %s %d %s", b.deed, b.role, b.n, b.step) }

// minded lets the process that argv is for note the steps that it passes and
// deals the blows, if a test has asked for that.
func minded(argv []string) {
	passed, blows := os.Getenv(passedVar), os.Getenv(blowsVar)
	if len(argv) < 2 || passed == "" && blows == "" {
		return
	}
	m := &minder{role: argv[1], state: ".jobrunner", passed: passed, blows: blows, times: map[string]int{}}
	switch m.role {
	case "serve", runner.RelayVerb:
	case superviseVerb:
		m.state = argv[2]
	default:
		return
	}
	jobs.OnStep = m.step
}

// minder sees to the steps of one process.
type minder struct {
	role   string
	state  string // state folder
	passed string
	blows  string

	mu    sync.Mutex // guards times
	times map[string]int
}

func (m *minder) step(name string) {
	m.mu.Lock()
	m.times[name]++
	n := m.times[name]
	m.mu.Unlock()
	if m.passed != "" {
		appendTo(m.passed, fmt.Sprintf("%s %d %s\n", m.role, n, name))
	}
	text, _ := os.ReadFile(m.blows) // there may be none
	for line := range strings.Lines(string(text)) {
		b := blow{n: n, role: m.role, step: name}
		b.deed, _, _ = strings.Cut(line, " ")
		if strings.TrimSuffix(line, "\n") == b.String() {
			m.deal(b)
		}
	}
}

// deal does what is asked for, unless it was done before.
func (m *minder) deal(b blow) {
	mark := markOf(m.blows, b)
	f, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	f.Close()
	switch b.deed {
	case "both":
		other := readPID(filepath.Join(m.state, "supervisor.lock"))
		if m.role == superviseVerb {
			other, _, _ = lockHolder(m.state)
		}
		_ = kill(other)
		_ = kill(os.Getpid())
		select {}
	case "kill":
		_ = kill(os.Getpid())
		select {}
	case "stop":
		goOn := make(chan os.Signal, 1)
		signal.Notify(goOn, syscall.SIGCONT)
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-goOn // the signal may take a moment to reach this thread
	case "wait":
		_ = within(patience, func() error { return exists(mark + ".over") })
	}
}

// markOf is the file that tells that a blow was dealt.
func markOf(blows string, b blow) string {
	return filepath.Join(filepath.Dir(blows), "dealt "+strings.ReplaceAll(b.String(), "/", "_"))
}

// appendTo appends a line to a file in one write.
func appendTo(path, line string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(line)
		f.Close()
	}
	if err != nil {
		panic(err)
	}
}

// expectBlows has blows dealt in the world.
func (w *world) expectBlows(blows ...blow) {
	w.Helper()
	var text strings.Builder
	for _, b := range blows {
		text.WriteString(b.String() + "\n")
	}
	w.write("blows", text.String())
	w.env = append(w.env, blowsVar+"="+w.path("blows"))
}

// dealt reports whether a blow was dealt.
func (w *world) dealt(b blow) bool { return exists(markOf(w.path("blows"), b)) == nil }

// stepsInSource finds the names of all steps that the packages pass.
func stepsInSource(t *testing.T, packages ...string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, dir := range packages {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isStep(call.Fun) {
					names[stepName(t, path, call)] = true
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// isStep reports whether a call is one of jobs.Step.
func isStep(fun ast.Expr) bool {
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name == "Step"
	case *ast.SelectorExpr:
		return f.Sel.Name == "Step"
	}
	return false
}

func stepName(t *testing.T, path string, call *ast.CallExpr) string {
	t.Helper()
	if lit, ok := call.Args[0].(*ast.BasicLit); ok {
		if name, err := strconv.Unquote(lit.Value); err == nil {
			return name
		}
	}
	t.Errorf("%s: the name of a step is to be a string as it stands", path)
	return ""
}

// keep runs one daemon after the other, as whatever starts services does, until
// stop is called; that gives how many were killed.
func (w *world) keep() (stop func() int) {
	w.Helper()
	k := &keeper{w: w, done: make(chan struct{})}
	go k.run()
	w.Cleanup(func() { k.stop(syscall.SIGKILL) })
	return func() int { return k.stop(syscall.SIGTERM) }
}

type keeper struct {
	w    *world
	done chan struct{}

	mu       sync.Mutex // guards what follows
	stopping bool
	process  *os.Process
	deaths   int
}

// mostDeaths keeps a daemon that dies again and again from doing so for ever.
const mostDeaths = 30

func (k *keeper) run() {
	defer close(k.done)
	for {
		cmd, err := k.start()
		if err != nil {
			k.w.Error(err)
		}
		if cmd == nil {
			return
		}
		_ = cmd.Wait()
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		k.mu.Lock()
		k.deaths++
		over := k.stopping || k.deaths > mostDeaths
		k.mu.Unlock()
		switch {
		case over:
			return
		case !status.Signaled() || status.Signal() != syscall.SIGKILL:
			k.w.Errorf("the daemon ended by itself: %v", cmd.ProcessState)
			return
		}
	}
}

// start starts the next daemon; nil if there is to be none.
func (k *keeper) start() (*exec.Cmd, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopping {
		return nil, nil
	}
	cmd, err := k.w.startDaemon()
	if err != nil {
		return nil, err
	}
	k.process = cmd.Process
	return cmd, nil
}

// stop ends the daemon that runs, and gives how many were killed before.
func (k *keeper) stop(signal syscall.Signal) int {
	k.mu.Lock()
	k.stopping = true
	if k.process != nil {
		_ = k.process.Signal(signal)
	}
	k.mu.Unlock()
	select {
	case <-k.done:
	case <-time.After(2 * patience):
		_ = k.process.Kill()
		<-k.done
		k.w.Error("the daemon does not end")
	}
	return max(k.deaths-1, 0)
}
