package jobs_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"jobrunner/jobs"
)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestHashScript(t *testing.T) {
	dir := t.TempDir()
	path := putScript(t, dir, "x.sh", "echo 1\n")
	old := time.Now().Add(-time.Hour)
	// The same size and times must not hide another content, written at once
	// or a file of another identity.
	for _, text := range []string{"echo 1\n", "echo 2\n", "echo 3\n", ""} {
		putScript(t, dir, "x.sh", text)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got, err := jobs.HashScript(path); err != nil || got != sumOf(text) {
				t.Errorf("HashScript of %q = %s, %v; want %s", text, got, err, sumOf(text))
			}
		}
	}
	if err := os.Rename(putScript(t, dir, "y.sh", "echo 4\n"), path); err != nil {
		t.Fatal(err)
	}
	if got, err := jobs.HashScript(path); err != nil || got != sumOf("echo 4\n") {
		t.Errorf("HashScript of the file in its place = %s, %v", got, err)
	}
	for _, bad := range []string{dir, filepath.Join(dir, "gone.sh")} {
		if got, err := jobs.HashScript(bad); err == nil {
			t.Errorf("HashScript(%s) = %s, want an error", bad, got)
		}
	}
}

func TestResolveHashesScripts(t *testing.T) {
	c, folder := scriptCatalog(t)
	putScript(t, folder, "x.sh", "echo 1\n")
	j, f := c.Resolve(jobs.ParseYAML([]byte("script: x.sh"), "a.yaml")[0].Request)
	if f != nil || j.ScriptHash != sumOf("echo 1\n") {
		t.Errorf("got %+v, %v", j, f)
	}
	c.Types["run"] = &jobs.Type{Name: "run", Command: []string{"x"}, Workdir: c.Dir}
	if j, f := c.Resolve(jobs.ParseYAML([]byte("type: run"), "a.yaml")[0].Request); f != nil || j.ScriptHash != "" {
		t.Errorf("without a script: got %+v, %v", j, f)
	}
}

func TestFreezeScript(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	path := putScript(t, t.TempDir(), "x.sh", "echo 1\n")
	hash := sumOf("echo 1\n")
	kept := jobs.FrozenScript(state, hash, ".sh")
	if want := filepath.Join(state, "scripts", hash+".sh"); kept != want {
		t.Errorf("FrozenScript = %s, want %s", kept, want)
	}
	for range 2 {
		if got, err := jobs.FreezeScript(state, path, hash); err != nil || got != hash {
			t.Fatalf("FreezeScript = %s, %v; want %s", got, err, hash)
		}
	}
	if text, err := os.ReadFile(kept); err != nil || string(text) != "echo 1\n" {
		t.Errorf("kept %q, %v", text, err)
	}
	// What is kept stays, though the script changes.
	putScript(t, filepath.Dir(path), "x.sh", "echo 2\n")
	if _, err := jobs.FreezeScript(state, path, hash); err != nil {
		t.Errorf("freezing again what is kept: %v", err)
	}
	if text, _ := os.ReadFile(kept); string(text) != "echo 1\n" {
		t.Errorf("kept %q", text)
	}
	// What is no longer there is kept as it is now.
	if got, err := jobs.FreezeScript(state, path, sumOf("echo 3\n")); err != nil || got != sumOf("echo 2\n") {
		t.Errorf("freezing a changed script = %s, %v", got, err)
	}
	names, err := os.ReadDir(filepath.Dir(kept))
	if err != nil || len(names) != 2 {
		t.Errorf("the folder holds %v, %v; want two files", names, err)
	}
}

func TestFreezeTakesWhatIsThere(t *testing.T) {
	c, folder := scriptCatalog(t)
	c.Types["run"].OnChange = jobs.OnChangeCopy
	putScript(t, folder, "x.sh", "echo 1\n")
	entries, bad := c.Entries(jobs.ParseFile("a.yaml", []byte("{script: x.sh, args: ['{a}'], foreach: {a: [1, 2]}}")), itemIDs)
	if len(bad) > 0 {
		t.Fatal(bad[0].Fault)
	}
	putScript(t, folder, "x.sh", "echo 2\n")
	if err := c.Freeze(t.TempDir(), entries); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Job.ScriptHash != sumOf("echo 2\n") {
			t.Errorf("%v has the hash %s, want that of what was kept", e.Job.Args, e.Job.ScriptHash)
		}
	}
}

func TestLargeScripts(t *testing.T) {
	c, folder := scriptCatalog(t)
	if err := os.Truncate(putScript(t, folder, "x.sh", "#JR priority=3\n"), 1<<40); err != nil {
		t.Skipf("no file with holes can be made here: %v", err)
	}
	for _, change := range []jobs.OnChange{"", jobs.OnChangeRun} {
		c.Types["run"].OnChange = change
		j, f := c.Resolve(jobs.ParseYAML([]byte("script: x.sh"), "a.yaml")[0].Request)
		if f != nil || j.ScriptHash != "" || j.Priority != 3 {
			t.Errorf("on_change %q: got %+v, %v", change, j, f)
		}
	}
	for _, change := range []jobs.OnChange{jobs.OnChangeCopy, jobs.OnChangeReject} {
		c.Types["run"].OnChange = change
		checkPlanned(t, c, "a.yaml", "script: x.sh", `a.yaml:1:9: script "x.sh" cannot be guarded against changes (on_change: `+string(change)+
			`): it is larger than 256 MiB; keep its data in a file beside it`)
	}
}
