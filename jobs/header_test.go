package jobs_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// scriptCatalog has a type "run" whose scripts it returns the folder of.
func scriptCatalog(t testing.TB) (*jobs.Catalog, string) {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, "scripts")
	if err := os.MkdirAll(filepath.Join(dir, "runs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return &jobs.Catalog{Dir: dir, Types: map[string]*jobs.Type{"run": {
		Name: "run", Interpreter: []string{"sh"}, Scripts: folder, Extensions: []string{".sh"}, Workdir: dir, Args: jobs.ArgRules{Max: -1},
		Priority: 1, Timeout: 3 * time.Hour, MaxRetries: 3, EnvAllow: []string{"A", "B"},
	}}}, folder
}

func putScript(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// asked gives what a script and a request come to.
func asked(t testing.TB, script, request string) (jobs.Entry, string) {
	t.Helper()
	c, folder := scriptCatalog(t)
	putScript(t, folder, "x.sh", script)
	entries, bad := c.Entries(jobs.ParseYAML([]byte(request), "a.yaml"), itemIDs)
	if len(bad) > 0 {
		return jobs.Entry{Job: &jobs.Job{}}, said(bad[0])
	}
	return entries[0], ""
}

func TestHeader(t *testing.T) {
	const script = "#!/bin/sh\n# a comment\n\n#JR name=\"from script\"\n#JR\tpriority = 5\r\n  #JR timeout=2h\n#JR retries=2\n#JR delay=90m\n#JR hold=true\n" +
		"#JR unique_key=a=b\n#JR on_duplicate=replace\n#JR workdir=runs\n#JR label.owner='ada l'\n#JR label.team=null\n#JR env.A=1\n#JR env.B=\necho 1\n#JR priority=9\n"
	e, f := asked(t, script, "script: x.sh")
	if f != "" {
		t.Fatal(f)
	}
	j := e.Job
	if j.Name != "from script" || j.Priority != 5 || j.Timeout != 2*time.Hour || j.Retries != 2 || !j.Hold || j.UniqueKey != "a=b" || j.Workdir != "runs" {
		t.Errorf("got %+v", *j)
	}
	if e.Duplicate != jobs.DuplicateReplace || time.Until(j.Due) < 80*time.Minute || !j.NotBefore.Equal(j.Due) {
		t.Errorf("duplicate %q, due %v", e.Duplicate, j.Due)
	}
	if !maps.Equal(j.Labels, map[string]string{"owner": "ada l", "team": "null"}) || !maps.Equal(j.Env, map[string]string{"A": "1", "B": ""}) {
		t.Errorf("labels %q, env %q", j.Labels, j.Env)
	}

	// The request's own keys win, whatever their value.
	e, f = asked(t, script, "{script: x.sh, name: '', priority: 0, timeout: 1h, retries: 0, not_before: 2001-01-01 00:00, hold: false, "+
		"unique_key: mine, on_duplicate: keep, workdir: ., labels: {owner: bob}, env: {A: 2}}")
	if f != "" {
		t.Fatal(f)
	}
	j = e.Job
	if j.Name != "" || j.Priority != 0 || j.Timeout != time.Hour || j.Retries != 0 || j.Hold || j.UniqueKey != "mine" || j.Workdir != "" || e.Duplicate != jobs.DuplicateKeep || !j.Due.IsZero() {
		t.Errorf("got %+v", *j)
	}
	if !maps.Equal(j.Labels, map[string]string{"owner": "bob", "team": "null"}) || !maps.Equal(j.Env, map[string]string{"A": "2", "B": ""}) {
		t.Errorf("labels %q, env %q", j.Labels, j.Env)
	}
}

func TestHeaderComments(t *testing.T) {
	for script, want := range map[string]int{
		"//JR priority=5":                           5,
		"--JR priority=5":                           5,
		"%JR priority=5":                            5,
		";JR priority=5":                            5,
		"@rem hello\r\nREM JR priority=5\r\n":       5,
		"\xef\xbb\xbf#JR priority=5":                5,
		"# x\n// y\n\n%\n#JR priority=5":            5,
		"#JR priority='5'":                          5,
		"#JR priority=+5":                           5,
		strings.Repeat("\n", 63) + "#JR priority=5": 5,

		"":                       1,
		"# JR priority=5":        1,
		"##JR priority=5":        1,
		"#JRX priority=5":        1,
		"#jr priority=5":         1,
		"#JR: priority=5":        1,
		"remJR priority=5":       1,
		"echo\n#JR priority=5":   1,
		"\"\"\"\n#JR priority=5": 1,
		strings.Repeat("\n", 64) + "#JR priority=5":                  1,
		"#" + strings.Repeat("x", 16<<10) + "\n#JR priority=5":       1,
		"#\n#" + strings.Repeat("x", 16<<10-12) + "\n#JR priority=5": 1, // cut short
		strings.Repeat("x", 1<<20):                                   1,
	} {
		e, f := asked(t, script, "script: x.sh")
		if f != "" || e.Job.Priority != want {
			t.Errorf("%.60q: priority %d %s, want %d", script, e.Job.Priority, f, want)
		}
	}
}

func TestHeaderFaults(t *testing.T) {
	const keys = "; known keys: delay, hold, name, on_duplicate, priority, retries, timeout, unique_key, workdir, label.NAME, env.NAME"
	for line, want := range map[string]string{
		"#JR":                     `a JR line must hold key=value, not ""; such as timeout=2h`,
		"#JR fast":                `a JR line must hold key=value, not "fast"; such as timeout=2h`,
		"#JR =5":                  `a JR line must hold key=value, not "=5"; such as timeout=2h`,
		"#JR priorty=5":           `unknown key "priorty"; did you mean "priority"?`,
		"#JR args=5":              `unknown key "args"` + keys,
		"#JR id=" + someID:        `unknown key "id"` + keys,
		"#JR after=3f2a91c0":      `unknown key "after"` + keys,
		"#JR label.=x":            `unknown key "label."` + keys,
		"#JR labels.a=x":          `unknown key "labels.a"` + keys,
		"#JR name=a\n#JR name=b":  `key "name" stands twice; the first is on line 3`,
		"#JR env.A=a\n#JR env.A=": `key "env.A" stands twice; the first is on line 3`,
		"#JR priority=5 name=x":   `priority must be a whole number from -1000 to 1000, not "5 name=x"`,
		"#JR priority=":           `priority has no value; give it one, or leave the key out`,
		"#JR timeout=4h":          `timeout 4h0m0s is longer than type "run" allows; at most 3h0m0s`,
		"#JR timeout=90":          `timeout must be a duration, not "90"; write it as 90s, 10m or 2h`,
		"#JR retries=4":           `retries 4 is more than type "run" allows; at most 3, its max_retries`,
		"#JR hold=yes":            `hold must be true or false, not "yes"`,
		"#JR delay=-1h":           `delay must be 0 or more, not "-1h"`,
		"#JR unique_key=":         `unique_key is empty`,
		"#JR on_duplicate=keep":   `on_duplicate says nothing without unique_key; add unique_key, or leave it out`,
		"#JR on_duplicate=x":      `on_duplicate must be keep or replace, not "x"`,
		"#JR workdir=..":          `workdir ".." lies outside of that of type "run"`,
		"#JR env.PATH=x":          `env "PATH" may not be set for type "run"; it allows A, B`,
		"#JR name=a\x1bb":         `name "a\x1bb" holds a control character`,
		"#JR name=a\x00b":         `name holds a NUL character`,
		"#JR label.\x1b=x":        `label "\x1b" holds a control character`,
		"#JR name=gr\xf6":         `a JR line is not valid UTF-8; save the file as UTF-8`,
	} {
		want = fmt.Sprintf("x.sh:%d: %s", 3+strings.Count(line, "\n"), want)
		if _, got := asked(t, "#!/bin/sh\n\n"+line+"\n", "script: x.sh"); got != want {
			t.Errorf("%q\n got %s\nwant %s", line, got, want)
		}
	}
}

// A fault in a script says where its request stands in no other way than by
// the request's file being refused.
func TestHeaderFaultOfALine(t *testing.T) {
	c, folder := scriptCatalog(t)
	putScript(t, folder, "x.sh", "#JR priority=high\n")
	checkPlanned(t, c, "a.txt", "x.sh 1\nrun x.sh 2",
		`x.sh:1: priority must be a whole number from -1000 to 1000, not "high"`,
		`x.sh:1: priority must be a whole number from -1000 to 1000, not "high"`)
	checkPlanned(t, c, "a.txt", someID+" x.sh 1 COMPLETED", `x.sh ["1"]`)
}

func TestHeaderOfSweep(t *testing.T) {
	c, folder := scriptCatalog(t)
	putScript(t, folder, "x.sh", "#JR unique_key=k\n")
	checkPlanned(t, c, "a.yaml", "{script: x.sh, args: ['{a}'], foreach: {a: [1, 2]}}",
		`a.yaml:1:1: several jobs of the sweep have the unique_key "k"; put a word of foreach into it, such as {a}`)
	checkPlanned(t, c, "a.yaml", "{script: x.sh, args: ['{a}'], unique_key: 'k{a}', foreach: {a: [1, 2]}}", `x.sh ["1"]`, `x.sh ["2"]`)
}
