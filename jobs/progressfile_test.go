package jobs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// newTold gives a state folder and a job that may tell how far it has come.
func newTold(t *testing.T) (string, *jobs.Job) {
	t.Helper()
	state := t.TempDir()
	if err := os.Mkdir(filepath.Join(state, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	return state, &jobs.Job{ID: "an-id", Attempt: 2}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReadProgress(t *testing.T) {
	state, j := newTold(t)
	if got, err := jobs.ReadProgress(state, j); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before it told anything: %q, %v", got, err)
	}
	path := filepath.Join(state, "logs", "an-id.2.progress")
	if got := filepath.Join(state, filepath.FromSlash(jobs.ProgressName(j.ID, j.Attempt))); got != path || jobs.ProgressPath(state, j.ID, j.Attempt, "") != path {
		t.Errorf("name %s, path %s, want %s", got, jobs.ProgressPath(state, j.ID, j.Attempt, ""), path)
	}
	for _, text := range []string{"0.42 half way\n", "", strings.Repeat("0.1\n", 100_000) + "0.9 end"} {
		write(t, path, text)
		got, err := jobs.ReadProgress(state, j)
		if err != nil || string(got) != text[max(0, len(text)-4096):] {
			t.Errorf("%d bytes were told: %q, %v", len(text), got, err)
		}
	}
	if got, err := jobs.ReadProgress(state, &jobs.Job{ID: "an-id", Attempt: 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of another attempt: %q, %v", got, err)
	}
}

func TestReadProgressOpensRegularFilesOnly(t *testing.T) {
	state, j := newTold(t)
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, "0.5 secret")
	write(t, filepath.Join(state, "logs", "secret"), "0.5 secret")
	path := jobs.ProgressPath(state, j.ID, j.Attempt, "")
	for name, put := range map[string]func() error{
		"link":         func() error { return os.Symlink(secret, path) },
		"link beside":  func() error { return os.Symlink("secret", path) },
		"dangling":     func() error { return os.Symlink("nothing", path) },
		"link to root": func() error { return os.Symlink("/", path) },
		"folder":       func() error { return os.Mkdir(path, 0o700) },
	} {
		if err := put(); err != nil {
			t.Skip(err)
		}
		if got, err := jobs.ReadProgress(state, j); !errors.Is(err, jobs.ErrNoRegularFile) {
			t.Errorf("%s: %q, %v, want %v", name, got, err, jobs.ErrNoRegularFile)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMakeAndRemoveProgress(t *testing.T) {
	state, j := newTold(t)
	path := jobs.ProgressPath(state, j.ID, j.Attempt, "")
	other := jobs.ProgressPath(state, j.ID, 3, "")
	for name, remove := range map[string]func() error{
		"MakeProgress":   func() error { return jobs.MakeProgress(state, j.ID, j.Attempt, nil) },
		"RemoveProgress": func() error { return jobs.RemoveProgress(state, j.ID, j.Attempt) },
	} {
		for _, put := range []func(){
			func() {},
			func() { write(t, path, "0.9") },
			func() { _ = os.MkdirAll(filepath.Join(path, "deep"), 0o700) },
		} {
			put()
			write(t, other, "0.1")
			if err := remove(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s left %s: %v", name, path, err)
			}
			if _, err := os.Lstat(other); err != nil {
				t.Errorf("%s removed that of another attempt: %v", name, err)
			}
		}
	}
}
