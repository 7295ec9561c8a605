package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/config"
)

const (
	echo  = "command: [echo]\n"
	wrong = "comand: [echo]\n"
)

// plugged is a file at which a type a stands, with files of types beside it.
func plugged(t *testing.T, files map[string]string) string {
	t.Helper()
	return plug(t, versionOf("1"), files)
}

// wantTypes waits for the next configuration and looks at its types and at
// which of its files are broken, new ones marked with a star.
func (w *watched) wantTypes(types, broken string) *config.Config {
	w.t.Helper()
	c, ok := receive(w.t, w.all, "a new configuration")
	if !ok {
		return nil
	}
	<-w.loads
	var files []string
	news := c.NewTypeFaults
	for _, f := range c.TypeFaults {
		name := filepath.Base(f.File)
		if len(news) > 0 && news[0] == f {
			name, news = "*"+name, news[1:]
		}
		files = append(files, name)
	}
	if got := typeNames(c); got != types {
		w.t.Errorf("got types %q, want %q", got, types)
	}
	if got := strings.Join(files, " "); got != broken {
		w.t.Errorf("got broken files %q, want %q", got, broken)
	}
	return c
}

func (w *watched) drop(name, content string) {
	w.t.Helper()
	drop(w.t, w.path, name, content)
}

func (w *watched) unplug(name string) {
	w.t.Helper()
	if err := os.Remove(typeFile(w.path, name)); err != nil {
		w.t.Fatal(err)
	}
}

func TestWatchTypes(t *testing.T) {
	w := watch(t, plugged(t, map[string]string{"b.yaml": echo}), seldom, nothing)
	w.drop("c.yaml", echo)
	w.wantTypes("a b c", "")
	w.drop("c.yaml", echo+"priority: 7\n")
	if c := w.wantTypes("a b c", ""); c != nil && c.Catalog.Types["c"].Priority != 7 {
		t.Errorf("got priority %d, want 7", c.Catalog.Types["c"].Priority)
	}
	if err := os.Rename(typeFile(w.path, "c.yaml"), typeFile(w.path, "d.yaml")); err != nil {
		t.Fatal(err)
	}
	w.wantTypes("a b d", "")
	w.unplug("b.yaml")
	w.wantTypes("a d", "")
	w.unplug("d.yaml")
	w.wantTypes("a", "")
	w.wantQuiet()
}

func TestWatchTypesBroken(t *testing.T) {
	for name, interval := range map[string]time.Duration{"by events": seldom, "by reading": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, plugged(t, map[string]string{"b.yaml": echo + "priority: 7\n"}), interval, nothing)
			w.drop("b.yaml", wrong)
			c := w.wantTypes("a b", "*b.yaml *b.yaml")
			if c != nil && c.Catalog.Types["b"].Priority != 7 {
				t.Errorf("got %+v, want the version before", c.Catalog.Types["b"])
			}
			w.drop("c.yaml", wrong) // never was a type
			w.wantTypes("a b", "b.yaml b.yaml *c.yaml *c.yaml")
			w.drop("b.yaml", wrong+"# the same faults in other bytes\n")
			w.wantTypes("a b", "*b.yaml *b.yaml c.yaml c.yaml")
			w.drop("c.yaml", echo)
			c = w.wantTypes("a b c", "b.yaml b.yaml")
			if c != nil && c.Catalog.Types["b"].Priority != 7 {
				t.Errorf("got %+v, want the version before the one before", c.Catalog.Types["b"])
			}
			w.unplug("b.yaml") // gone is no fault
			w.wantTypes("a c", "")
			w.drop("b.yaml", wrong)
			w.wantTypes("a c", "*b.yaml *b.yaml")
			w.wantQuiet()
		})
	}
}

// A wake says again what is wrong.
func TestWatchTypesWake(t *testing.T) {
	w := watch(t, plugged(t, map[string]string{"b.yaml": wrong}), seldom, nothing)
	w.drop("c.yaml", echo)
	w.wantTypes("a c", "b.yaml b.yaml")
	w.awake()
	w.wantTypes("a c", "*b.yaml *b.yaml")
	w.wantQuiet()
}

func TestWatchTypesChangedSinceLoad(t *testing.T) {
	path := plugged(t, nil)
	w := watch(t, path, seldom, func() { drop(t, path, "b.yaml", echo) })
	w.wantTypes("a b", "")
	w.wantQuiet()
}

// The folder comes later, goes, and comes again.
func TestWatchTypesFolder(t *testing.T) {
	for name, interval := range map[string]time.Duration{"by events": seldom, "by reading": 10 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, plugged(t, nil), interval, nothing)
			folder := filepath.Dir(typeFile(w.path, "x"))
			for range 2 {
				w.drop("b.yaml", echo)
				w.wantTypes("a b", "")
				w.drop("c.yaml", echo)
				w.wantTypes("a b c", "")
				if err := os.Rename(folder, filepath.Join(t.TempDir(), "away")); err != nil {
					t.Fatal(err)
				}
				w.wantTypes("a", "")
			}
			w.wantQuiet()
		})
	}
}

func TestWatchTypesDirChanged(t *testing.T) {
	w := watch(t, plugged(t, map[string]string{"b.yaml": echo}), seldom, nothing)
	other := t.TempDir()
	put(t, filepath.Join(other, "c.yaml"), echo)
	w.replace("types_dir: '" + other + "'\n" + versionOf("1"))
	w.wantTypes("a c", "")
	put(t, filepath.Join(other, "d.yaml"), echo)
	w.wantTypes("a c d", "")
	w.drop("e.yaml", echo) // into the folder that counts no more
	w.replace(versionOf("2"))
	w.wantTypes("a b e", "")
	w.wantQuiet()
}

// A bad jobrunner.yaml is refused once, however the types change meanwhile.
func TestWatchTypesBesideBadFile(t *testing.T) {
	w := watch(t, plugged(t, nil), 10*time.Millisecond, nothing)
	w.replace(versionOf("0"))
	w.wantError("must be at least 1")
	w.drop("b.yaml", echo)
	w.drop("c.yaml", echo)
	w.replace(versionOf("2"))
	w.wantTypes("a b c", "")
	w.wantQuiet()
}

// A schedule whose type is dropped keeps no other file from being taken; a
// changed jobrunner.yaml is held against the types that there are.
func TestWatchTypesOfSchedule(t *testing.T) {
	const schedule = "schedules: [{name: s, every: 1h, request: {type: b}}]\n"
	w := watch(t, plug(t, schedule+versionOf("1"), map[string]string{"b.yaml": echo}), seldom, nothing)
	w.unplug("b.yaml")
	c := w.wantTypes("a", "*jobrunner.yaml")
	want := `jobrunner.yaml:1:50: schedules.s.request: "b" is no type; known are a`
	if c != nil && c.TypeFaults.Error() != want {
		t.Errorf("got %q, want %q", c.TypeFaults, want)
	}
	w.drop("c.yaml", echo)
	w.wantTypes("a c", "jobrunner.yaml")
	w.replace(schedule + versionOf("2"))
	w.wantError(`"b" is no type`)
	w.drop("b.yaml", echo)
	w.wantTypes("a b c", "")
	w.wantQuiet()
}

// The last type may go while the daemon runs.
func TestWatchLastType(t *testing.T) {
	w := watch(t, plug(t, "max_concurrent: 1\n", map[string]string{"b.yaml": echo}), seldom, nothing)
	w.unplug("b.yaml")
	w.wantTypes("", "*jobrunner.yaml")
	w.drop("c.yaml", echo)
	w.wantTypes("c", "")
	w.wantQuiet()
}

// A file that is written in place, byte by byte as it were, is not called bad.
func TestWatchTypesWrittenInPlace(t *testing.T) {
	w := watch(t, plugged(t, map[string]string{"b.yaml": echo}), seldom, nothing)
	file := typeFile(w.path, "b.yaml")
	put(t, file, "")
	put(t, file, "comm")
	put(t, file, echo+"priority: 7\n")
	if c := w.wantTypes("a b", ""); c != nil && c.Catalog.Types["b"].Priority != 7 {
		t.Errorf("got %+v", c.Catalog.Types["b"])
	}
	w.wantQuiet()
}
