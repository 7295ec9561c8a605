//go:build !windows

package jobs_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

func TestFreezeScriptModes(t *testing.T) {
	state := t.TempDir()
	path := putScript(t, t.TempDir(), "x.sh", "echo 1\n")
	if _, err := jobs.FreezeScript(state, path, sumOf("echo 1\n")); err != nil {
		t.Fatal(err)
	}
	kept := jobs.FrozenScript(state, sumOf("echo 1\n"), ".sh")
	for path, want := range map[string]os.FileMode{kept: 0o600, filepath.Dir(kept): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

func TestHashScriptDoesNotWaitForPipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sh")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("pipes cannot be made here: %v", err)
	}
	if got, err := jobs.HashScript(path); err == nil {
		t.Errorf("HashScript of a pipe = %s, want an error", got)
	}
}

func TestUnreadableScriptIsRefused(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	c, folder := scriptCatalog(t)
	if err := os.Chmod(putScript(t, folder, "x.sh", "echo\n"), 0); err != nil {
		t.Fatal(err)
	}
	const message = `script "x.sh" cannot be read: permission denied`
	checkPlanned(t, c, "a.yaml", "type: run\nscript: x.sh", "a.yaml:2:9: "+message)
	checkPlanned(t, c, "a.txt", "x.sh 1\n\nrun x.sh", "a.txt:1: "+message, "a.txt:3: "+message)
}
