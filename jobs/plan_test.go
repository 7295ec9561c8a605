package jobs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

const (
	itemID = "00000000-0000-4000-8000-00000000000" // and the number of the item
	// What the first item's sweep is called, if it bears no id of its own.
	sweepID = "86ad9162-6a58-5f16-831d-76bf74cfd47f"
)

func itemIDs(n int) string { return fmt.Sprintf("%s%x", itemID, n%16) }

// planned gives what became of a file: each entry, or each fault, in one line.
func planned(c *jobs.Catalog, name, text string) []string {
	entries, bad := c.Entries(jobs.ParseFile(name, []byte(text)), itemIDs)
	var got []string
	for _, it := range bad {
		got = append(got, said(it))
	}
	for _, e := range entries {
		if e.Command != nil {
			got = append(got, said(jobs.Item{Command: e.Command}))
			continue
		}
		s := fmt.Sprintf("%s %q", e.Job.Target, e.Job.Args)
		for _, w := range e.Waits {
			key := " after "
			if w.Any {
				key = " after_any "
			}
			s += key + w.On
		}
		got = append(got, s)
	}
	return got
}

func checkPlanned(t *testing.T, c *jobs.Catalog, name, text string, want ...string) {
	t.Helper()
	if got := planned(c, name, text); !slices.Equal(got, want) {
		t.Errorf("Entries(%.200q)\n got %s\nwant %s", text, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestEntriesTakesItems(t *testing.T) {
	c := testCatalog(t)
	checkPlanned(t, c, "a.txt", "free 1\n# x\ncancel 3f2a91c0\npause\npause countdown\nresume gone\n"+someIDUp+" gone.py 5 FAILED\n",
		`free ["1"]`, "cancel [3f2a91c0]", "pause []", "pause type countdown", "resume type gone", `gone.py ["5"]`)
	checkPlanned(t, c, "a.txt", "free 1\ncountdown x\nx 'y\npause cuntdown\npause nothing-like-it",
		`a.txt:2: argument 1 of type "countdown" must match [0-9]{1,6}, not be "x"`,
		`a.txt:3:3: this single quote (') is never closed; close it, or put a backslash before it`,
		`a.txt:4: unknown type "cuntdown"; did you mean "countdown"?`,
		`a.txt:5: unknown type "nothing-like-it"; known types: countdown, free, many, none, other, python, some`)
	checkPlanned(t, c, "a.yaml", "action: pause\ntype: cuntdown", `a.yaml:2:7: unknown type "cuntdown"; did you mean "countdown"?`)
}

func TestEntriesOfBadFilesKeepTheirItems(t *testing.T) {
	_, bad := testCatalog(t).Entries(jobs.ParseFile("a.txt", []byte(someIDUp+" cuntdown 5")), itemIDs)
	if len(bad) != 1 || bad[0].ID != someID || bad[0].Spelling != someIDUp || bad[0].FirstWord != "cuntdown" || bad[0].Request != nil {
		t.Fatalf("got %+v", bad)
	}
	if got, want := jobs.FormatLine(jobs.RejectedJob(bad[0])), someIDUp+" cuntdown file:a.txt REJECTED "; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
}

func TestEntriesStopsAtManyFaults(t *testing.T) {
	_, bad := testCatalog(t).Entries(jobs.ParseFile("a.txt", []byte(strings.Repeat("cuntdown 5\n", 5000))), itemIDs)
	if len(bad) != 100 {
		t.Errorf("%d faults, want 100", len(bad))
	}
}

func TestEntriesIDs(t *testing.T) {
	entries, bad := testCatalog(t).Entries(jobs.ParseYAML([]byte("type: none\n---\nid: "+someIDUp+"\ntype: none\n"), "a.yaml"), itemIDs)
	if len(bad) > 0 {
		t.Fatal(bad[0].Fault)
	}
	for i, want := range []jobs.Job{{ID: itemIDs(0)}, {ID: someID, Spelling: someIDUp}} {
		if j := entries[i].Job; j.ID != want.ID || j.Spelling != want.Spelling || j.Group != "" {
			t.Errorf("job %d: got %+v, want %+v", i, j, want)
		}
	}
}

func TestEntriesSpreadsSweeps(t *testing.T) {
	c := testCatalog(t)
	c.Types["free"].EnvAllow = []string{"SEED"}
	checkPlanned(t, c, "a.yaml", "{type: free, args: ['--lr={lr}', '{seed}{lr}', '{x}', '{', '{ lr }', '{{seed}}'], foreach: {lr: [0.10, 1e-2], seed: [1, '{lr}']}}",
		`free ["--lr=0.10" "10.10" "{x}" "{" "{ lr }" "{1}"]`,
		`free ["--lr=0.10" "{lr}0.10" "{x}" "{" "{ lr }" "{{lr}}"]`,
		`free ["--lr=1e-2" "11e-2" "{x}" "{" "{ lr }" "{1}"]`,
		`free ["--lr=1e-2" "{lr}1e-2" "{x}" "{" "{ lr }" "{{lr}}"]`)

	const text = `type: free
name: run {a}
env: {SEED: '{a}'}
labels: {size: 's{a}', same: x}
unique_key: key {a}
on_duplicate: replace
workdir: runs/{a}
foreach: {a: [1, 2]}
`
	entries, bad := c.Entries(jobs.ParseYAML([]byte(text), "a.yaml"), itemIDs)
	if len(bad) > 0 || len(entries) != 2 {
		t.Fatalf("got %+v, %+v", entries, bad)
	}
	for i, e := range entries {
		j, n := e.Job, fmt.Sprint(i+1)
		if j.Name != "run "+n || j.Env["SEED"] != n || !maps.Equal(j.Labels, map[string]string{"size": "s" + n, "same": "x"}) ||
			j.UniqueKey != "key "+n || e.Duplicate != jobs.DuplicateReplace || j.Workdir != "runs/"+n || j.Args != nil {
			t.Errorf("job %d: got %+v", i, j)
		}
	}
}

func TestEntriesSweepIDs(t *testing.T) {
	c := testCatalog(t)
	ids := func(text string) []string {
		t.Helper()
		entries, bad := c.Entries(jobs.ParseYAML([]byte(text), "a.yaml"), itemIDs)
		if len(bad) > 0 {
			t.Fatal(bad[0].Fault)
		}
		var ids []string
		for _, e := range entries {
			ids = append(ids, e.Job.Group, e.Job.ID)
			if e.Job.Spelling != "" {
				t.Errorf("job %s has the spelling %s", e.Job.ID, e.Job.Spelling)
			}
		}
		return ids
	}
	// UUIDs of version 5: of the item's id and "group", and of that and 0, 1.
	want := []string{sweepID, "e0dadade-47fa-56c2-b864-4c46042b553d", sweepID, "77bc9fec-bdc5-598b-8764-d687eac5a58d"}
	if got := ids("{type: free, args: ['{a}'], foreach: {a: [1, 2]}}"); !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	own := ids("{type: free, id: " + someIDUp + ", args: ['{a}'], foreach: {a: [1]}}")
	if len(own) != 2 || own[0] != someID || own[1] == someID || len(own[1]) != 36 {
		t.Errorf("with an id: got %s", own)
	}
	if again := ids("{type: free, id: " + someID + ", args: ['{a}'], foreach: {a: [x, y]}}"); again[1] != own[1] {
		t.Errorf("the same id gives %s, then %s", own[1], again[1])
	}
}

func TestEntriesRefusesSweeps(t *testing.T) {
	c := testCatalog(t)
	list := strings.Repeat("1,", 10000)
	many := "{type: free, args: ['{a}'], foreach: {a: [" + list + "]}}\n"
	for text, want := range map[string]string{
		"{type: countdown, args: ['{a}'], foreach: {a: [1, x, y]}}": `a.yaml:1:25: argument 1 of type "countdown" must match [0-9]{1,6}, not be "x"`,
		"{type: free, name: '{a}', foreach: {a: [\"\\t\"]}}":        `a.yaml:1:20: name "\t" holds a control character`,
		"{type: free, unique_key: '{a}', foreach: {a: ['']}}":       `a.yaml:1:26: unique_key is empty`,
		"{type: free, unique_key: k, args: ['{a}'], foreach: {a: [1, 2]}}": `a.yaml:1:26: several jobs of the sweep have the unique_key "k"; ` +
			"put a word of foreach into it, such as {a}",
		"{type: free, workdir: '{a}', foreach: {a: [..]}}": `a.yaml:1:23: workdir ".." lies outside of that of type "free"`,
		strings.Repeat("---\n"+many, 6):                    "a.yaml:12:38: the sweeps of this file make more than 50000 jobs; spread them over several files",
		"{type: free, args: ['{a}', " + strings.Repeat("x", 7000) + "], foreach: {a: [" + list + "]}}": "a.yaml:1:7040: the jobs of the sweeps of this file " +
			"hold more than 64 MiB; keep long texts in a file that the jobs read",
		"{type: free, args: ['" + strings.Repeat("{a}", 10000) + "'], foreach: {a: [" + strings.Repeat("1234567,", 5000) + "]}}": "a.yaml:1:30035: " +
			"the jobs of the sweeps of this file hold more than 64 MiB; keep long texts in a file that the jobs read",
		"{type: free, args: ['{a}'" + strings.Repeat(`,""`, 9000) + "], foreach: {a: [" + list + "]}}": "a.yaml:1:27038: " +
			"the jobs of the sweeps of this file hold more than 64 MiB; keep long texts in a file that the jobs read",
		"{type: free, args: ['" + strings.Repeat("{a}", 600) + "'], foreach: {a: [" + strings.Repeat("x", 2000) + "]}}": "a.yaml:1:1835: " +
			"a job of the sweep holds more than 1 MiB; keep long texts in a file that the jobs read",
		"{type: free, args: ['{a}'], after: [" + strings.Repeat("3f2a91c0,", 11) + "], foreach: {a: [" + list + "]}}": "a.yaml:1:36: " +
			"the jobs wait for more than 100000 others in all; let one job wait for all of them, and the others for that one",
	} {
		checkPlanned(t, c, "a.yaml", text, want)
	}
}

func TestEntriesWaits(t *testing.T) {
	c := testCatalog(t)
	const other = "3F2A91C0-0000-4000-8000-000000000000"
	// Names of earlier documents, ids that the queue has to find, and ids of
	// the same file wherever they stand.
	checkPlanned(t, c, "a.yaml", "{type: none, name: prep, after: ["+other+", ABCDEF01-2, 12345678, "+other+"]}\n---\n"+
		"{type: none, name: 12345678, after: [prep], after_any: [prep, prep, "+other+"]}\n---\n"+
		"{type: free, id: "+someID+", name: swept, foreach: {a: [1, 2]}, args: ['{a}'], after: [12345678]}\n---\n"+
		"{type: none, after: [swept, "+itemIDs(1)+"]}",
		"none [] after "+strings.ToLower(other)+" after abcdef01-2 after 12345678",
		"none [] after "+itemIDs(0)+" after_any "+itemIDs(0)+" after_any "+strings.ToLower(other),
		`free ["1"] after `+itemIDs(1), `free ["2"] after `+itemIDs(1),
		"none [] after "+someID+" after "+itemIDs(1))
	// In a file of lines too.
	checkPlanned(t, c, "a.txt", `{"type": "free", "name": "prep", "args": ["{a}"], "foreach": {"a": [1]}}`+"\n"+`{"type": "none", "after": ["prep"]}`,
		`free ["1"]`, "none [] after "+sweepID)
	// One job of a sweep that is yet to come.
	checkPlanned(t, c, "a.yaml", "{type: none, after: [77bc9fec]}\n---\n{type: free, id: "+sweepID+", args: ['{a}'], foreach: {a: [1, 2]}}",
		"none [] after 77bc9fec-bdc5-598b-8764-d687eac5a58d", `free ["1"]`, `free ["2"]`)
}

func TestEntriesWaitsHavePositions(t *testing.T) {
	entries, bad := testCatalog(t).Entries(jobs.ParseYAML([]byte("type: none\nafter_any:\n- 3f2a91c0\n- 12345678\n"), "a.yaml"), itemIDs)
	want := []jobs.Wait{
		{On: "3f2a91c0", Any: true, At: jobs.Position{File: "a.yaml", Line: 3, Column: 3}},
		{On: "12345678", Any: true, At: jobs.Position{File: "a.yaml", Line: 4, Column: 3}},
	}
	if len(bad) > 0 || len(entries) != 1 || !slices.Equal(entries[0].Waits, want) {
		t.Errorf("got %+v, %+v; want %+v", entries, bad, want)
	}
}

func TestEntriesRefusesWaits(t *testing.T) {
	c := testCatalog(t)
	const short = "; give an id, or at least its first 8 letters"
	for text, want := range map[string][]string{
		"{type: none, after: [3f2a91c]}":                             {`1:22: after: "3f2a91c" is no id, and no earlier document has that name` + short},
		"{type: none, after: [3f2a91c00]}":                           {`1:22: after: "3f2a91c00" is no id, and no earlier document has that name` + short},
		"{type: none, after_any: [x y]}":                             {`1:26: after_any: "x y" is no id, and no earlier document has that name` + short},
		"{type: none, name: prep}\n---\n{type: none, after: [pret]}": {`3:22: after: "pret" is no id, and no earlier document has that name; did you mean "prep"?`},
		"{type: none, after: [prep]}\n---\n{type: none, name: prep}": {`1:22: after: no earlier document has the name "prep"; a later one has: put that one first`},
		"{type: none, name: a}\n---\n{type: none, name: a}\n---\n{type: none, after: [a]}": {
			`5:22: after: 2 earlier documents have the name "a"; give each a name of its own`},
		"{type: none, name: me, after: [me]}":                                         {`1:32: a job cannot wait for itself`},
		"{type: none, after: [" + itemIDs(0) + "]}":                                   {`1:22: a job cannot wait for itself`},
		"{type: none, id: " + someID + ", after_any: [E9D4620B]}":                     {`1:68: a job cannot wait for itself`},
		"{type: free, args: ['{a}'], foreach: {a: [1, 2]}, after: [" + sweepID + "]}": {`1:59: a job cannot wait for itself`},
		"{type: free, args: ['{a}'], foreach: {a: [1, 2]}, after: [77bc9fec]}":        {`1:59: a job cannot wait for itself`},
		"{type: none}\n---\n{type: none}\n---\n{type: none, after: [00000000]}":       {`5:22: after: "00000000" fits several jobs of this file; give the whole id`},
		"{type: none, after: [zz]}\n---\n{type: none, after: [yy]}": {
			`1:22: after: "zz" is no id, and no earlier document has that name` + short,
			`3:22: after: "yy" is no id, and no earlier document has that name` + short},
	} {
		for i := range want {
			want[i] = "a.yaml:" + want[i]
		}
		checkPlanned(t, c, "a.yaml", text, want...)
	}
	checkPlanned(t, c, "a.txt", `{"type": "none", "after": ["3f2a91c"]}`, `a.txt:1:28: after: "3f2a91c" is no id, and no earlier document has that name`+short)
}

func TestEntriesRefusesCircles(t *testing.T) {
	c := testCatalog(t)
	doc := func(n int, more string) string {
		return fmt.Sprintf("{type: none, after: [%s]%s}\n", itemIDs(n), more)
	}
	checkPlanned(t, c, "a.yaml", doc(1, ", name: a")+"---\n"+doc(0, ""),
		`a.yaml:1:22: jobs wait for each other: "a" (line 1) after 00000000 (line 3) after "a" (line 1)`,
		`a.yaml:3:22: jobs wait for each other: 00000000 (line 3) after "a" (line 1) after 00000000 (line 3)`)
	// What leads into a circle without being of it is not told of.
	checkPlanned(t, c, "a.yaml", doc(1, "")+"---\n{type: none, name: b, after: ["+itemIDs(2)+"]}\n---\n{type: none, name: c, after: [b]}",
		`a.yaml:3:31: jobs wait for each other: "b" (line 3) after "c" (line 5) after "b" (line 3)`,
		`a.yaml:5:31: jobs wait for each other: "c" (line 5) after "b" (line 3) after "c" (line 5)`)
	// A sweep is one in this.
	checkPlanned(t, c, "a.yaml", "{type: free, name: s, args: ['{a}'], foreach: {a: [1, 2]}, after: ["+itemIDs(1)+"]}\n---\n{type: none, after: [s]}",
		`a.yaml:1:68: jobs wait for each other: "s" (line 1) after 00000000 (line 3) after "s" (line 1)`,
		`a.yaml:3:22: jobs wait for each other: 00000000 (line 3) after "s" (line 1) after 00000000 (line 3)`)
	long := ""
	for n := range 8 {
		long += "---\n" + doc((n+1)%8, fmt.Sprintf(", name: d%d", n))
	}
	if got, want := planned(c, "a.yaml", long), `a.yaml:2:22: jobs wait for each other: "d0" (line 2) after "d1" (line 4) after "d2" (line 6) after "d3" (line 8) after …`; len(got) != 8 || got[0] != want {
		t.Errorf("got %d faults, the first one\n     %s\nwant %s", len(got), got[0], want)
	}
}

// Chains of any length are followed without recursion.
func TestEntriesLongChain(t *testing.T) {
	var b strings.Builder
	const n = 20000
	for i := range n {
		fmt.Fprintf(&b, `{"type": "none", "name": "n%d", "after": ["%08x"]}`+"\n", i, i+1)
	}
	items := jobs.ParseLines([]byte(b.String()), "a.txt")
	id := func(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", n) }
	entries, bad := testCatalog(t).Entries(items, id)
	if len(bad) > 0 || len(entries) != n || entries[0].Waits[0].On != id(1) || entries[n-1].Waits[0].On != fmt.Sprintf("%08x", n) {
		t.Fatalf("got %d entries, %d bad", len(entries), len(bad))
	}
}

func TestEntriesTimes(t *testing.T) {
	c := testCatalog(t)
	job := func(text string) *jobs.Job {
		t.Helper()
		entries, bad := c.Entries(jobs.ParseYAML([]byte(text), "a.yaml"), itemIDs)
		if len(bad) > 0 {
			t.Fatal(bad[0].Fault)
		}
		return entries[len(entries)-1].Job
	}
	before := time.Now()
	j := job("{type: free, args: ['{a}'], foreach: {a: [1, 2]}, delay: 90m}")
	after := time.Now()
	if j.NotBefore.Before(before.Add(90*time.Minute).Truncate(time.Millisecond)) || j.NotBefore.After(after.Add(90*time.Minute)) || !j.Due.Equal(j.NotBefore) {
		t.Errorf("delay: not before %v, due %v; asked at %v", j.NotBefore, j.Due, before)
	}
	if j := job("{type: none, not_before: 2999-12-01T02:00:00+01:00}"); j.NotBefore.Format(jobs.TimeFormat) != "2999-12-01T01:00:00.000Z" || !j.Due.Equal(j.NotBefore) {
		t.Errorf("to come: not before %v, due %v", j.NotBefore, j.Due)
	}
	if j := job("{type: none, not_before: 2001-12-01T02:00:00Z}"); j.NotBefore.Format(jobs.TimeFormat) != "2001-12-01T02:00:00.000Z" || !j.Due.IsZero() {
		t.Errorf("past: not before %v, due %v", j.NotBefore, j.Due)
	}
	if j := job("{type: none}"); !j.NotBefore.IsZero() || !j.Due.IsZero() {
		t.Errorf("without: not before %v, due %v", j.NotBefore, j.Due)
	}
}

func TestEntriesHoldAndRetries(t *testing.T) {
	c := testCatalog(t)
	c.Types["none"].MaxRetries = 2
	for text, want := range map[string]string{
		"{type: none}": "2 false ",
		"{type: none, retries: 0, hold: true, unique_key: a b}": "0 true a b",
		"{type: none, retries: 2}":                              "2 false ",
		"{type: none, retries: 3}":                              `a.yaml:1:23: retries 3 is more than type "none" allows; at most 2, its max_retries`,
		"{type: free, retries: 1}":                              `a.yaml:1:23: retries 1 is more than type "free" allows; it allows none: max_retries is not set`,
		"{type: none, on_duplicate: keep}":                      "a.yaml:1:28: on_duplicate says nothing without unique_key; add unique_key, or leave it out",
	} {
		entries, bad := c.Entries(jobs.ParseYAML([]byte(text), "a.yaml"), itemIDs)
		got := ""
		if len(bad) > 0 {
			got = said(bad[0])
		} else {
			j := entries[0].Job
			got = fmt.Sprintf("%d %t %s", j.Retries, j.Hold, j.UniqueKey)
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}

// What 64 KiB can ask for at most takes no time to speak of, and no memory.
func BenchmarkNastyEntries(b *testing.B) {
	c := testCatalog(b)
	ten := "[0,1,2,3,4,5,6,7,8,9]"
	fill := func(one string) string { return strings.Repeat(one, jobs.MaxRequestSize/len(one)) }
	for name, text := range map[string]string{
		"sweep":        "{type: free, args: ['{a}{b}{c}{d}'], foreach: {a: " + ten + ", b: " + ten + ", c: " + ten + ", d: " + ten + "}}",
		"sweeps":       fill("{type: free, args: ['{a}{b}{c}{d}'], foreach: {a: "+ten+", b: "+ten+", c: "+ten+", d: "+ten+"}}\n---\n") + "{type: none}",
		"placeholders": "{type: free, args: ['" + strings.Repeat("{a}", 16000) + "'], foreach: {a: [" + strings.Repeat("1,", 8000) + "]}}",
		"braces":       "{type: free, args: ['" + strings.Repeat("{", 64000) + "{a}'], foreach: {a: [1]}}",
		"unknown":      fill("{type: none, after: [x]}\n---\n") + "{type: none}",
		"scripts":      "{script: countdown.py, args: ['{a}'], workdir: runs, foreach: {a: [" + strings.Repeat("1,", 8000) + "]}}",
	} {
		items := jobs.ParseYAML([]byte(text), "a.yaml")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Entries(items, itemIDs)
			}
		})
	}
}

// What Entries makes of a file is what the queue takes: jobs that wait for a
// sweep wait for each of its jobs, also where it is yet to come.
func TestEntriesAreAccepted(t *testing.T) {
	q, _ := openQueue(t)
	const text = "{type: none, after: [" + someID + "]}\n---\n{type: free, name: s, id: " + someID + ", args: ['{a}'], foreach: {a: [1, 2]}}\n---\n{type: none, after_any: [s]}"
	entries, bad := testCatalog(t).Entries(jobs.ParseYAML([]byte(text), "a.yaml"), itemIDs)
	if len(bad) > 0 {
		t.Fatal(bad[0].Fault)
	}
	if _, err := q.Accept(t.Context(), jobs.Intake{Entries: entries}); err != nil {
		t.Fatal(err)
	}
	members := []string{entries[1].Job.ID, entries[2].Job.ID}
	slices.Sort(members)
	for i, want := range map[int][2][]string{0: {members, nil}, 1: {}, 3: {nil, members}} {
		j, err := q.Job(t.Context(), entries[i].Job.ID)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(j.After)
		slices.Sort(j.AfterAny)
		if !slices.Equal(j.After, want[0]) || !slices.Equal(j.AfterAny, want[1]) {
			t.Errorf("job %d waits for %q, any %q; want %q", i, j.After, j.AfterAny, want)
		}
	}
}
