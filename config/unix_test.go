//go:build !windows

package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"jobrunner/config"
)

// What waits for a writer for ever is not opened, and a folder that cannot be
// read keeps no type from jobrunner.yaml back.
func TestTypesDirFIFO(t *testing.T) {
	path := plugged(t, map[string]string{"b.yaml": echo})
	if err := unix.Mkfifo(typeFile(path, "c.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, path)
	wantFaults(t, c, "types.d/c.yaml: is no regular file")
	if got := typeNames(c); got != "a b" {
		t.Errorf("got types %q, want a b", got)
	}
}

func TestWatchTypesFolderWithoutRights(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("root may read anything")
	}
	w := watch(t, plugged(t, map[string]string{"b.yaml": echo}), seldom, nothing)
	folder := filepath.Dir(typeFile(w.path, "x"))
	if err := os.Chmod(folder, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(folder, 0o700) })
	c := w.wantTypes("a b", "*jobrunner.yaml")
	if want := "jobrunner.yaml:1:1: types_dir: " + folder + ": permission denied"; c != nil && c.TypeFaults.Error() != want {
		t.Errorf("got %q, want %q", c.TypeFaults, want)
	}
	w.wantQuiet()
}

func TestCheckSecretForEverybody(t *testing.T) {
	dir := place(t)
	key := filepath.Join(dir, "hook.key")
	put(t, key, "hunter2\n")
	const content = "on_finish: {webhook: 'https://x/', secret_file: hook.key}\ntypes: {a: {command: [./program.exe]}}\n"
	if problems := check(t, dir, content); len(problems) != 0 {
		t.Errorf("got %v, want none", problems[0].Fault)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	problems := check(t, dir, content)
	want := "jobrunner.yaml:1:12: on_finish: " + key + " can be read by everybody on this machine; chmod o= it"
	if len(problems) != 1 || problems[0].Fault.Error() != want || problems[0].Fatal {
		t.Errorf("got %+v, want %q", problems, want)
	}
}

// A file that is swapped for a pipe between a look at it and its opening is
// not waited for.
func TestPipeIsNotWaitedFor(t *testing.T) {
	path := plugged(t, map[string]string{"b.yaml": echo})
	file, pipe, temp := typeFile(path, "b.yaml"), typeFile(path, ".pipe"), typeFile(path, ".temp")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	swaps := make(chan struct{})
	go func() {
		defer close(swaps)
		for range 3000 {
			_ = os.WriteFile(temp, []byte(echo), 0o600)
			_ = os.Rename(temp, file)
			_ = os.Link(pipe, temp)
			_ = os.Rename(temp, file)
		}
	}()
	for {
		if _, err := config.Load(path); err != nil {
			t.Fatal(err)
		}
		select {
		case <-swaps:
			return
		default:
		}
	}
}
