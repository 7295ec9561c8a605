//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const secretsConfig = `listen: unix:DIR/page.sock
log: {level: trace, format: json}
types:
  call:
    command: [sh, -c, 'env | grep -c "S3CRET-[1-4]"; [ -z "$FAIL" ]']
    env: {FIXED: S3CRET-1}
    env_pass: [HANDED_ON]
    env_allow: [ASKED, FAIL]
    args: {params: {token: {type: secret, env: TOKEN}}}
    max_retries: 1
    retry_delay: 10ms
`

// The value of a variable gets to the job and nowhere else: not to the page, the
// API, the verbs, the replies, the queue file, the daemon's log at its finest, or
// what the supervisor writes down. What stays is the requester's own file, and the
// database, which nobody else may read.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.write("jobrunner.yaml", strings.ReplaceAll(secretsConfig, "DIR", w.dir))
	w.env = []string{"HANDED_ON=S3CRET-2"}
	w.start()
	for name, more := range map[string]string{"good": "", "bad": `, "FAIL": "S3CRET-5"`} {
		w.rename("inbox/"+name+".json", `{"type": "call", "env": {"ASKED": "S3CRET-3"`+more+`}, "params": {"token": "S3CRET-4"}}`)
	}
	w.appendLine(`{"type": "call", "env": {"ASKED": "S3CRET-3", "NOT_ALLOWED": "S3CRET-6"}}`)
	w.appendLine(`{"type": "call", "env": {"ASKED": ["S3CRET-7"]}}`)
	for name, state := range map[string]string{"good": "COMPLETED", "bad": "FAILED"} {
		w.until(name+" has ended", func() error {
			if text := strings.Join(w.lines("outbox/"+name+".json.json"), " "); !strings.Contains(text, state) {
				return errors.New(text)
			}
			return nil
		})
	}
	w.until("lines are refused", func() error {
		if n := strings.Count(w.read("job_queue.txt"), "REJECTED"); n != 2 {
			return fmt.Errorf("%d are", n)
		}
		return nil
	})

	shown := map[string]string{"list": w.run("list"), "list --json": w.run("list", "--json"), "stats": w.run("stats")}
	client := socketClient(t, w.path("page.sock"))
	paths := []string{"/", "/jobs", "/api/v1/jobs", "/api/v1/stats", "/jobs?q=S3CRET", "/api/v1/jobs?q=S3CRET"}
	ran := 0
	for _, line := range w.lines("job_queue.txt") {
		id := strings.Fields(line)[0]
		paths = append(paths, "/jobs/"+id, "/api/v1/jobs/"+id)
		shown["show "+id], shown["show --json "+id] = w.run("show", id), w.run("show", "--json", id)
		if !strings.Contains(line, "REJECTED") {
			ran++
			// The job itself has them all; it says only how many.
			if out := w.run("logs", id); out != "4\n" {
				t.Errorf("job %s had %q of the values, want 4", id, out)
			}
		}
	}
	if ran != 2 {
		t.Errorf("%d jobs ran, want 2", ran)
	}
	for _, path := range paths {
		shown[path] = body(t, client, path)
	}
	w.files(func(name, text string) { shown[name] = text })
	for where, text := range shown {
		for n := 1; n <= 7; n++ {
			if secret := fmt.Sprint("S3CRET-", n); strings.Contains(text, secret) {
				t.Errorf("%s shows %s", where, secret)
			}
		}
	}
	if !strings.Contains(w.run("show", strings.Fields(w.lines("job_queue.txt")[0])[0]), "ASKED") {
		t.Error("not even the names are shown")
	}
}

func body(t *testing.T, client *http.Client, path string) string {
	t.Helper()
	answer, err := client.Get("http://localhost" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
	return string(text)
}

// files reads everything in the world's folder but what people wrote themselves
// and the database.
func (w *world) files(each func(name, text string)) {
	w.Helper()
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(w.dir, path)
		own := name == "jobrunner.yaml" || strings.HasPrefix(name, "outbox/") && !strings.HasSuffix(name, ".json.json")
		if err != nil || !e.Type().IsRegular() || own || strings.HasPrefix(e.Name(), databaseFile) {
			return err
		}
		if info, err := e.Info(); err != nil || info.Size() > 64<<20 {
			return nil // gone again, or a test's trap
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		each(name, string(text))
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// rename puts a file in its place at once, with all that is in it.
func (w *world) rename(name, text string) {
	w.Helper()
	temp := filepath.Join(filepath.Dir(name), "."+filepath.Base(name))
	w.write(temp, text)
	if err := os.Rename(w.path(temp), w.path(name)); err != nil {
		w.Fatal(err)
	}
}

// Nobody but the owner may look at what is in the state folder, whatever the umask
// was and whatever mode the folder had.
func TestStateFolderIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": `listen: ""
types:
  say: {command: [echo]}
  keep: {interpreter: [sh], scripts: scripts, on_change: copy, extensions: [.sh]}
`, "scripts/a.sh": "echo a\n"})
	if err := os.Mkdir(w.path(".jobrunner"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(w.path(".jobrunner"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, errs, _ := w.try("check")
	if !strings.Contains(errs, "warning: jobrunner.yaml:1:1: state_dir: "+w.path(".jobrunner")+" can be written to by everybody") {
		t.Errorf("check does not warn of it:\n%s", errs)
	}
	w.shell = "umask 0"
	w.start()
	w.run("add", "--wait", "say", "x")
	w.run("add", "--wait", "a.sh")
	if log := w.read("serve.log"); !strings.Contains(log, "state_dir: "+w.path(".jobrunner")+" can be written to by everybody") {
		t.Error("serve does not warn of it")
	}
	n := 0
	err := filepath.WalkDir(w.path(".jobrunner"), func(path string, e fs.DirEntry, err error) error {
		info, statErr := os.Lstat(path)
		if err != nil || statErr != nil {
			return errors.Join(err, statErr)
		}
		n++
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil || n < 8 {
		t.Errorf("%d files in the state folder, %v", n, err)
	}
}

// Whoever can write what is run can run anything: check and serve say so.
func TestWarnings(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"conf/jobrunner.yaml": `listen: ""
types: {a: {interpreter: [sh], scripts: scripts}}
`, "conf/scripts/a.sh": "", "conf/types.d/b.yaml": "command: [echo]\n"})
	for _, name := range []string{"conf", "conf/jobrunner.yaml", "conf/scripts", "conf/types.d"} {
		if err := os.Chmod(w.path(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const all = " can be written to by everybody on this machine"
	want := []string{
		"jobrunner.yaml: " + w.path("conf/jobrunner.yaml") + all, "jobrunner.yaml: " + w.path("conf") + all + ", so this file can be replaced",
		"types_dir: " + w.path("conf/types.d") + all, "types.a.scripts: " + w.path("conf/scripts") + all,
	}
	if os.Geteuid() == 0 {
		want = append(want, "types: running as root: jobs of a, b run as root too; set run_as, or start the daemon as a user of its own")
	}
	_, errs, code := w.try("--config", "conf/jobrunner.yaml", "check")
	for _, words := range want {
		if !strings.Contains(errs, words) {
			t.Errorf("check does not say %q:\n%s", words, errs)
		}
	}
	if n := strings.Count(errs, "warning: "); code != 0 || n != len(want) {
		t.Errorf("check: exit %d, %d warnings, want 0 and %d:\n%s", code, n, len(want), errs)
	}
	w.env = []string{"JOBRUNNER_CONFIG=" + w.path("conf/jobrunner.yaml")}
	cmd, err := w.startDaemon()
	if err != nil {
		t.Fatal(err)
	}
	w.daemon = cmd
	w.until("serve says so", func() error {
		log := strings.Join(w.lines("serve.log"), "\n")
		for _, words := range want {
			if !strings.Contains(log, words) {
				return fmt.Errorf("it does not say %q", words)
			}
		}
		return nil
	})
	w.end(syscall.SIGTERM)
}

// appendLine submits a line as any tool does.
func (w *world) appendLine(line string) {
	w.Helper()
	f, err := os.OpenFile(w.path("job_queue.txt"), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = io.WriteString(f, line+"\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		w.Fatal(err)
	}
}
