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

// What a request gave as a parameter is a word of the command line and nothing
// else: no path that is looked up, no program.
func TestPrepareParams(t *testing.T) {
	dir, workdir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "conf", "big.yaml"), "")
	write(t, filepath.Join(dir, "bin", "train"), "")
	typ := &jobs.Type{Name: "train", Command: []string{"bin/train", "conf/big.yaml", "{conf}", "conf/{size}.yaml", "--lr={lr}"},
		Workdir: workdir, Params: []jobs.Param{
			{Name: "conf", Kind: jobs.ParamText}, {Name: "size", Kind: jobs.ParamText}, {Name: "lr", Kind: jobs.ParamFloat},
			{Name: "seed", Kind: jobs.ParamInt}, {Name: "token", Kind: jobs.ParamSecret, Env: "API_TOKEN"},
		}}
	job := &jobs.Job{ID: "an-id", Type: "train", Attempt: 1, Args: []string{"{lr}"},
		Params: map[string]string{"conf": "conf/big.yaml", "size": "big", "lr": "0.1", "seed": "3"},
		Env:    map[string]string{"API_TOKEN": "s3cret"}}
	got, err := prepare(job, typ, dir, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "bin", "train"), filepath.Join(dir, "conf", "big.yaml"),
		"conf/big.yaml", "conf/big.yaml", "--lr=0.1", "--seed=3", "{lr}"}
	if !slices.Equal(got.Argv, want) {
		t.Errorf("argv %q,\nwant %q", got.Argv, want)
	}
	if !slices.Contains(got.Env, "API_TOKEN=s3cret") {
		t.Errorf("the secret is not in %q", got.Env)
	}

	typ.Command = []string{"{conf}"}
	if got, err := prepare(job, typ, dir, dir, nil); err == nil {
		t.Errorf("the request chose the program: argv %q", got.Argv)
	}
}

func TestPrepareLimits(t *testing.T) {
	dir, nice := t.TempDir(), 10
	typ := &jobs.Type{Name: "x", Command: []string{"x"}, Workdir: dir, Nice: &nice, MemoryLimit: 4 << 30, CPULimit: 1.5}
	got, err := prepare(&jobs.Job{ID: "an-id", Type: "x", Attempt: 1}, typ, dir, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := got.Limits; *l.Nice != 10 || l.Memory != 4<<30 || l.CPU != 1.5 {
		t.Errorf("got limits %+v", l)
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
