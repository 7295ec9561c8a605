//go:build unix

package runner

import (
	"os"
	"path/filepath"
	"slices"
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
	w.t.Helper()
	for _, dir := range []string{filepath.Dir(w.dir), w.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Cleanup(func() { os.RemoveAll(filepath.Dir(filepath.Dir(jobs.ProgressPath(w.state, "an-id", 1, "nobody")))) })
}

// Nothing of the daemon's own account is left in the environment.
func TestEnvironmentOfAnAccount(t *testing.T) {
	daemon := []string{"PATH=/bin", "HOME=/root", "USER=root", "LOGNAME=root", "TMPDIR=/root/tmp", "MAIL=/var/mail/root",
		"SUDO_USER=eve", "SSH_AUTH_SOCK=/root/agent", "LANG=C", "TOKEN=t"}
	typ := &jobs.Type{Name: "train", EnvPass: []string{"TOKEN"}, Env: map[string]string{"USER": "grace"}}
	account := &jobs.Account{Word: "ada", Name: "ada", Home: "/home/ada"}
	got := environment(&jobs.Job{ID: "an-id", Type: "train", Attempt: 1}, typ, account, "/state", readEnv(daemon))
	want := []string{"COLUMNS=120", "HOME=/home/ada", "JOBRUNNER_ATTEMPT=1", "JOBRUNNER_JOB_ID=an-id",
		"JOBRUNNER_PROGRESS_FILE=" + jobs.ProgressPath("/state", "an-id", 1, "ada"), "JOBRUNNER_TYPE=train",
		"LANG=C", "LOGNAME=ada", "PATH=/bin", "PYTHONIOENCODING=utf-8", "PYTHONUNBUFFERED=1", "TOKEN=t", "TQDM_MININTERVAL=1", "USER=grace"}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q,\nwant %q", got, want)
	}
}
