//go:build unix

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/config"
)

// Who only reads the file may be anybody; who serves by it must be root. Another
// user's part of this is tested with the program itself.
func TestRunAsIsKept(t *testing.T) {
	c := load(t, "testdata/run_as.good.yaml")
	for name, want := range map[string]string{"a": "ada", "b": "ada:staff"} {
		if got := c.Catalog.Types[name].RunAs; got != want {
			t.Errorf("%s: RunAs = %q, want %q", name, got, want)
		}
	}
	_, err := config.LoadToServe("testdata/run_as.good.yaml")
	if os.Geteuid() == 0 {
		if err != nil {
			t.Errorf("as root: %v", err)
		}
		return
	}
	for _, line := range []string{
		"run_as.good.yaml:2:32: types.a.run_as: needs a daemon that runs as root; remove it, and start the daemon as the user that the jobs are to run as",
		"run_as.good.yaml:3:65: types.b.run_as: needs a daemon that runs as root",
	} {
		if err == nil || !strings.Contains(err.Error(), line) {
			t.Errorf("got %v, want %q in it", err, line)
		}
	}
}

// The user must be there, and may use what the jobs need.
func TestCheckRunAs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start a job as another user")
	}
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]os.FileMode{"closed": 0o700, "open": 0o755, "program": 0o700} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		tool := filepath.Join(dir, name, "tool")
		if err := os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, name)
		if name == "program" {
			at = tool
		}
		if err := os.Chmod(at, mode); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "jobrunner.yaml")
	text := `listen: ""
types:
  a: {command: [sh], run_as: no-such-user}
  b: {command: [sh], run_as: "nobody:no-such-group"}
  c: {command: [sh], run_as: nobody, workdir: closed}
  d: {interpreter: [sh], scripts: closed, run_as: nobody}
  e: {command: [program/tool], run_as: nobody}
  f: {command: [open/tool], run_as: nobody}
  g: {interpreter: [open/tool], scripts: open, run_as: nobody}
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.LoadToServe(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range c.Check() {
		got = append(got, strings.ReplaceAll(p.Fault.Error(), dir, "DIR"))
	}
	want := `jobrunner.yaml:3:22: types.a.run_as: user "no-such-user" does not exist
jobrunner.yaml:4:22: types.b.run_as: group "no-such-group" does not exist
jobrunner.yaml:5:38: types.c.workdir: user "nobody" may not enter DIR/closed
jobrunner.yaml:6:26: types.d.scripts: user "nobody" may not enter DIR/closed
jobrunner.yaml:7:7: types.e.command: user "nobody" may not execute program/tool`
	if all := strings.Join(got, "\n"); all != want {
		t.Errorf("got\n%s\nwant\n%s", all, want)
	}
}
