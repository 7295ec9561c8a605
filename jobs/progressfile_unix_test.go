//go:build !windows

package jobs_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

func TestReadProgressDoesNotWaitForPipes(t *testing.T) {
	state, j := newTold(t)
	if err := syscall.Mkfifo(jobs.ProgressPath(state, j.ID, j.Attempt, ""), 0o600); err != nil {
		t.Skipf("pipes cannot be made here: %v", err)
	}
	if got, err := jobs.ReadProgress(state, j); !errors.Is(err, jobs.ErrNoRegularFile) {
		t.Errorf("got %q, %v, want %v", got, err, jobs.ErrNoRegularFile)
	}
}

// newOthers gives a job that runs as another user, and the path of its progress
// file, which is not there yet.
func newOthers(t *testing.T) (state string, j *jobs.Job, a *jobs.Account, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a job as another user")
	}
	a, err := jobs.FindAccount("nobody")
	if err != nil {
		t.Skip(err)
	}
	state, j = newTold(t)
	j.RunAs = a.Word
	path = jobs.ProgressPath(state, j.ID, j.Attempt, j.RunAs)
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(filepath.Dir(path))) })
	if err := jobs.MakeProgress(state, j.ID, j.Attempt, a); err != nil {
		t.Fatal(err)
	}
	return state, j, a, path
}

// as runs a shell command with the rights of the account.
func as(t *testing.T, a *jobs.Account, command string, args ...string) error {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", command, "sh"}, args...)...)
	cmd.Dir, cmd.Stderr = "/", t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.UID, Gid: a.GID}}
	return cmd.Run()
}

func TestProgressOfAnotherUser(t *testing.T) {
	state, j, a, path := newOthers(t)
	if got, err := jobs.ReadProgress(state, j); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before it told anything: %q, %v", got, err)
	}
	if err := as(t, a, `echo "0.5 half" >"$1.new" && mv "$1.new" "$1"`, path); err != nil {
		t.Fatalf("the job cannot write it: %v", err)
	}
	if got, err := jobs.ReadProgress(state, j); err != nil || string(got) != "0.5 half\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := as(t, a, `cd "$1/.." && { mkdir mine || mv "$2" mine || rmdir "$2"; }`, filepath.Dir(path), filepath.Base(filepath.Dir(path))); err == nil {
		t.Error("the job could change the folder of all jobs")
	}
	if err := jobs.MakeProgress(state, j.ID, j.Attempt, a); err != nil {
		t.Fatal(err)
	}
	if got, err := jobs.ReadProgress(state, j); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an older file was left: %q, %v", got, err)
	}
	if err := jobs.RemoveProgress(state, j.ID, j.Attempt); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("RemoveProgress left it: %v", err)
	}
}

// The daemon may read every file. What the job has linked there from elsewhere
// would come to light on the page.
func TestProgressOfAnotherUserIsNotReadThroughLinks(t *testing.T) {
	state, j, a, path := newOthers(t)
	secret := filepath.Join(filepath.Dir(filepath.Dir(path)), "secret") // on the same file system
	write(t, secret, "0.5 secret\n")
	own := filepath.Join(filepath.Dir(path), "own")
	for name, put := range map[string]func() error{
		"link":                 func() error { return as(t, a, `ln -s "$2" "$1"`, path, secret) },
		"link to a link":       func() error { return as(t, a, `ln -s "$2" "$1.x" && ln -s "$1.x" "$1"`, path, secret) },
		"second link of own":   func() error { return as(t, a, `echo 0.5 >"$2"; ln "$2" "$1"`, path, own) },
		"second link of ours":  func() error { return os.Link(secret, path) }, // where the system lets users do that
		"file of another user": func() error { return os.WriteFile(path, []byte("0.5"), 0o644) },
		"pipe":                 func() error { return as(t, a, `mkfifo "$1"`, path) },
	} {
		if err := put(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := jobs.ReadProgress(state, j); !errors.Is(err, jobs.ErrNoRegularFile) {
			t.Errorf("%s: %q, %v, want %v", name, got, err, jobs.ErrNoRegularFile)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever was there before makes it unusable, and no more than that.
func TestProgressFolderOfSomebodyElse(t *testing.T) {
	state, j, a, path := newOthers(t)
	folder := filepath.Dir(filepath.Dir(path))
	elsewhere := t.TempDir()
	for name, put := range map[string]func() error{
		"folder":       func() error { return as(t, a, `mkdir -p "$1"`, filepath.Dir(path)) },
		"writable":     func() error { return errors.Join(os.Mkdir(folder, 0o700), os.Chmod(folder, 0o777)) },
		"link":         func() error { return as(t, a, `ln -s "$2" "$1"`, folder, elsewhere) },
		"regular file": func() error { return os.WriteFile(folder, nil, 0o600) },
	} {
		if err := errors.Join(os.RemoveAll(folder), put()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := jobs.MakeProgress(state, j.ID, j.Attempt, a); err == nil {
			t.Errorf("%s: MakeProgress took it", name)
		}
		if err := jobs.RemoveProgress(state, j.ID, j.Attempt); err != nil {
			t.Errorf("%s: RemoveProgress: %v", name, err)
		}
		if _, err := jobs.ReadProgress(state, j); err == nil {
			t.Errorf("%s: ReadProgress took it", name)
		}
	}
	if list, err := os.ReadDir(elsewhere); err != nil || len(list) > 0 {
		t.Errorf("behind the link: %v, %v", list, err)
	}
}
