package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jobrunner/config"
)

// plug makes a jobrunner.yaml of content, with files of types beside it.
func plug(t *testing.T, content string, files map[string]string) string {
	t.Helper()
	path := write(t, content)
	for name, text := range files {
		drop(t, path, name, text)
	}
	return path
}

// drop puts a file into types.d beside the file at path, as most editors do.
func drop(t *testing.T, path, name, content string) {
	t.Helper()
	file := typeFile(path, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, file+".tmp", content)
	if err := os.Rename(file+".tmp", file); err != nil {
		t.Fatal(err)
	}
}

func typeFile(path, name string) string { return filepath.Join(filepath.Dir(path), "types.d", name) }

func typeNames(c *config.Config) string {
	return strings.Join(slices.Sorted(maps.Keys(c.Catalog.Types)), " ")
}

func wantFaults(t *testing.T, c *config.Config, want ...string) {
	t.Helper()
	lines := []string{}
	for _, f := range c.TypeFaults {
		lines = append(lines, strings.ReplaceAll(f.Error(), c.Dir, "DIR"))
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got faults:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestTypesDir(t *testing.T) {
	path := plug(t, "slots: {gpu: 2}\ntypes: {a: {command: [echo]}}\n", map[string]string{
		"train.yaml":   "# trains\ncommand: [python3, train.py]\nworkdir: runs\nslots: {gpu: 2}\n",
		"Test_2.YML":   "interpreter: [sh]\nscripts: tests\n",
		"README.md":    "types",
		".hidden.yaml": "nonsense",
		"~old.yaml":    "nonsense",
		"#new.yaml":    "nonsense",
		"x.yaml~":      "nonsense",
		"x.yaml.bak":   "nonsense",
	})
	c := load(t, path)
	wantFaults(t, c)
	if got, want := typeNames(c), "Test_2 a train"; got != want {
		t.Errorf("got types %q, want %q", got, want)
	}
	train := c.Catalog.Types["train"]
	if train.Name != "train" || train.Workdir != filepath.Join(c.Dir, "runs") || train.Slots["gpu"] != 2 {
		t.Errorf("got %+v", train)
	}
	if got, want := c.Catalog.Types["Test_2"].Scripts, filepath.Join(c.Dir, "tests"); got != want {
		t.Errorf("got scripts %q, want %q", got, want)
	}
}

func TestTypesDirBroken(t *testing.T) {
	path := plug(t, "types: {a: {command: [echo]}}\n", map[string]string{
		"a.yaml":      "command: [echo, other]\n",
		"b.yaml":      "command: [echo]\n",
		"b.yml":       "command: [echo]\n",
		"bad.yaml":    "comand: [echo]\npriority: high\nslots: {gpu: 1}\n",
		"big.yaml":    strings.Repeat("#\n", 1<<19) + "x",
		"cancel.yaml": "command: [echo]\n",
		"empty.yaml":  "",
		"list.yaml":   "[command]\n",
		"syntax.yaml": "command: [echo\n",
		"two.no.yaml": "command: [echo]\n",
	})
	if err := os.Mkdir(typeFile(path, "folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", typeFile(path, "link.yaml")); err != nil {
		t.Skip("no links here:", err)
	}
	c := load(t, path)
	if got, want := typeNames(c), "a b"; got != want {
		t.Errorf("got types %q, want %q", got, want)
	}
	if got := c.Catalog.Types["a"].Command; len(got) != 1 {
		t.Errorf("got %q, want that of jobrunner.yaml", got)
	}
	wantFaults(t, c,
		`types.d/a.yaml: type "a" stands in jobrunner.yaml too, and that one counts; remove one, or name it otherwise`,
		`types.d/b.yml: type "b" stands in types.d/b.yaml too, and that one counts; remove one, or name it otherwise`,
		`types.d/bad.yaml:1:1: unknown key "comand"; did you mean "command"?`,
		`types.d/bad.yaml:1:1: has neither command nor interpreter; for example command: [python3, -u, countdown.py]`,
		`types.d/bad.yaml:2:11: priority: must be a whole number, not text`,
		`types.d/bad.yaml:3:9: slots: "gpu" is no slot; none are configured: at the top level, for example slots: {gpu: [0, 1]}`,
		`types.d/big.yaml:1:1: is larger than 1 MiB; is it the right file?`,
		`types.d/cancel.yaml: "cancel" is the name of an action; name the file otherwise`,
		`types.d/empty.yaml:1:1: is empty; write at least command: [python3, -u, countdown.py]`,
		`types.d/folder.yaml: is a folder`,
		`types.d/link.yaml: there is no such file`,
		`types.d/list.yaml:1:1: must be a mapping (key: value), not a list; for example command: [python3, -u, countdown.py]`,
		`types.d/syntax.yaml:1:10: did not find expected ',' or ']'; is the bracket closed?`,
		`types.d/two.no.yaml: "two.no" is no name of a type; name the file with a letter and up to 63 letters, digits, _ or -`,
	)
	if got := len(c.NewTypeFaults); got != len(c.TypeFaults) {
		t.Errorf("%d faults are new, want all %d", got, len(c.TypeFaults))
	}
}

// types may be left out, or empty, if the folder has at least one.
func TestTypesDirAlone(t *testing.T) {
	files := map[string]string{"train.yaml": "command: [echo]\n"}
	for _, content := range []string{"max_concurrent: 1\n", "max_concurrent: 1\ntypes:\n", "types: {}\n"} {
		if got := typeNames(load(t, plug(t, content, files))); got != "train" {
			t.Errorf("%q: got types %q, want train", content, got)
		}
	}
	none := map[string]string{"README": "nothing yet\n"}
	if got := faults(t, plug(t, "max_concurrent: 1\n", none)); !strings.HasPrefix(got, "jobrunner.yaml:1:1: types: is missing") {
		t.Errorf("got %q", got)
	}
	// The one that there is may be mended while the daemon runs.
	broken := map[string]string{"train.yaml": "command: []\n"}
	c := load(t, plug(t, "max_concurrent: 1\n", broken))
	wantFaults(t, c, "types.d/train.yaml:1:10: command: must name a program; for example [python3, -u, countdown.py]")
}

// What is wrong with jobrunner.yaml and with files of types is said at once.
func TestTypesDirAndFileBroken(t *testing.T) {
	got := faults(t, plug(t, "max_concurrent: 0\ntypes: {a: {command: [echo]}}\n", map[string]string{"b.yaml": "command: x\n"}))
	want := "jobrunner.yaml:1:17: max_concurrent: must be at least 1, is 0\n" +
		"types.d/b.yaml:1:10: command: must be a list, not text; for example [python3, -u, countdown.py]\n"
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

func TestTypesDirElsewhere(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "train.yaml"), "command: [echo]\ncolour: red\n")
	put(t, filepath.Join(dir, "test.yaml"), "command: [echo]\n")
	c := load(t, write(t, "types_dir: '"+dir+"'\n"))
	if got := typeNames(c); got != "test" || c.TypesDir != dir {
		t.Errorf("got types %q of %q", got, c.TypesDir)
	}
	if len(c.TypeFaults) != 1 || c.TypeFaults[0].File != filepath.Join(dir, "train.yaml") {
		t.Errorf("got %v", c.TypeFaults)
	}
}

func TestTypesDirIsFile(t *testing.T) {
	path := plug(t, "types_dir: file\ntypes: {a: {command: [echo]}}\n", nil)
	put(t, filepath.Join(filepath.Dir(path), "file"), "text\n")
	wantFaults(t, load(t, path), "jobrunner.yaml:1:1: types_dir: DIR/file is no folder")
}

func TestScheduleOfPluggedType(t *testing.T) {
	const content = `schedules: [{name: nightly, every: 1h, request: {type: train}}]
types: {a: {command: [echo]}}
`
	load(t, plug(t, content, map[string]string{"train.yaml": "command: [echo]\n"}))
	load(t, plug(t, content, map[string]string{"train.yaml": "comand: [echo]\n"})) // it may be there again soon
	got := faults(t, plug(t, content, map[string]string{"trian.yaml": "command: [echo]\n"}))
	want := `jobrunner.yaml:1:56: schedules.nightly.request: "train" is no type; did you mean "trian"?` + "\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
