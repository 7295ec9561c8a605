package jobs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"jobrunner/jobs"
)

// testCatalog makes a folder with scripts, and types that run them.
func testCatalog(t testing.TB) *jobs.Catalog {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{
		"examples/countdown.py", "examples/deep/er.py", "examples/my script.py", "examples/it's a.py",
		"examples/notes.txt", "examples/both.x", "other/both.x", "other/run", "outside.py",
	} {
		writeFile(t, filepath.Join(dir, name))
	}
	for _, folder := range []string{"runs/a", "examples/folder.py"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := &jobs.Catalog{Dir: dir, MaxConcurrent: 3, Types: map[string]*jobs.Type{}}
	for _, typ := range []jobs.Type{
		{
			Name: "countdown", Command: []string{"python3"}, Priority: 7, Timeout: 2 * time.Hour, EnvAllow: []string{"EPOCHS", "SEED"},
			Args: jobs.ArgRules{Min: 1, Max: 1, Pattern: regexp.MustCompile(`^(?:[0-9]{1,6})$`)},
		},
		{Name: "free", Command: []string{"x"}, Args: jobs.ArgRules{Max: -1}},
		{Name: "none", Command: []string{"x"}},
		{Name: "some", Command: []string{"x"}, Args: jobs.ArgRules{Min: 2, Max: 3}},
		{Name: "many", Command: []string{"x"}, Args: jobs.ArgRules{Min: 2, Max: -1}},
		{Name: "python", Interpreter: []string{"python3"}, Scripts: filepath.Join(dir, "examples"), Extensions: []string{".py", ".x"}, Args: jobs.ArgRules{Max: 1}},
		{Name: "other", Interpreter: []string{"sh"}, Scripts: filepath.Join(dir, "other"), Extensions: []string{".x"}, Args: jobs.ArgRules{Max: -1}},
	} {
		typ.Workdir = dir
		c.Types[typ.Name] = &typ
	}
	return c
}

func writeFile(t testing.TB, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("pass\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// resolved gives what became of the only request of a file, in one line.
func resolved(t *testing.T, c *jobs.Catalog, name, text string) string {
	t.Helper()
	items := jobs.ParseFile(name, []byte(text))
	if len(items) != 1 || items[0].Request == nil {
		t.Fatalf("%q is no single request: %s", text, said(items[0]))
	}
	j, f := c.Resolve(items[0].Request)
	if f != nil {
		return f.Error()
	}
	return fmt.Sprintf("%s %s %q %s", j.Type, j.Target, j.Args, j.State)
}

func TestResolveLine(t *testing.T) {
	c := testCatalog(t)
	for line, want := range map[string]string{
		"countdown 25":                 `countdown countdown ["25"] PENDING`,
		"countdown.py 25":              `python countdown.py ["25"] PENDING`,
		"examples/countdown.py":        `python examples/countdown.py [] PENDING`,
		"deep/../countdown.py":         `python deep/../countdown.py [] PENDING`,
		"python countdown.py 25":       `python countdown.py ["25"] PENDING`,
		"python deep/er.py":            `python deep/er.py [] PENDING`,
		"other both.x 1 2":             `other both.x ["1" "2"] PENDING`,
		"'my script.py' 1":             `python my script.py ["1"] PENDING`,
		"'my script.py'":               `python my script.py [] PENDING`,
		`"it's a.py"`:                  `python it's a.py [] PENDING`,
		`"countdown.py 25"`:            `python countdown.py ["25"] PENDING`,
		`"countdown 25"`:               `countdown countdown ["25"] PENDING`,
		`"free 'a b' c"`:               `free free ["a b" "c"] PENDING`,
		"free -c --output=/etc/x @f *": `free free ["-c" "--output=/etc/x" "@f" "*"] PENDING`,
		"none":                         `none none [] PENDING`,
		"some 1 2":                     `some some ["1" "2"] PENDING`,

		"cuntdown 5":            `a.txt:1: unknown type "cuntdown"; did you mean "countdown"?`,
		`"cuntdown 5"`:          `a.txt:1: unknown type "cuntdown"; did you mean "countdown"?`,
		`"cuntdown it's"`:       `a.txt:1: this single quote (') is never closed; close it, or put a backslash before it`,
		"shutdown":              `a.txt:1: unknown type "shutdown"; known types: countdown, free, many, none, other, python, some`,
		"restart 3f2a91c0":      `a.txt:1: unknown type "restart"; known types: countdown, free, many, none, other, python, some`,
		"\x1b[31mred":           `a.txt:1: unknown type "\x1b[31mred"; known types: countdown, free, many, none, other, python, some`,
		"cuntdown.py 5":         `a.txt:1: script "cuntdown.py" is not there, in examples; did you mean "countdown.py"?`,
		"both.x":                `a.txt:1: script "both.x" fits two types, "other" and "python"; name the type too`,
		"notes.txt":             `a.txt:1: unknown type "notes.txt"; known types: countdown, free, many, none, other, python, some`,
		"python notes.txt":      `a.txt:1: "notes.txt" is no script of type "python"; its scripts end in .py, .x`,
		"python":                `a.txt:1: type "python" needs a script; give one of examples`,
		"python -c.py":          `a.txt:1: "-c.py" cannot be the name of a script`,
		"python -c 'import os'": `a.txt:1: "-c" is no script of type "python"; its scripts end in .py, .x`,
		"-x.py":                 `a.txt:1: "-x.py" cannot be the name of a script`,
		"../outside.py":         `a.txt:1: script "../outside.py" lies outside of examples`,
		"outside.py":            `a.txt:1: script "outside.py" is not there, in examples`,
		"/etc/passwd.py":        `a.txt:1: script "/etc/passwd.py" lies outside of examples`,
		"folder.py":             `a.txt:1: script "folder.py" is no regular file`,
		"countdown.py/x.py":     `a.txt:1: script "countdown.py/x.py" is not there, in examples`,

		"countdown":               `a.txt:1: type "countdown" takes 1 argument, not 0`,
		"countdown 25 extra":      `a.txt:1: type "countdown" takes 1 argument, not 2`,
		"countdown 25x":           `a.txt:1: argument 1 of type "countdown" must match [0-9]{1,6}, not be "25x"`,
		"countdown '5\t'":         `a.txt:1: argument 1 of type "countdown" must match [0-9]{1,6}, not be "5\t"`,
		"none x":                  `a.txt:1: type "none" takes no arguments, not 1`,
		"some 1":                  `a.txt:1: type "some" takes 2 to 3 arguments, not 1`,
		"many 1":                  `a.txt:1: type "many" takes at least 2 arguments, not 1`,
		"python countdown.py 1 2": `a.txt:1: type "python" takes at most 1 argument, not 2`,
	} {
		if got := resolved(t, c, "a.txt", line); got != want {
			t.Errorf("Resolve(%q)\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestResolveDocument(t *testing.T) {
	c := testCatalog(t)
	for text, want := range map[string]string{
		"{type: countdown, args: [25]}":                   `countdown countdown ["25"] PENDING`,
		"{script: countdown.py}":                          `python countdown.py [] PENDING`,
		"{type: python, script: countdown.py, args: [5]}": `python countdown.py ["5"] PENDING`,
		"{type: python, args: [countdown.py, 5]}":         `python countdown.py ["5"] PENDING`,
		"{type: other, script: both.x}":                   `other both.x [] PENDING`,

		"type: cuntdown":                               `a.yaml:1:7: unknown type "cuntdown"; did you mean "countdown"?`,
		"type: countdown.py":                           `a.yaml:1:7: unknown type "countdown.py"; it is a script: write script: instead of type:`,
		"script: countdown":                            `a.yaml:1:9: "countdown" is a type and no script; write type: instead of script:`,
		"script: both.x":                               `a.yaml:1:9: script "both.x" fits two types, "other" and "python"; name the type too`,
		"type: countdown\nscript: countdown.py":        `a.yaml:2:9: type "countdown" runs a fixed command and takes no script; leave script: out`,
		"type: python\nscript: ../outside.py":          `a.yaml:2:9: script "../outside.py" lies outside of examples`,
		"type: python":                                 `a.yaml:1:7: type "python" needs a script; give one of examples`,
		"type: countdown\nargs:\n- x":                  `a.yaml:3:1: argument 1 of type "countdown" must match [0-9]{1,6}, not be "x"`,
		"{type: countdown, args: [5], timeout: 3h}":    `a.yaml:1:39: timeout 3h0m0s is longer than type "countdown" allows; at most 2h0m0s`,
		"{type: countdown, args: [5], env: {PATH: x}}": `a.yaml:1:42: env "PATH" may not be set for type "countdown"; it allows EPOCHS, SEED`,
		"{type: none, env: {PATH: x}}":                 `a.yaml:1:26: env "PATH" may not be set for type "none"; it allows none: env_allow lists those that a request may set`,
		"{type: none, workdir: ../x}":                  `a.yaml:1:23: workdir "../x" lies outside of that of type "none"`,
		"{type: none, workdir: /etc}":                  `a.yaml:1:23: workdir "/etc" lies outside of that of type "none"`,
		"{type: none, workdir: outside.py}":            `a.yaml:1:23: workdir "outside.py" is no folder`,
		"{type: none, workdir: outside.py/x}":          `a.yaml:1:23: workdir "outside.py/x" is no folder`,
	} {
		if got := resolved(t, c, "a.yaml", text); got != want {
			t.Errorf("Resolve(%q)\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestResolveFillsTheJob(t *testing.T) {
	c := testCatalog(t)
	text := "{type: countdown, args: [5], id: " + someIDUp + ", name: n, timeout: 1h, env: {EPOCHS: 3}, workdir: ./runs//b/, labels: {a: b}}"
	j, f := c.Resolve(jobs.ParseYAML([]byte(text), "a.yaml")[0].Request)
	if f != nil {
		t.Fatal(f)
	}
	if j.ID != someID || j.Spelling != someIDUp || j.Name != "n" || j.Timeout != time.Hour || j.Env["EPOCHS"] != "3" ||
		j.Workdir != filepath.FromSlash("runs/b") || j.Labels["a"] != "b" || j.Attempt != 1 || j.State != jobs.Pending || j.Source != "" {
		t.Errorf("got %+v", *j)
	}
	if j.Priority != 7 {
		t.Errorf("priority %d, want the type's 7", j.Priority)
	}
	j, f = c.Resolve(jobs.ParseYAML([]byte("{type: countdown, args: [5], priority: 0, id: "+someID+"}"), "a.yaml")[0].Request)
	if f != nil || j.Priority != 0 || j.Spelling != "" {
		t.Errorf("got %+v, %v; want the request's priority 0 and no spelling", j, f)
	}
}

func TestResolveHistory(t *testing.T) {
	c := testCatalog(t)
	for line, want := range map[string]string{
		"countdown.py 5 COMPLETED":      `python countdown.py ["5"] COMPLETED`,
		"countdown x y FAILED":          `countdown countdown ["x" "y"] FAILED`,
		"gone.py 5 TIMEOUT":             ` gone.py ["5"] TIMEOUT`,
		"python countdown.py CANCELLED": `python countdown.py [] CANCELLED`,
		"countdown 5 RUNNING":           `countdown countdown ["5"] LOST`,
		"cuntdown line:14 REJECTED":     ` cuntdown ["line:14"] REJECTED`,
		"- file:a.yaml REJECTED":        `  ["file:a.yaml"] REJECTED`,
		"countdown 5 PENDING":           `countdown countdown ["5"] PENDING`,
		"gone.py 5 PENDING":             `a.txt:1: script "gone.py" is not there, in examples`,
	} {
		if got := resolved(t, c, "a.txt", someID+" "+line); got != want {
			t.Errorf("Resolve(<id> %s)\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestResolveWithoutTypes(t *testing.T) {
	got := resolved(t, &jobs.Catalog{Dir: t.TempDir()}, "a.txt", "x 1")
	if want := `a.txt:1: unknown type "x"; no types are configured`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestResolveChecksWhatNoFileCanSay(t *testing.T) {
	c := testCatalog(t)
	at := jobs.Position{File: "here", Line: 3}
	for want, r := range map[string]jobs.Request{
		`here:3: name "a\nb" holds a control character`:         {Name: "a\nb"},
		`here:3: label "\x1b" holds a control character`:        {Labels: map[string]string{"\x1b": "x"}},
		`here:3: priority must be from -1000 to 1000, not 9999`: {Priority: 9999, HasPriority: true},
	} {
		r.At, r.Type = at, "none"
		if j, f := c.Resolve(&r); f == nil || f.Error() != want {
			t.Errorf("Resolve(%+v) = %+v, %v; want %s", r, j, f, want)
		}
	}
}
