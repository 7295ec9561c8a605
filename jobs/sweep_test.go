package jobs_test

import (
	"fmt"
	"testing"

	"jobrunner/jobs"
)

// files takes in files one after the other, and says what became of each: what
// was added, what it was answered with, and the warnings.
func files(t *testing.T, q *jobs.Queue, texts ...string) (said []string) {
	t.Helper()
	c := testCatalog(t)
	for n, text := range texts {
		id := func(i int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, i) }
		entries, bad := c.Entries(jobs.ParseFile("a.yaml", []byte(text)), id)
		if len(bad) > 0 {
			entries = []jobs.Entry{{Job: jobs.RejectedJob(bad[0])}}
		}
		r := &jobs.Receipt{ID: id(-1 & 0xff), Name: fmt.Sprintf("%d.yaml", n)}
		out, err := q.Accept(bg, jobs.Intake{Receipt: r, Entries: entries})
		if err != nil {
			t.Fatal(err)
		}
		added, ids := 0, map[string]bool{}
		for _, o := range out {
			if ids[o.Job.ID] = true; !o.Known {
				added++
			}
		}
		said = append(said, fmt.Sprintf("%d added, %d named: %s", added, len(ids), r.Warning))
	}
	return said
}

func TestIDOfSweepAgain(t *testing.T) {
	const (
		two   = "{type: free, id: " + someID + ", args: ['{a}'], foreach: {a: [1, 2]}}"
		three = "{type: free, id: " + someID + ", args: ['{a}'], foreach: {a: [1, 2, 3]}}"
		one   = "{type: free, id: " + someID + "}"
		bad   = "{type: fre, id: " + someID + ", args: ['{a}'], foreach: {a: [1, 2]}}"
		known = "id e9d4620b is known already, "
	)
	for _, c := range []struct{ name, first, then, want string }{
		{"the same", two, two, "0 added, 2 named: "},
		{"more of it", two, three, "0 added, 2 named: " + known + "as that of a sweep without this job"},
		{"less of it", three, two, "0 added, 2 named: "},
		{"a single job", two, one, "0 added, 1 named: " + known + "as that of a sweep"},
		{"of a single job", one, two, "0 added, 1 named: " + known + "as that of a single job"},
		{"of a rejected one", bad, two, "2 added, 2 named: "},
		{"a bad one", two, bad, "0 added, 1 named: " + known + `as that of a sweep; what came now is bad: a.yaml:1:8: unknown type "fre"; did you mean "free"?`},
		{"both in one file", "", one + "\n---\n" + two, "1 added, 1 named: " + known + "as that of a single job"},
		{"both the other way round", "", two + "\n---\n" + one, "2 added, 2 named: " + known + "as that of a sweep"},
	} {
		q, _ := openQueue(t)
		texts := []string{c.first, c.then}
		if c.first == "" {
			texts = texts[1:]
		}
		said := files(t, q, texts...)
		same(t, c.name, said[len(said)-1], c.want)
		if _, err := q.Find(bg, someID); c.first == bad && err == nil {
			t.Errorf("%s: the REJECTED job hides the sweep", c.name)
		}
	}
}
