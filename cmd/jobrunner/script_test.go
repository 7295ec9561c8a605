//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes of the test binary the command that the tests run. Scripts and
// tests find a copy of it named jobrunner in PATH, and that copy, started by any
// path of that name, is the real program: so is the supervisor, which the daemon
// starts by executing itself.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"jobrunner": func() {
		minded(os.Args)
		main()
	}})
}

// TestScripts is the user's view: every file in testdata is a session.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", raceOptions(env.WorkDir))
			env.Defer(func() {
				if err := errors.Join(endAll(filepath.Join(env.WorkDir, ".jobrunner")), foundRaces(env.WorkDir)); err != nil {
					t.Errorf("%s: %v", filepath.Base(env.WorkDir), err)
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"waitfor": waitFor,
			"exits":   exits,
			"let":     let,
		},
	})
}

// waitFor is the script command "waitfor FILE REGEXP": it returns when the file
// has a match. Lines are matched as by grep.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitfor FILE REGEXP")
	}
	re, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	var text []byte
	err = within(patience, func() (err error) {
		if text, err = os.ReadFile(ts.MkAbs(args[0])); err != nil {
			return err
		}
		if !re.Match(text) {
			return fmt.Errorf("no match for %q in %s", args[1], args[0])
		}
		return nil
	})
	if err != nil {
		ts.Fatalf("%v, which holds:\n%s", err, strings.TrimSpace(string(text)))
	}
}

// exits is the script command "exits CODE PROGRAM [ARG...]": it runs a program
// that is to end with that exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// let is the script command "let NAME": it puts what was last printed on stdout
// into an environment variable.
func let(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: let NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// patience is how long a test waits for what is to happen at once.
const patience = time.Minute

// within calls done until it returns nil, and returns its last error if it does
// not in time.
func within(limit time.Duration, done func() error) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for end := time.Now().Add(limit); ; <-ticker.C {
		err := done()
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}
