package jobs_test

import (
	"testing"
	"unicode"

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
			case jobs.Pause, jobs.Resume, jobs.Drain:
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
		for _, it := range jobs.ParseFile("a.txt", line) {
			checkItems(t, []jobs.Item{it})
		}
		if jobs.RawHash(line) == 0 {
			t.Error("a hash of 0")
		}
	})
}

func FuzzYAML(f *testing.F) {
	for _, s := range []string{
		"type: x\nargs: [25, 0.10]\n", "{script: x.py, timeout: 2h, priority: 3}", "action: cancel\nids: [3f2a91c0]\n", "type: x\n---\ntype: y\n...\nz",
		"{type: x, foreach: {a: [1, 2]}, args: ['{a}{a}{b']}", "{type: x, after: [3f2a91c0, y], delay: 1h, retries: 3, hold: true}", "action: pause\ntype: x",
		"{type: x, not_before: 2026-12-01 02:00, unique_key: k, on_duplicate: replace, params: {a: 1}}",
		"a: &a [*a]", "<<: {a: b}", "type: |\n  x\n", "? [a]\n: b", "type: !!binary x", "\ttype: x", "# c", "type: \"\\0\"", "labels: {a: b, a: c}", "%YAML 1.1\n--- x",
		"\xff\xfet\x00", "- - - a", "type: x\nenv:\n  A: 1\n", "a: [1, 2\nb: 3",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		items := jobs.ParseYAML(data, "a.yaml")
		if len(items) == 0 {
			t.Error("no item")
		}
		checkItems(t, items)
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
		items := jobs.ParseJSON(data, "a.json")
		if len(items) == 0 {
			t.Error("no item")
		}
		checkItems(t, items)
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
		entries, bad := c.Entries(items, itemIDs)
		if len(bad) > 0 {
			checkItems(t, bad)
			return
		}
		if len(entries) < len(items) || len(entries) > 50000 {
			t.Errorf("%d items make %d entries", len(items), len(entries))
		}
		for _, e := range entries {
			if e.Command != nil {
				continue
			}
			j := e.Job
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
