package jobs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jobrunner/jobs"
)

// linked makes a link, or skips the test where a user may not.
func linked(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("links cannot be made here: %v", err)
	}
}

func TestScriptLinks(t *testing.T) {
	c := testCatalog(t)
	python := c.Types["python"]
	in := func(name string) string { return filepath.Join(c.Dir, "examples", name) }
	linked(t, "countdown.py", in("latest.py"))
	linked(t, "../outside.py", in("leak.py"))
	linked(t, "notes.txt", in("text.py"))
	linked(t, "..", in("up"))
	linked(t, "nowhere.py", in("dangling.py"))
	linked(t, "loop.py", in("loop.py"))
	linked(t, "examples", filepath.Join(c.Dir, "alias"))
	real, err := filepath.EvalSymlinks(in("countdown.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"countdown.py", "examples/countdown.py", "latest.py", "deep/../countdown.py",
		in("countdown.py"), in("latest.py"), real,
	} {
		if got, err := python.Script(name, c.Dir); err != nil || got != real {
			t.Errorf("Script(%q) = %q, %v; want %q", name, got, err, real)
		}
	}
	for name, want := range map[string]string{
		"leak.py":                            "is a link that leads outside",
		"up/outside.py":                      "is a link that leads outside",
		"text.py":                            "is a link to a file of another extension",
		"dangling.py":                        "is not there",
		"loop.py":                            "cannot be looked at",
		"alias/countdown.py":                 "is not there",
		filepath.Join(c.Dir, "outside.py"):   "lies outside of examples",
		in("../outside.py"):                  "lies outside of examples",
		"deep/../../outside.py":              "lies outside of examples",
		".py":                                "not a script of this type",
		"":                                   "not a script of this type",
		"a\x00.py":                           "cannot be the name of a script",
		strings.Repeat("long/", 2000) + ".x": "not a script of this type",
		strings.Repeat("a", 9999) + ".py":    "cannot be looked at",
	} {
		if got, err := python.Script(name, c.Dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Script(%.60q) = %q, %v; want an error with %q", name, got, err, want)
		}
	}

	// The scripts folder may itself be a link.
	python.Scripts = filepath.Join(c.Dir, "alias")
	for _, name := range []string{"countdown.py", "alias/countdown.py", real, filepath.Join(c.Dir, "alias", "countdown.py")} {
		if got, err := python.Script(name, c.Dir); err != nil || got != real {
			t.Errorf("below a linked folder: Script(%q) = %q, %v; want %q", name, got, err, real)
		}
	}
}

func TestScriptOfAnyExtension(t *testing.T) {
	c := testCatalog(t)
	c.Types["other"].Extensions = nil
	if got := resolved(t, c, "a.txt", "run 1"); got != `other run ["1"] PENDING` {
		t.Errorf("got %s", got)
	}
	if got, want := resolved(t, c, "a.txt", "cuntdown 1"), `a.txt:1: unknown type "cuntdown"; did you mean "countdown"?`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := resolved(t, c, "a.txt", "./gone 1"), `a.txt:1: script "./gone" is not there, in other`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestScriptsFolderGone(t *testing.T) {
	c := testCatalog(t)
	if err := os.RemoveAll(filepath.Join(c.Dir, "examples")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Types["python"].Script("countdown.py", c.Dir); err == nil || !strings.Contains(err.Error(), `scripts folder of type "python"`) {
		t.Errorf("got %v", err)
	}
}

func TestFolder(t *testing.T) {
	c := testCatalog(t)
	work := &jobs.Type{Name: "w", Workdir: filepath.Join(c.Dir, "runs")}
	linked(t, "a", filepath.Join(work.Workdir, "inside"))
	linked(t, "..", filepath.Join(work.Workdir, "up"))
	linked(t, "/nowhere/at/all", filepath.Join(work.Workdir, "dangling"))
	for sub, want := range map[string]string{
		"": "", ".": "", "a": "a", "a/new/er": "a/new/er", "inside": "inside", "a/../b": "b",
		filepath.Join(work.Workdir, "a"): "a",
	} {
		got, err := work.Folder(sub)
		if want := filepath.Join(work.Workdir, filepath.FromSlash(want)); err != nil || got != want {
			t.Errorf("Folder(%q) = %q, %v; want %q", sub, got, err, want)
		}
	}
	for _, sub := range []string{"..", "../examples", "a/../../examples", "up", "up/examples", "dangling", "dangling/x", c.Dir, "a\x00"} {
		if got, err := work.Folder(sub); err == nil {
			t.Errorf("Folder(%q) = %q, want an error", sub, got)
		}
	}
}
