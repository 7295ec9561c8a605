//go:build unix

package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// scripted is a type of shell scripts and a job of it that was accepted when its
// script said "old".
func scripted(t *testing.T, dir string, change jobs.OnChange) (*jobs.Type, *jobs.Job, string) {
	t.Helper()
	path := filepath.Join(dir, "scripts", "say.sh")
	write(t, path, "echo old $1\n")
	typ := &jobs.Type{Name: "shell", Interpreter: []string{"sh"}, Scripts: filepath.Dir(path),
		Extensions: []string{".sh"}, Workdir: dir, Umask: -1, OnChange: change}
	hash, err := jobs.HashScript(path)
	if err != nil {
		t.Fatal(err)
	}
	if change == jobs.OnChangeCopy {
		if _, err := jobs.FreezeScript(dir, path, hash); err != nil {
			t.Fatal(err)
		}
	}
	job := &jobs.Job{ID: "an-id", Type: "shell", Target: "say.sh", Args: []string{"word"}, Attempt: 1, ScriptHash: hash}
	return typ, job, path
}

func TestScriptChanged(t *testing.T) {
	for _, tt := range []struct {
		change jobs.OnChange
		output string
		noted  bool
		fault  string
	}{
		{change: "", output: "new word\n", noted: true},
		{change: jobs.OnChangeRun, output: "new word\n", noted: true},
		{change: jobs.OnChangeCopy, output: "old word\n"},
		{change: jobs.OnChangeReject, fault: "script say.sh was changed after the job was accepted (on_change: reject)"},
	} {
		h := newHouse(t)
		typ, job, path := scripted(t, h.dir, tt.change)
		if sp, err := prepare(job, typ, h.dir, h.dir, readEnv(os.Environ())); err != nil || sp.Script != "" || !strings.HasSuffix(sp.Argv[1], "say.sh") {
			t.Errorf("%q, unchanged: %v, noted %q, argv %q", tt.change, err, sp.Script, sp.Argv)
		}
		write(t, path, "echo new $1\n")
		sp, err := prepare(job, typ, h.dir, h.dir, readEnv(os.Environ()))
		if tt.fault != "" {
			if err == nil || err.Error() != tt.fault {
				t.Errorf("%q: got %v, want %s", tt.change, err, tt.fault)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		end := h.run(sp)
		if got := h.output(sp); got != tt.output {
			t.Errorf("%q: it said %q, want %q", tt.change, got, tt.output)
		}
		now, err := jobs.HashScript(path)
		if err != nil || end.Script != sp.Script || (end.Script == now) != tt.noted {
			t.Errorf("%q: noted %q, want so: %v (%s, %v)", tt.change, end.Script, tt.noted, now, err)
		}
	}
}

func TestScriptCopy(t *testing.T) {
	dir := t.TempDir()
	typ, job, path := scripted(t, dir, jobs.OnChangeCopy)
	kept := jobs.FrozenScript(dir, job.ScriptHash, ".sh")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if sp, err := prepare(job, typ, dir, dir, nil); err != nil || sp.Argv[1] != kept {
		t.Errorf("script gone: got %q, %v, want %s", sp.Argv, err, kept)
	}
	// A copy that is not what was accepted is not run.
	write(t, path, "echo new\n")
	if err := os.WriteFile(kept, []byte("echo forged\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "script say.sh was changed after the job was accepted, and there is no copy of it as it was (on_change: copy)"
	if sp, err := prepare(job, typ, dir, dir, nil); err == nil || err.Error() != want {
		t.Errorf("copy forged: got %q, %v, want %s", sp.Argv, err, want)
	}
	typ.OnChange = jobs.OnChangeRun
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if sp, err := prepare(job, typ, dir, dir, nil); err == nil {
		t.Errorf("script gone, run: got %q", sp.Argv)
	}
}

func TestScriptOfOldJob(t *testing.T) {
	dir := t.TempDir()
	typ, job, _ := scripted(t, dir, jobs.OnChangeReject)
	job.ScriptHash = "" // accepted before hashes were kept
	if sp, err := prepare(job, typ, dir, dir, nil); err != nil || sp.Script != "" {
		t.Errorf("got %v, noted %q", err, sp.Script)
	}
}
