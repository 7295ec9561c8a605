package watcher

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWriteFileAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.json")
	for _, text := range []string{"first", "second, longer", ""} {
		if err := writeFileAtomic(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := writeFileAtomic(filepath.Join(dir, "folder"), nil, 0o644); err == nil {
		t.Error("a folder was replaced")
	}
	if names, _ := os.ReadDir(dir); len(names) != 2 {
		t.Errorf("left behind: %v", names)
	}
}

func TestMoveFile(t *testing.T) {
	here := t.TempDir()
	for name, there := range map[string]string{"same": t.TempDir(), "other": otherFileSystem(t, here)} {
		if there == "" {
			continue
		}
		from, to := filepath.Join(here, name), filepath.Join(there, name)
		for _, text := range []string{"first", "second"} {
			if err := os.WriteFile(from, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := moveFile(from, to); err != nil {
				t.Fatal(err)
			}
			if got, _ := os.ReadFile(to); string(got) != text {
				t.Errorf("%s file system: got %q, want %q", name, got, text)
			}
			if exists(from) {
				t.Errorf("%s file system: still there", name)
			}
		}
		if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s file system: mode %v, %v", name, info.Mode(), err)
		}
	}
}

func TestOutboxOnAnotherFileSystem(t *testing.T) {
	dir := t.TempDir()
	there := otherFileSystem(t, dir)
	if there == "" {
		t.Skip("there is only one file system to write to")
	}
	y := newTrayOn(t, filepath.Join(dir, "inbox"), filepath.Join(there, "outbox"), filepath.Join(dir, "state"))
	y.drop("a.yaml", goodText)
	if a := y.answered("a.yaml"); a.State != "PENDING" {
		t.Errorf("reply = %+v", a)
	}
	if got, _ := os.ReadFile(filepath.Join(y.outbox, "a.yaml")); string(got) != goodText {
		t.Errorf("outbox file = %q", got)
	}
	if len(y.claims()) != 0 {
		t.Errorf("claims left: %v", y.claims())
	}
}

// otherFileSystem gives a folder on another file system than dir's, "" if none
// is known here.
func otherFileSystem(t *testing.T, dir string) string {
	t.Helper()
	there, err := os.MkdirTemp("/dev/shm", "watcher")
	if err != nil {
		return ""
	}
	t.Cleanup(func() { os.RemoveAll(there) })
	a, errA := lookAt(dir)
	b, errB := lookAt(there)
	if errA != nil || errB != nil || a.device == b.device {
		return ""
	}
	return there
}

func TestRemoveOldTemps(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-2 * time.Hour)
	for name, at := range map[string]time.Time{
		ownTempPrefix + "old" + ownTempSuffix: long, ownTempPrefix + "new" + ownTempSuffix: time.Now(),
		".other.tmp": long, "a.yaml": long,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	removeOldTemps(dir)
	var left []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := ownTempPrefix + "new" + ownTempSuffix + " .other.tmp a.yaml"
	if got := strings.Join(left, " "); got != want {
		t.Errorf("left %q, want %q", got, want)
	}
}
