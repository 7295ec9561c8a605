package runner

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestEnvironment(t *testing.T) {
	daemon := []string{"PATH=/bin", "HOME=/home/a", "SECRET=s", "TOKEN=t", "LC_ALL=C.UTF-8", "COLUMNS=40", "TZ=UTC"}
	typ := &jobs.Type{
		Name:    "train",
		EnvPass: []string{"TOKEN", "UNSET"},
		Env:     map[string]string{"EPOCHS": "1", "MODE": "fast", "TZ": "Europe/Berlin", "JOBRUNNER_ATTEMPT": "99"},
	}
	job := &jobs.Job{ID: "an-id", Type: "train", Attempt: 2, Env: map[string]string{"EPOCHS": "10", "PYTHONUNBUFFERED": ""}}
	got := environment(job, typ, daemon)
	want := []string{
		"COLUMNS=120", "EPOCHS=10", "HOME=/home/a", "JOBRUNNER_ATTEMPT=2", "JOBRUNNER_JOB_ID=an-id",
		"JOBRUNNER_TYPE=train", "LC_ALL=C.UTF-8", "MODE=fast", "PATH=/bin", "PYTHONIOENCODING=utf-8",
		"PYTHONUNBUFFERED=", "TOKEN=t", "TQDM_MININTERVAL=1", "TZ=Europe/Berlin",
	}
	if !slices.Equal(got, want) {
		t.Errorf("environment = %q,\nwant %q", got, want)
	}
}

func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "scripts", "job.py"), "")
	typ := &jobs.Type{Name: "python", Interpreter: []string{"python3", "-u"}, Scripts: filepath.Join(dir, "scripts"),
		Extensions: []string{".py"}, Workdir: dir, Timeout: time.Hour, KillGrace: 3 * time.Second, Umask: 0o27}
	job := &jobs.Job{ID: "an-id", Type: "python", Target: "job.py", Args: []string{"-x", "a b"}, Attempt: 1, Timeout: time.Minute}
	got, err := prepare(job, typ, dir, "/state", nil)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.EvalSymlinks(filepath.Join(dir, "scripts", "job.py"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"python3", "-u", script, "-x", "a b"}; !slices.Equal(got.Argv, want) {
		t.Errorf("argv %q, want %q", got.Argv, want)
	}
	if want := filepath.Join("/state", "logs", "an-id.log"); got.Log != want {
		t.Errorf("log %q, want %q", got.Log, want)
	}
	if got.Dir != dir || got.Timeout != time.Minute || got.Grace != 3*time.Second || got.Umask != 0o27 {
		t.Errorf("got dir %q, timeout %s, grace %s, umask %o", got.Dir, got.Timeout, got.Grace, got.Umask)
	}
}

func TestPrepareRefuses(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	write(t, filepath.Join(outside, "evil.py"), "")
	write(t, filepath.Join(dir, "scripts", "gone.py"), "")
	if err := os.Remove(filepath.Join(dir, "scripts", "gone.py")); err != nil {
		t.Fatal(err)
	}
	link(t, filepath.Join(outside, "evil.py"), filepath.Join(dir, "scripts", "evil.py"))
	link(t, outside, filepath.Join(dir, "out"))
	python := &jobs.Type{Name: "python", Interpreter: []string{"python3"}, Scripts: filepath.Join(dir, "scripts"),
		Extensions: []string{".py"}, Workdir: dir}
	tests := []struct {
		name string
		job  jobs.Job
		typ  *jobs.Type
		want string
	}{
		{"type gone", jobs.Job{Type: "train"}, nil, `type "train" is not configured`},
		{"script gone", jobs.Job{Target: "gone.py"}, python, "gone.py"},
		{"script escaped", jobs.Job{Target: "evil.py"}, python, "evil.py"},
		{"workdir missing", jobs.Job{Target: "a.py", Workdir: "runs/a"}, python, "workdir runs/a does not exist"},
		{"workdir escaped", jobs.Job{Target: "a.py", Workdir: "out"}, python, "workdir"},
		{"type's workdir missing", jobs.Job{}, &jobs.Type{Command: []string{"x"}, Workdir: filepath.Join(dir, "no")}, "does not exist"},
	}
	for _, tt := range tests {
		sp, err := prepare(&tt.job, tt.typ, dir, dir, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v and argv %q, want an error with %q", tt.name, err, sp.Argv, tt.want)
		}
	}
}

// A command means the same files whatever folder its jobs run in.
func TestAnchored(t *testing.T) {
	dir, typeDir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "examples", "countdown.py"), "")
	write(t, filepath.Join(dir, "tool"), "")
	write(t, filepath.Join(typeDir, "bin", "own"), "")
	below := filepath.Join(typeDir, "runs")
	write(t, filepath.Join(below, "examples", "countdown.py"), "planted")
	write(t, filepath.Join(below, "bin", "own"), "planted")
	command := []string{"python3", "-u", "examples/countdown.py", "tool", "bin/own", "no/such"}
	tests := []struct {
		name             string
		workdir, typeDir string
		want             []string
	}{
		{"same folder", dir, dir, command},
		{"other folder", typeDir, typeDir,
			[]string{"python3", "-u", filepath.Join(dir, "examples", "countdown.py"), "tool", "bin/own", "no/such"}},
		{"folder of the request", below, typeDir,
			[]string{"python3", "-u", filepath.Join(dir, "examples", "countdown.py"), "tool", filepath.Join(typeDir, "bin", "own"), "no/such"}},
	}
	for _, tt := range tests {
		got := anchored(command, tt.workdir, tt.typeDir, dir)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q,\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestLimitOf(t *testing.T) {
	tests := []struct {
		job  time.Duration
		typ  *jobs.Type
		want time.Duration
	}{
		{0, &jobs.Type{}, 0},
		{0, &jobs.Type{Timeout: time.Hour}, time.Hour},
		{time.Minute, &jobs.Type{Timeout: time.Hour}, time.Minute},
		{2 * time.Hour, &jobs.Type{Timeout: time.Hour}, time.Hour}, // the type's was shortened since
		{time.Minute, nil, time.Minute},
	}
	for _, tt := range tests {
		if got := limitOf(&jobs.Job{Timeout: tt.job}, tt.typ); got != tt.want {
			t.Errorf("limitOf(%s, %+v) = %s, want %s", tt.job, tt.typ, got, tt.want)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(to, path); err != nil {
		t.Skip("no links here:", err)
	}
}
