package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jobrunner/config"
)

// place makes a folder with what a sound configuration needs, and puts the
// test binary there as a program.
func place(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"scripts", "work"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "file"), "text\n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "program.exe")); err != nil {
		t.Skip("no links here:", err)
	}
	return dir
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, dir, content string) []config.Problem {
	t.Helper()
	path := filepath.Join(dir, "jobrunner.yaml")
	put(t, path, content)
	return load(t, path).Check()
}

func TestCheckSound(t *testing.T) {
	dir := place(t)
	if err := os.Rename(filepath.Join(dir, "program.exe"), filepath.Join(dir, "work", "there.exe")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("work", "there.exe"), filepath.Join(dir, "program.exe")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for _, problem := range check(t, dir, `
queue_file: new/folder/queue.txt
types:
  relative: {command: [./program.exe]}
  its_folder: {command: [./there.exe], workdir: work}
  other_folder: {command: [./program.exe], workdir: work}
  absolute: {command: ['`+filepath.Join(dir, "program.exe")+`']}
  path: {interpreter: [program.exe, -u], scripts: scripts, workdir: work}
`) {
		t.Errorf("got %v", problem.Fault)
	}
	// It looks and does not make.
	for _, name := range []string{"inbox", "outbox", ".jobrunner", "new", "job_queue.txt"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was made", name)
		}
	}
}

func TestCheckProblems(t *testing.T) {
	const sound = "types: {a: {command: [./program.exe]}}"
	for name, row := range map[string]struct {
		content string
		want    string // DIR stands for the folder
		fatal   bool
	}{
		"program not in PATH": {
			"types: {a: {command: [no-such-program, x]}}",
			"jobrunner.yaml:1:13: types.a.command: no-such-program not found in PATH", false,
		},
		"interpreter not in PATH": {
			"types: {a: {interpreter: [no-such-program], scripts: scripts}}",
			"jobrunner.yaml:1:13: types.a.interpreter: no-such-program not found in PATH", false,
		},
		"program not there": {
			"types: {a: {command: [bin/x]}}",
			"jobrunner.yaml:1:13: types.a.command: DIR/bin/x: no such file or directory", false,
		},
		"program not executable": {
			"types: {a: {command: [./file]}}",
			"jobrunner.yaml:1:13: types.a.command: DIR/file is not executable", false,
		},
		"program is a folder": {
			"types: {a: {command: [./scripts]}}",
			"jobrunner.yaml:1:13: types.a.command: DIR/scripts is a folder", false,
		},
		"scripts not there": {
			"types: {a: {interpreter: [./program.exe], scripts: examples}}",
			"jobrunner.yaml:1:43: types.a.scripts: DIR/examples: no such file or directory", false,
		},
		"scripts is a file": {
			"types: {a: {interpreter: [./program.exe], scripts: file}}",
			"jobrunner.yaml:1:43: types.a.scripts: DIR/file is no folder", false,
		},
		"workdir not there": {
			"types: {a: {command: [./program.exe], workdir: runs}}",
			"jobrunner.yaml:1:39: types.a.workdir: DIR/runs: no such file or directory", false,
		},
		"hook's program not there": {
			sound + "\non_finish: [{command: [./program.exe]}, {command: [./mail]}]",
			"jobrunner.yaml:2:41: on_finish: DIR/mail: no such file or directory", false,
		},
		"type's hook's program not in PATH": {
			"types: {a: {command: [./program.exe], on_finish: {command: [no-such-program]}}}",
			"jobrunner.yaml:1:50: types.a.on_finish: no-such-program not found in PATH", false,
		},
		"secret not there": {
			sound + "\non_finish: {webhook: 'https://x/', secret_file: hook.key}",
			"jobrunner.yaml:2:12: on_finish: reading the secret: stat DIR/hook.key: no such file or directory", false,
		},
		"secret is a folder": {
			sound + "\non_finish: {webhook: 'https://x/', secret_file: work}",
			"jobrunner.yaml:2:12: on_finish: reading the secret: DIR/work is no regular file", false,
		},
		"folder of a parameter not there": {
			"types: {a: {command: [./program.exe], args: {params: {data: {type: path, below: data, default: x}}}}}",
			"jobrunner.yaml:1:74: types.a.args.params.data.below: DIR/data: no such file or directory", false,
		},
		"default of a parameter not there": {
			"types: {a: {command: [./program.exe], args: {params: {data: {type: path, below: work, default: x}}}}}",
			"jobrunner.yaml:1:87: types.a.args.params.data.default: names nothing that is there: \"x\", below DIR/work", false,
		},
		"schedule with arguments that its type refuses": {
			"schedules: [{name: s, every: 1h, request: {type: a, args: [1]}}]\n" +
				"types: {a: {command: [./program.exe], args: {max: 0}}}",
			"jobrunner.yaml:1:59: schedules.s.request: type \"a\" takes no arguments, not 1", false,
		},
		"schedule of a script that is not there": {
			"schedules: [{name: s, every: 1h, request: {script: x.py}}]\n" +
				"types: {a: {interpreter: [./program.exe], scripts: scripts}}",
			"jobrunner.yaml:1:52: schedules.s.request: script \"x.py\" is not there, in scripts", false,
		},
		"inbox is a file": {
			"inbox: file\n" + sound,
			"jobrunner.yaml:1:1: inbox: DIR/file is no folder", true,
		},
		"outbox below a file": {
			"outbox: file/out\n" + sound,
			"jobrunner.yaml:1:1: outbox: DIR/file/out cannot be made: DIR/file is no folder", true,
		},
		"state_dir below a file": {
			"state_dir: file/state\n" + sound,
			"jobrunner.yaml:1:1: state_dir: DIR/file/state cannot be made: DIR/file is no folder", true,
		},
		"queue_file is a folder": {
			"queue_file: work\n" + sound,
			"jobrunner.yaml:1:1: queue_file: DIR/work is no regular file", true,
		},
		"queue_file below a file": {
			"queue_file: file/queue.txt\n" + sound,
			"jobrunner.yaml:1:1: queue_file: DIR/file is no folder", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := place(t)
			problems := check(t, dir, row.content)
			if len(problems) != 1 {
				t.Fatalf("got %d problems, want 1: %+v", len(problems), problems)
			}
			got := strings.ReplaceAll(problems[0].Fault.Error(), dir, "DIR")
			if got != row.want || problems[0].Fatal != row.fatal {
				t.Errorf("got %q, fatal %t, want %q, fatal %t", got, problems[0].Fatal, row.want, row.fatal)
			}
		})
	}
}

// What is wrong with a type of its own file stands in that file.
func TestCheckTypeFiles(t *testing.T) {
	dir := place(t)
	path := filepath.Join(dir, "jobrunner.yaml")
	put(t, path, "types: {a: {command: [./program.exe]}}\n")
	drop(t, path, "b.yaml", "description: x\ncommand: [./no]\non_finish: {command: [./mail]}\n")
	drop(t, path, "c.yaml", "comand: [./program.exe]\ncommand: [./program.exe]\n")
	var got []string
	for _, problem := range load(t, path).Check() {
		if problem.Fatal {
			t.Errorf("fatal: %v", problem.Fault)
		}
		got = append(got, strings.ReplaceAll(problem.Fault.Error(), dir, "DIR"))
	}
	want := []string{
		`types.d/c.yaml:1:1: unknown key "comand"; did you mean "command"?`,
		"types.d/b.yaml:2:1: command: DIR/no: no such file or directory",
		"types.d/b.yaml:3:12: on_finish: DIR/mail: no such file or directory",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Folders that came to lie in each other after the file was loaded.
func TestCheckLinkedLater(t *testing.T) {
	dir := place(t)
	path := filepath.Join(dir, "jobrunner.yaml")
	put(t, path, "types: {a: {command: [./program.exe]}}\n")
	c := load(t, path)
	if err := os.Symlink("work", filepath.Join(dir, "inbox")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("work", filepath.Join(dir, "outbox")); err != nil {
		t.Fatal(err)
	}
	problems := c.Check()
	want := "jobrunner.yaml:1:1: inbox: is the same path as outbox (" + filepath.Join(dir, "outbox") + "); give each a folder of its own"
	if len(problems) != 1 || problems[0].Fault.Error() != want || !problems[0].Fatal {
		t.Errorf("got %+v, want %q", problems, want)
	}
}

func TestCheckDanglingLink(t *testing.T) {
	dir := place(t)
	if err := os.Symlink("nowhere", filepath.Join(dir, "inbox")); err != nil {
		t.Fatal(err)
	}
	problems := check(t, dir, "types: {a: {command: [./program.exe]}}\n")
	want := "jobrunner.yaml:1:1: inbox: " + filepath.Join(dir, "inbox") + " is a link to a place that is not there"
	if len(problems) != 1 || problems[0].Fault.Error() != want {
		t.Errorf("got %+v, want %q", problems, want)
	}
}

func TestCheckFolderWithoutRights(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("root may write anywhere")
	}
	dir := place(t)
	if err := os.Mkdir(filepath.Join(dir, "inbox"), 0o500); err != nil {
		t.Fatal(err)
	}
	problems := check(t, dir, "types: {a: {command: [./program.exe]}}\n")
	want := "jobrunner.yaml:1:1: inbox: " + filepath.Join(dir, "inbox") + " cannot be written to: permission denied"
	if len(problems) != 1 || problems[0].Fault.Error() != want || !problems[0].Fatal {
		t.Errorf("got %+v, want %q", problems, want)
	}
}

func TestLocalFileSystem(t *testing.T) {
	dir := t.TempDir()
	local, kind, err := config.LocalFileSystem(dir)
	if err != nil || !local || kind == "" {
		t.Fatalf("got %t, %q, %v, want a local one", local, kind, err)
	}
	// What is not there yet is asked for at the nearest folder that is.
	below, same, err := config.LocalFileSystem(filepath.Join(dir, "a", "b"))
	if err != nil || below != local || same != kind {
		t.Errorf("got %t, %q, %v, want %t, %q", below, same, err, local, kind)
	}
}
