package jobs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"jobrunner/jobs"
)

// checkItems holds items against what every taker relies on.
func checkItems(t *testing.T, items []jobs.Item) {
	t.Helper()
	for _, it := range items {
		set := 0
		if r := it.Request; r != nil {
			set++
			if r.Target == "" && r.Type == "" && r.Script == "" {
				t.Errorf("asks for nothing: %+v", r)
			}
			if r.Priority < jobs.MinPriority || r.Priority > jobs.MaxPriority || r.Timeout < 0 || jobs.Sanitize(r.Name) != r.Name {
				t.Errorf("not allowed: %+v", r)
			}
			if r.ID != "" && len(r.ID) != 36 {
				t.Errorf("no id: %q", r.ID)
			}
			if r.Delay < 0 || r.Retries < 0 || r.Retries > jobs.MaxRetries || r.Delay > 0 && !r.NotBefore.IsZero() {
				t.Errorf("not allowed: %+v", r)
			}
		}
		if c := it.Command; c != nil {
			set++
			switch c.Action {
			case jobs.Pause, jobs.Resume, jobs.Drain, jobs.Prune:
				if len(c.IDs) > 0 {
					t.Errorf("names jobs: %+v", c)
				}
			default:
				if len(c.IDs) == 0 || c.Type != "" {
					t.Errorf("names no job: %+v", c)
				}
			}
		}
		if f := it.Fault; f != nil {
			set++
			for _, r := range f.Error() {
				if unicode.IsControl(r) {
					t.Errorf("the fault holds a control character: %q", f.Error())
				}
			}
			if len(f.Error()) > 4096 {
				t.Errorf("the fault has %d bytes", len(f.Error()))
			}
			jobs.FormatLine(jobs.RejectedJob(it))
		}
		if set != 1 {
			t.Errorf("sets %d of request, command and fault: %+v", set, it)
		}
	}
}

// checkPlaces holds the positions of faults against the file that they are in.
func checkPlaces(t *testing.T, file string, data []byte, items []jobs.Item) {
	t.Helper()
	text := string(data)
	lines := strings.Split(text, "\n")
	plain := utf8.ValidString(text) && !strings.ContainsAny(text, "\x00\r\u0085\u2028\u2029\ufeff")
	for _, it := range items {
		f := it.Fault
		if f == nil {
			continue
		}
		if f.File != file || f.Line < 0 || f.Column < 0 || f.Line == 0 && f.Column > 0 {
			t.Errorf("stands nowhere: %+v", *f)
		}
		if plain && f.Line > len(lines) {
			t.Errorf("line %d of %d: %v", f.Line, len(lines), f)
		}
		if plain && f.Line > 0 && f.Line <= len(lines) && f.Column > utf8.RuneCountInString(lines[f.Line-1])+1 {
			t.Errorf("column %d of %q: %v", f.Column, lines[f.Line-1], f)
		}
	}
}

// patience is far longer than reading anything that a fuzzer makes takes.
const patience = 10 * time.Second

// parsed reads a file and holds what it gives against what every taker relies on.
func parsed(t *testing.T, file string, data []byte) []jobs.Item {
	t.Helper()
	begin := time.Now()
	items := jobs.ParseFile(file, data)
	if took := time.Since(begin); took > patience {
		t.Errorf("%d bytes took %s", len(data), took)
	}
	if len(items) == 0 {
		t.Error("no item")
	}
	checkItems(t, items)
	checkPlaces(t, file, data, items)
	return items
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"countdown.py 25", "  # x", someID + " countdown.py 5 PENDING", someIDUp + " x -", `{"type": "x", "args": [5]}`,
		"cancel 3f2a91c0", "pause train", "drain", "resume", "hold 3f2a91c0", `{"type": "x", "foreach": {"a": [1]}, "args": ["{a}"]}`, "'a b' \"c\\\"d\"", "it's", "\xff\xfex\x00", "\x00x\x00 \x00", "\xef\xbb\xbfx\r", "x\x00y", "\"cancel 3f2a91c0\"", `a\ b`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		it := jobs.ParseLine(line, jobs.Position{File: "q", Line: 1})
		if it != (jobs.Item{}) {
			checkItems(t, []jobs.Item{it})
		}
		parsed(t, "a.txt", line)
		if jobs.RawHash(line) == 0 {
			t.Error("a hash of 0")
		}
	})
}

func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"type: x\nargs: [25, 0.10]\n", "{script: x.py, timeout: 2h, priority: 3}", "action: cancel\nids: [3f2a91c0]\n", "type: x\n---\ntype: y\n...\nz",
		"{type: x, foreach: {a: [1, 2]}, args: ['{a}{a}{b']}", "{type: x, after: [3f2a91c0, y], delay: 1h, retries: 3, hold: true}", "action: pause\ntype: x", "{action: prune, older_than: 1h, keep: 3, state: FAILED, dry_run: true}",
		"{type: x, not_before: 2026-12-01 02:00, unique_key: k, on_duplicate: replace, params: {a: 1}}",
		"a: &a [*a]", "<<: {a: b}", "type: |\n  x\n", "? [a]\n: b", "type: !!binary x", "\ttype: x", "# c", "type: \"\\0\"", "labels: {a: b, a: c}", "%YAML 1.1\n--- x",
		"\xff\xfet\x00", "- - - a", "type: x\nenv:\n  A: 1\n", "a: [1, 2\nb: 3",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed(t, "a.yaml", data)
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"type": "x", "args": [25, 0.10, true, null]}`, `{"type":"x"} {"type":"y"}`, `{"action":"retry","ids":["3f2a91c0"]}`, `{"type":"x","foreach":{"a":[1,2]},"name":"{a}","hold":true}`, `[{}]`, `{"a":{"b":[[[]]]}}`,
		`{"type":"\ud800"}`, `{"type":"x","type":"y"}`, `{"type":"x",}`, "\xef\xbb\xbf{}", `{"type":`, `{} x`, "null", `{"labels":{"a":1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed(t, "a.json", data)
	})
}

func FuzzEntries(f *testing.F) {
	for _, s := range []string{
		"{type: free, args: ['{a}{b}'], foreach: {a: [1, 2], b: ['{a}', '']}, after: [3f2a91c0]}",
		"{type: none, name: a}\n---\n{type: none, after: [a], after_any: [00000000-0000-4000-8000-000000000002]}\n---\n{type: none, after: [a]}",
		"{type: train, params: {lr: 1, token: x}}", "{script: countdown.py, delay: 1h, unique_key: k, on_duplicate: replace}", "{action: pause, type: none}",
		"{type: none, id: " + someID + ", after: [e9d4620b]}", "{type: none, after: [00000000-0000-4000-8000-000000000001]}\n---\n{type: none, after: [00000000]}",
	} {
		f.Add([]byte(s))
	}
	c := paramCatalog(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		items := jobs.ParseYAML(data, "a.yaml")
		entries, bad := c.Entries(items, func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) })
		if len(bad) > 0 {
			checkItems(t, bad)
			return
		}
		if len(entries) < len(items) || len(entries) > 50000 {
			t.Errorf("%d items make %d entries", len(items), len(entries))
		}
		ids := map[string]bool{}
		for _, e := range entries {
			if e.Command != nil {
				continue
			}
			j := e.Job
			if ids[j.ID] && !strings.Contains(string(data), "id") {
				t.Errorf("two jobs have the id %s", j.ID)
			}
			ids[j.ID] = true
			if len(j.ID) != 36 || j.ID == j.Group || j.State != jobs.Pending || c.Types[j.Type] == nil || j.Params["token"] != "" {
				t.Errorf("got %+v", *j)
			}
			if e.Duplicate != "" && j.UniqueKey == "" || !j.Due.IsZero() && !j.Due.Equal(j.NotBefore) {
				t.Errorf("not allowed: %+v", e)
			}
			for _, w := range e.Waits {
				if w.On == j.ID || w.On == j.Group || w.At.Line == 0 || len(w.On) < 8 {
					t.Errorf("waits for %+v", w)
				}
			}
		}
	})
}

// Whatever a script says of itself, it is taken within what its type allows,
// or refused in words with its name and line.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{
		"#!/bin/sh\n#JR timeout=2h\n", "//JR name=\"a b\"\n--JR retries=3", "REM JR priority=+5\r\n", "#JR env.A=1\n#JR label.b='c'", "#JR delay=1h\n#JR hold=true",
		"#JR unique_key=a\n#JR on_duplicate=replace", "#JR workdir=..", "#JR", "#JR x", "#JR env.=", "#JR name=\x1b", "#JR name=\xff", "\xef\xbb\xbf%JR priority=1",
		"#JR name=a\n#JR name=b", strings.Repeat("#\n", 70) + "#JR priority=9", "#JR timeout=9999999h",
	} {
		f.Add([]byte(s))
	}
	c, folder := scriptCatalog(f)
	path := putScript(f, folder, "x.sh", "")
	items := jobs.ParseYAML([]byte("script: x.sh"), "a.yaml")
	f.Fuzz(func(t *testing.T, script []byte) {
		if err := os.WriteFile(path, script, 0o644); err != nil {
			t.Fatal(err)
		}
		entries, bad := c.Entries(items, itemIDs)
		checkItems(t, bad)
		for _, it := range bad {
			if f := it.Fault; f.File != "x.sh" || f.Line < 1 || f.Line > 64 {
				t.Errorf("stands nowhere: %+v", *f)
			}
		}
		for _, e := range entries {
			j := e.Job
			if j.Target != "x.sh" || len(j.Args) > 0 || j.Timeout > 3*time.Hour || j.Retries > 3 || jobs.Sanitize(j.Name) != j.Name {
				t.Errorf("not allowed: %+v", *j)
			}
			for name := range j.Env {
				if name != "A" && name != "B" {
					t.Errorf("sets %q", name)
				}
			}
		}
	})
}
