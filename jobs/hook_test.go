package jobs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/jobs"
)

func TestHookWants(t *testing.T) {
	all, none := jobs.Hook{On: jobs.HookStates()}, jobs.Hook{AllDone: true}
	for _, s := range jobs.States {
		if got, want := all.Wants(s), s.Ended() && s != jobs.Rejected; got != want {
			t.Errorf("a hook for every end: %s: got %t, want %t", s, got, want)
		}
		if none.Wants(s) {
			t.Errorf("a hook for the end of all: %s: got true", s)
		}
	}
}

func TestHookKey(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("HOOK_KEY", " from env ")
	t.Setenv("HOOK_EMPTY", "")
	for name, row := range map[string]struct {
		hook  jobs.Hook
		key   string
		wrong string // part of the error; "" means none
	}{
		"none":           {jobs.Hook{}, "", ""},
		"written out":    {jobs.Hook{Secret: "hunter2"}, "hunter2", ""},
		"file":           {jobs.Hook{SecretFile: file("a", " hunter 2 \r\n\n")}, " hunter 2", ""},
		"variable":       {jobs.Hook{SecretEnv: "HOOK_KEY"}, " from env ", ""},
		"empty file":     {jobs.Hook{SecretFile: file("b", "\n")}, "", "is empty"},
		"large file":     {jobs.Hook{SecretFile: file("c", strings.Repeat("x", 64<<10+1))}, "", "larger"},
		"no file":        {jobs.Hook{SecretFile: filepath.Join(dir, "d")}, "", "reading the secret"},
		"folder":         {jobs.Hook{SecretFile: dir}, "", "is no regular file"},
		"no variable":    {jobs.Hook{SecretEnv: "HOOK_NONE"}, "", "HOOK_NONE is not set"},
		"empty variable": {jobs.Hook{SecretEnv: "HOOK_EMPTY"}, "", "HOOK_EMPTY is not set"},
	} {
		key, err := row.hook.Key()
		if key != row.key || (err != nil) != (row.wrong != "") || err != nil && !strings.Contains(err.Error(), row.wrong) {
			t.Errorf("%s: got %q, %v, want %q, %q", name, key, err, row.key, row.wrong)
		}
	}
}
