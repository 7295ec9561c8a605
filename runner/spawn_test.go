//go:build unix

package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

func init() {
	roles["session"] = func([]string) {
		sid, _ := unix.Getsid(0)
		fmt.Println(sid == os.Getpid(), unix.Getpgrp() == os.Getpid())
	}
}

func TestJobHasThreeFilesOpen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	// One that this process got from its parent must not reach the jobs.
	stray, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stray)
	h := newHouse(t)
	// Some more that the supervisor has open meanwhile.
	for range 3 {
		h.start(h.role("stay"))
	}
	s := h.job("sleep", "60")
	folder := fmt.Sprintf("/proc/%d/fd/", h.start(s).Process.PID)
	names, err := readNames(folder)
	if err != nil || len(names) != 3 {
		t.Fatalf("got %q, %v, want 0, 1 and 2", names, err)
	}
	for name, want := range map[string]string{"0": os.DevNull, "1": s.Log, "2": s.Log} {
		if got, err := os.Readlink(folder + name); got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestJobLeadsSession(t *testing.T) {
	h := newHouse(t)
	s := h.role("session")
	h.run(s)
	if got := h.output(s); got != "true true\n" {
		t.Errorf("got %q, want a session and a group of its own", got)
	}
}

func TestEnvironmentIsExact(t *testing.T) {
	t.Setenv("JOBRUNNER_TEST_LEAK", "1")
	h := newHouse(t)
	s := h.job("env")
	s.Env = append(s.Env, "ONE=a b")
	h.run(s)
	if got, want := h.output(s), strings.Join(s.Env, "\n")+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a request gave and what the scheduler assigned reach the process itself.
func TestJobSeesParamsAndSlots(t *testing.T) {
	h := newHouse(t)
	typ := &jobs.Type{Name: "train", Command: []string{"sh", "-c", `echo "$*"; env`, "{lr}"}, Workdir: h.dir, Umask: -1,
		Params: []jobs.Param{{Name: "lr", Kind: jobs.ParamFloat}, {Name: "token", Kind: jobs.ParamSecret, Env: "API_TOKEN"}}}
	job := &jobs.Job{ID: uuid.NewString(), Type: "train", Attempt: 1, Args: []string{"a b"},
		Params: map[string]string{"lr": "0.1"}, Env: map[string]string{"API_TOKEN": "s3cret"},
		Slots: map[string][]string{"gpu": {"1", "2"}}}
	sp, err := prepare(job, typ, h.dir, h.dir, readEnv(os.Environ()))
	if err != nil {
		t.Fatal(err)
	}
	end := h.run(sp)
	got := strings.Split(h.output(sp), "\n")
	for _, want := range []string{"a b", "API_TOKEN=s3cret", "JOBRUNNER_SLOT_GPU=1,2", "CUDA_VISIBLE_DEVICES=1,2"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s: no %q in %q", how(end), want, got)
		}
	}
	if strings.Contains(strings.Join(end.Argv, " "), "s3cret") || !slices.Contains(end.Argv, "0.1") {
		t.Errorf("argv %q, want the parameter and not the secret", end.Argv)
	}
}

func TestUmask(t *testing.T) {
	h := newHouse(t)
	var wg sync.WaitGroup
	var running atomic.Int32
	specs := make([]spec, 40)
	for i := range specs {
		specs[i] = h.job("sh", "-c", "umask")
		specs[i].Umask = []int{-1, 0o077, 0o002, 0o137}[i%4]
		wg.Go(func() {
			state, err := h.Start(t.Context(), specs[i])
			if err != nil {
				t.Error(err)
			}
			if !state.Ended {
				running.Add(1)
			}
		})
	}
	wg.Wait()
	for range running.Load() {
		<-h.Ended()
	}
	own := unix.Umask(0)
	unix.Umask(own)
	for _, s := range specs {
		want := s.Umask
		if want < 0 {
			want = own
		}
		if got := strings.TrimSpace(h.output(s)); got != fmt.Sprintf("%04o", want) {
			t.Errorf("got %s, want %04o", got, want)
		}
		if info, err := os.Stat(s.Log); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("log: %v, %v", info.Mode(), err)
		}
	}
}

func TestLogIsRotated(t *testing.T) {
	h := newHouse(t)
	s := h.job("sh", "-c", "echo attempt $JOBRUNNER_ATTEMPT; echo and errors >&2")
	name := func(n string) string { return filepath.Join(h.dir, "logs", s.ID+n+".log") }
	text := func(n int) string { return fmt.Sprintf("attempt %d\nand errors\n", n) }
	for range 3 {
		h.run(s)
		s = h.again(s)
	}
	// What is in the way is never replaced.
	if err := os.WriteFile(name(".3"), []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.run(s)
	for n, want := range map[string]string{".1": text(1), ".2": text(2), ".3": "in the way", "": text(3) + text(4)} {
		got, err := os.ReadFile(name(n))
		if err != nil || string(got) != want {
			t.Errorf("log %q: got %q, %v, want %q", n, got, err, want)
		}
	}
}

func TestStartErrors(t *testing.T) {
	h := newHouse(t)
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(h.dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := file("plain", "echo", 0o644)
	script := file("script", "#!/no/such/interpreter -x\n", 0o755)
	dos := file("dos", "#!/bin/sh\r\necho\r\n", 0o755)
	text := file("text", "echo no first line\n", 0o755)

	with := func(s spec, change func(*spec)) spec { change(&s); return s }
	for _, c := range []struct {
		spec spec
		want string
	}{
		{h.job("no-such-program"), "no-such-program not found in PATH"},
		{with(h.job("true"), func(s *spec) { s.Env = nil }), "true not found in PATH"},
		{h.job("/no/such/file"), "/no/such/file not found"},
		{h.job(plain), "permission denied: " + plain},
		{with(h.job("plain"), func(s *spec) { s.Env = []string{"PATH=" + h.dir} }), "permission denied: " + plain},
		{h.job(script), script + ": bad interpreter: /no/such/interpreter"},
		{h.job(dos), dos + `: bad interpreter: "/bin/sh\r" (the line ends in a carriage return)`},
		{h.job(text), "exec format error: " + text + " is neither a program for this machine nor a script with a #! line"},
		{with(h.job("true"), func(s *spec) { s.Dir = "/no/such/folder" }), "working folder /no/such/folder not found"},
		{with(h.job("true"), func(s *spec) { s.Dir = plain }), "working folder " + plain + " is not a folder"},
		{h.job("true", "a\x00b"), "an argument or environment value holds a NUL byte"},
		{h.job(), "the command is empty"},
		{with(h.job("true"), func(s *spec) { s.Log = filepath.Join(plain, "x.log") }), "log: open " + plain + "/x.log: not a directory"},
		{h.job("true", strings.Repeat("x", 3<<20)), "arguments and environment are too long"},
	} {
		got := h.start(c.spec)
		if how(got) != "start: "+c.want || got.Process.PID != 0 {
			t.Errorf("%.80q: got %q, want %q", c.spec.Argv, how(got), c.want)
		}
	}
	// They stay known until they are acknowledged, like all ends.
	if all, err := h.Attempts(t.Context()); err != nil || len(all) != 14 {
		t.Errorf("got %d, %v", len(all), err)
	}
}

func TestProgramIsFound(t *testing.T) {
	h := newHouse(t)
	if err := os.Mkdir(filepath.Join(h.dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, "bin", "tool"), []byte("#!/bin/sh\necho $0\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ argv0, path, want string }{
		{"tool", "/usr/bin:" + filepath.Join(h.dir, "bin"), filepath.Join(h.dir, "bin/tool")},
		{"tool", "bin", filepath.Join(h.dir, "bin/tool")},
		{"./bin/tool", "", "./bin/tool"},
		{"bin/tool", "/usr/bin", "bin/tool"},
	} {
		s := h.job(c.argv0)
		s.Env = []string{"PATH=" + c.path}
		end := h.run(s)
		if got := h.output(s); how(end) != "exit 0" || got != c.want+"\n" {
			t.Errorf("%s in %q: %s, got %q, want %q", c.argv0, c.path, how(end), got, c.want)
		}
	}
}
