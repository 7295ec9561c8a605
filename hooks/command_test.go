package hooks_test

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/hooks"
	"jobrunner/jobs"
)

// roles are what this binary does instead of the tests if it is started as a
// hook's command, or as a daemon, with that word as its first argument.
var roles = map[string]func(args []string) error{
	"tell":    tell,
	"print":   printLines,
	"hang":    hang,
	"courier": runCourier,
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		if err := roles[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// report is what a command saw.
type report struct {
	Args  []string
	Dir   string
	Env   []string
	Stdin string
}

// tell writes a report into the folder that it is given.
func tell(args []string) error {
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	data, err := json.Marshal(report{args, dir, os.Environ(), string(in)})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(args[0], ".*")
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(args[0], strings.TrimPrefix(filepath.Base(f.Name()), ".")+".json"))
}

// reports are what commands wrote into a folder.
func reports(t testing.TB, dir string) []report {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []report
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var r report
		if err := json.Unmarshal(data, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// printLines prints its arguments and fails.
func printLines(args []string) error {
	for _, line := range args {
		fmt.Println(line)
	}
	return fmt.Errorf("and so it ends")
}

// hang waits for ever, and so does a child of it.
func hang(args []string) error {
	if len(args) > 1 && args[1] == "child" {
		select {}
	}
	child, err := os.StartProcess(os.Args[0], []string{os.Args[0], "hang", args[0], "child"}, &os.ProcAttr{})
	if err != nil {
		return err
	}
	pids := fmt.Sprintln(os.Getpid(), child.Pid)
	if err := os.WriteFile(args[0]+".tmp", []byte(pids), 0o600); err != nil {
		return err
	}
	if err := os.Rename(args[0]+".tmp", args[0]); err != nil {
		return err
	}
	select {}
}

func command(argv ...string) jobs.Hook {
	return jobs.Hook{Command: append([]string{os.Args[0]}, argv...), On: jobs.HookStates(),
		At: jobs.Position{File: "jobrunner.yaml", Line: 9}, Timeout: time.Minute}
}

func TestCommand(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DAEMON", "hush")
	t.Setenv("LC_ALL", "C.UTF-8")
	dir := t.TempDir()
	h := command("tell", dir, "a b", "$HOME")
	h.AllDone = true
	w := newWorld(t, h)
	w.start()
	j := w.run("train", 7)
	w.await("the reports", func() bool { return len(reports(t, dir)) == 2 })
	w.stop()

	j, err := w.queue.Detail(bg, j.ID)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	list := reports(t, dir)
	slices.SortFunc(list, func(a, b report) int { return len(b.Stdin) - len(a.Stdin) })
	r := list[0]
	same(t, "standard input", r.Stdin, string(want))
	same(t, "arguments", r.Args[1:], []string{"a b", "$HOME"})
	root, err := filepath.EvalSymlinks(w.current().Dir)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "folder", r.Dir, root)
	for _, want := range []string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "JOBRUNNER_EVENT=job", "JOBRUNNER_JOB_ID=" + j.ID, "JOBRUNNER_TYPE=train",
		"JOBRUNNER_STATE=FAILED", "JOBRUNNER_REASON=exit 7", "JOBRUNNER_ATTEMPT=1", "JOBRUNNER_EXIT_CODE=7",
	} {
		if !slices.Contains(r.Env, want) {
			t.Errorf("environment: %s is missing in %q", want, r.Env)
		}
	}
	if text := strings.Join(r.Env, "\n"); strings.Contains(text, "hush") {
		t.Errorf("the environment holds more than it should:\n%s", text)
	}
	all := list[1]
	if !strings.HasPrefix(all.Stdin, `{"event":"all_done","states":{`) || !slices.Contains(all.Env, "JOBRUNNER_EVENT=all_done") {
		t.Errorf("the end of all: got %q, %q", all.Stdin, all.Env)
	}
}

// A command that fails is logged, with what it said last, and tried no more.
func TestCommandFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		hook jobs.Hook
		want string
	}{
		{"exit", command("print", "first", ""), "exit 3: and so it ends"},
		{"long lines", command("print", strings.Repeat("x", 100_000)), "exit 3: and so it ends"},
		{"not there", jobs.Hook{Command: []string{"./gone.sh"}, On: jobs.HookStates()}, "start: ./gone.sh not found"},
		{"not in PATH", jobs.Hook{Command: []string{"jobrunner-has-no-such-program"}, On: jobs.HookStates()},
			"start: jobrunner-has-no-such-program not found in PATH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.hook)
			w.start()
			j := w.run("train", 0)
			w.await("the note", func() bool { words, _ := w.noted(); return len(words) == 1 })
			w.stop()
			words, ids := w.noted()
			if !strings.Contains(words[0], " failed: "+tt.want) {
				t.Errorf("note: got %q, want one with %q", words[0], tt.want)
			}
			same(t, "of", ids[0], j.ID)
			if n := strings.Count(w.log.String(), `"level":"warn"`); n != 1 {
				t.Errorf("%d warnings in the log, want one:\n%s", n, w.log.String())
			}
			j, err := w.queue.Job(bg, j.ID)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "job", []any{j.State, j.Reason}, []any{jobs.Completed, "exit 0"})
		})
	}
}

// What a command prints is in the log, line by line.
func TestCommandOutput(t *testing.T) {
	w := newWorld(t, command("print", "first line", "second \x1b[31mline"))
	w.start()
	w.run("train", 0)
	w.await("the note", func() bool { words, _ := w.noted(); return len(words) == 1 })
	w.stop()
	for _, want := range []string{`"line":"first line"`, `"line":"second ?[31mline"`, `"line":"and so it ends"`} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("%s is not in the log:\n%s", want, w.log.String())
		}
	}
}

// A command that takes too long ends with all that it started.
func TestCommandTimeout(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pids")
	h := command("hang", file)
	h.Timeout = 4 * time.Second
	w := newWorld(t, h)
	w.start()
	w.run("train", 0)
	w.await("the note", func() bool { words, _ := w.noted(); return len(words) == 1 })
	words, _ := w.noted()
	if !strings.Contains(words[0], " failed: timeout 4s") {
		t.Errorf("note: got %q", words[0])
	}
	leader, child := pidsIn(t, file)
	w.await("the end of both", func() bool { return !alive(leader) && !alive(child) })
}

// A command that is under way when the courier ends is ended with it after the
// grace, and run again by the next one.
func TestCommandAtEndOfCourier(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	w := newWorld(t, command("hang", file))
	there := func() bool { _, err := os.Stat(file); return err == nil }
	for n := range 2 {
		w.startWith(hooks.Options{Grace: time.Millisecond})
		if n == 0 { // the second courier has it from the first
			w.run("train", 0)
		}
		w.await("the command", there)
		leader, child := pidsIn(t, file)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		w.stop()
		w.await("the end of both", func() bool { return !alive(leader) && !alive(child) })
	}
	words, _ := w.noted()
	same(t, "noted", words, []string{})
}

func pidsIn(t *testing.T, file string) (leader, child int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &leader, &child); err != nil {
		t.Fatal(err)
	}
	return leader, child
}
