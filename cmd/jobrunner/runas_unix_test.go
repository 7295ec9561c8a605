//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// needRoot skips what only root can try, and gives a user that is not.
func needRoot(t *testing.T) *jobs.Account {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a job as another user")
	}
	a, err := jobs.FindAccount("nobody")
	if err != nil {
		t.Skip(err)
	}
	return a
}

// open lets other users into the world's folder, and tidies up what their jobs leave
// elsewhere.
func (w *world) open() {
	w.Helper()
	if err := os.Chmod(w.dir, 0o755); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		os.RemoveAll(filepath.Dir(filepath.Dir(jobs.ProgressPath(w.path(".jobrunner"), "an-id", 1, "nobody"))))
	})
}

// log gives the output of a job of that type, which has ended with that reason.
func (w *world) logOf(typ, reason string) string {
	w.Helper()
	id, errs, _ := w.try("add", "--wait", typ)
	id = strings.TrimSpace(id)
	if id == "" {
		w.Fatalf("add %s: %s", typ, errs)
	}
	if j := w.job(id); j.Reason != reason {
		w.Errorf("%s: %s %q, want %q", typ, j.State, j.Reason, reason)
	}
	out, _, _ := w.try("logs", id)
	return out
}

// inGroups gives a user with groups beside its own, if this machine has one.
func inGroups(t *testing.T) *jobs.Account {
	t.Helper()
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(passwd)) {
		name, _, _ := strings.Cut(line, ":")
		if a, err := jobs.FindAccount(name); err == nil && a.UID != 0 && len(a.Groups) > 1 {
			return a
		}
	}
	return needRoot(t)
}

// A job has the rights, the groups, the home and the name of its user, nothing of
// root's, and what else its type says.
func TestRunAsBecomesTheUser(t *testing.T) {
	t.Parallel()
	nobody, member := needRoot(t), inGroups(t)
	w := newWorld(t, map[string]string{"jobrunner.yaml": `listen: ""
slots: {gpu: [3]}
types:
  ids: {command: [sh, -c, 'id -u; id -g; id -G'], run_as: ` + member.Name + `}
  group: {command: [sh, -c, 'id -u; id -g'], run_as: "nobody:daemon"}
  env: {command: [env], run_as: nobody, env: {COLOUR: red}, slots: {gpu: 1}}
  limits: {command: [sh, -c, 'nice; umask; ulimit -d; grep Cap[PE] /proc/self/status; touch made; echo done'], run_as: nobody,
    nice: 5, umask: 27, memory_limit: 512MiB, workdir: theirs}
  state: {command: [sh, -c, 'cat .jobrunner/jobs.db; ls .jobrunner/logs; echo x > jobrunner.yaml; kill -0 $PPID'], run_as: nobody}
`, "theirs/keep": ""})
	w.open()
	if err := os.Chown(w.path("theirs"), int(nobody.UID), int(nobody.GID)); err != nil {
		t.Fatal(err)
	}
	w.start()

	got := strings.Fields(w.logOf("ids", "exit 0"))
	want := []string{fmt.Sprint(member.UID), fmt.Sprint(member.GID)}
	if len(got) < 3 || !slices.Equal(got[:2], want) || !sameNumbers(got[2:], member.Groups) {
		t.Errorf("ids of %s: %q, want %q and groups %v", member.Name, got, want, member.Groups)
	}
	daemon, err := user.LookupGroup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := w.logOf("group", "exit 0"), fmt.Sprintf("%d\n%s\n", nobody.UID, daemon.Gid); got != want {
		t.Errorf("with a group: %q, want %q", got, want)
	}
	env := strings.Split(w.logOf("env", "exit 0"), "\n")
	for _, entry := range []string{"HOME=" + nobody.Home, "USER=nobody", "LOGNAME=nobody", "COLOUR=red", "JOBRUNNER_SLOT_GPU=3", "PATH=" + os.Getenv("PATH")} {
		if !slices.Contains(env, entry) {
			t.Errorf("%s is not in the environment %q", entry, env)
		}
	}
	for _, entry := range env { // the daemon has both
		if strings.HasPrefix(entry, "GORACE=") || strings.HasPrefix(entry, "PYTHONDONTWRITEBYTECODE=") {
			t.Errorf("%s came from the daemon", entry)
		}
	}
	w.checkLimits(nobody)
	if got := w.logOf("state", "exit 1"); strings.Count(got, "ermission denied") != 3 || !strings.Contains(got, "ot permitted") {
		t.Errorf("a job of nobody could do more than it should:\n%s", got)
	}
}

func (w *world) checkLimits(nobody *jobs.Account) {
	w.Helper()
	got := strings.Split(strings.TrimSpace(w.logOf("limits", "exit 0")), "\n")
	if len(got) < 4 || got[0] != "5" || got[1] != "0027" || got[len(got)-1] != "done" {
		w.Errorf("limits: %q", got)
	}
	for _, line := range got {
		if name, set, ok := strings.Cut(line, ":"); ok && strings.Trim(set, "0\t") != "" {
			w.Errorf("%s are %s, want none", name, set)
		}
	}
	var st syscall.Stat_t
	if err := syscall.Stat(w.path("theirs/made"), &st); err != nil || st.Uid != nobody.UID || st.Mode&0o777 != 0o640 {
		w.Errorf("what it made: %v, of %d, mode %o", err, st.Uid, st.Mode)
	}
	out := w.run("list", "--type", "limits", "--json")
	if !strings.Contains(out, `"run_as":"nobody"`) && !strings.Contains(out, `"run_as": "nobody"`) {
		w.Errorf("list does not say who: %s", out)
	}
	id := w.run("list", "--type", "limits", "--json")
	id = id[strings.Index(id, `"id"`):]
	if out := w.run("show", strings.Split(id, `"`)[3]); !strings.Contains(out, "runs as") || !strings.Contains(out, "nobody") {
		w.Errorf("show does not say who:\n%s", out)
	}
}

func sameNumbers(words []string, numbers []uint32) bool {
	var want []string
	for _, n := range numbers {
		want = append(want, fmt.Sprint(n))
	}
	slices.Sort(want)
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Equal(slices.Compact(want), slices.Compact(words))
}

// What the user may not use, or who is not there, is said in words, and nothing is
// run as anybody else.
func TestRunAsInWords(t *testing.T) {
	t.Parallel()
	needRoot(t)
	w := newWorld(t, map[string]string{"jobrunner.yaml": `listen: ""
types:
  gone: {command: [touch, ran], run_as: no-such-user}
  group: {command: [touch, ran], run_as: "nobody:no-such-group"}
  dir: {command: [touch, ran], run_as: nobody, workdir: closed}
  program: {command: [closed/tool], run_as: nobody}
  hidden: {command: [tool], run_as: nobody, env: {PATH: ` + "DIR/closed:DIR/open" + `}}
  script: {interpreter: [sh], scripts: scripts, extensions: [.sh], run_as: nobody}
`, "closed/tool": "#!/bin/sh\ntouch ran\n", "open/tool": "#!/bin/sh\necho open\n", "scripts/secret.sh": "touch ran\n"})
	w.open()
	w.write("jobrunner.yaml", strings.ReplaceAll(w.read("jobrunner.yaml"), "DIR", w.dir))
	for name, mode := range map[string]os.FileMode{"closed/tool": 0o755, "open/tool": 0o755, "closed": 0o700, "scripts/secret.sh": 0o600} {
		if err := os.Chmod(w.path(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	_, errs, code := w.try("check")
	for _, line := range []string{
		`types.gone.run_as: user "no-such-user" does not exist`, `types.group.run_as: group "no-such-group" does not exist`,
		`types.dir.workdir: user "nobody" may not enter ` + w.path("closed"), `types.program.command: user "nobody" may not execute closed/tool`,
	} {
		if code != 1 || !strings.Contains(errs, line) {
			t.Errorf("check (exit %d) does not say %q:\n%s", code, line, errs)
		}
	}
	w.start()
	for typ, reason := range map[string]string{
		"gone":      `start: user "no-such-user" does not exist`,
		"group":     `start: group "no-such-group" does not exist`,
		"dir":       `start: user "nobody" may not enter workdir ` + w.path("closed"),
		"program":   `start: permission denied to user "nobody": closed/tool or its interpreter /bin/sh`,
		"secret.sh": `start: user "nobody" may not read script secret.sh`,
	} {
		w.logOf(typ, reason)
	}
	// Of two in the PATH it is the one that the user may execute.
	if got := w.logOf("hidden", "exit 0"); got != "open\n" {
		t.Errorf("of two programs: %q", got)
	}
	if found, _ := filepath.Glob(w.path("*/ran")); len(found) > 0 || w.has("ran") {
		t.Errorf("it ran as somebody else: %q", found)
	}
}

func (w *world) has(name string) bool {
	_, err := os.Lstat(w.path(name))
	return err == nil
}

// All that another user's job started is found and ended, also by a daemon that
// took it over when the supervisor had been killed.
func TestRunAsIsEnded(t *testing.T) {
	t.Parallel()
	nobody := needRoot(t)
	w := newWorld(t, map[string]string{"jobrunner.yaml": `listen: ""
types:
  tree: {command: [sh, -c, 'setsid sleep 1000 & echo $! > "$0.in"; echo $$ >> "$0.in"; mv "$0.in" "$0"; wait'], run_as: nobody, workdir: theirs, kill_grace: 200ms}
`, "theirs/keep": ""})
	w.open()
	if err := os.Chown(w.path("theirs"), int(nobody.UID), int(nobody.GID)); err != nil {
		t.Fatal(err)
	}
	w.start()
	for _, name := range []string{"held", "orphan"} {
		id := strings.TrimSpace(w.run("add", "tree", name))
		w.until("the tree stands", func() error { _, err := os.Stat(w.path("theirs/" + name)); return err })
		if name == "orphan" {
			w.killSupervisor()
		}
		w.run("cancel", id)
		w.until("it is cancelled", func() error {
			if j := w.job(id); j.State != jobs.Cancelled {
				return fmt.Errorf("%s %q", j.State, j.Reason)
			}
			return nil
		})
		for _, pid := range strings.Fields(w.read("theirs/" + name)) {
			if alive(pid) {
				t.Errorf("%s: process %s is still there", name, pid)
			}
		}
	}
}

// killSupervisor kills the world's supervisor.
func (w *world) killSupervisor() {
	w.Helper()
	pid := strings.TrimSpace(w.read(".jobrunner/supervisor.lock"))
	if out, err := exec.Command("kill", "-KILL", pid).CombinedOutput(); err != nil {
		w.Fatalf("kill %s: %v %s", pid, err, out)
	}
}

// Who is not root may read a configuration with run_as, and not serve by it.
func TestRunAsNeedsRoot(t *testing.T) {
	t.Parallel()
	nobody := needRoot(t)
	w := newWorld(t, map[string]string{"jobrunner.yaml": "listen: \"\"\ntypes:\n  a: {command: [echo], run_as: nobody}\n  b: {command: [echo]}\n"})
	w.open()
	path, err := exec.LookPath("jobrunner")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path) // others may not look into the folder where it lies
	if err == nil {
		err = os.Mkdir(w.path("bin"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(w.path("bin/jobrunner"), program, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	const fault = "jobrunner.yaml:3:32: types.a.run_as: needs a daemon that runs as root"
	for verb, want := range map[string]struct {
		code int
		said string
	}{"check": {1, fault}, "serve": {1, fault}, "list": {0, ""}} {
		cmd := w.command(w.path("bin/jobrunner"), verb)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody.UID, Gid: nobody.GID}}
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want.code || !strings.Contains(string(out), want.said) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s", verb, code, want.code, want.said, out)
		}
	}
	if w.has(".jobrunner") {
		t.Error("a state folder was made")
	}
}
