package jobs_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"jobrunner/jobs"
)

func TestFormatLine(t *testing.T) {
	for want, j := range map[string]jobs.Job{
		someID + " countdown.py 25 COMPLETED":           {ID: someID, Target: "countdown.py", Args: []string{"25"}, State: jobs.Completed},
		someID + " countdown.py 5 PENDING  ":            {ID: someID, Target: "countdown.py", Args: []string{"5"}, State: jobs.Pending},
		someIDUp + " train - RUNNING  ":                 {ID: someID, Spelling: someIDUp, Target: "train", State: jobs.Running},
		someID + " train '-' LOST     ":                 {ID: someID, Target: "train", Args: []string{"-"}, State: jobs.Lost},
		someID + " train - - FAILED   ":                 {ID: someID, Target: "train", Args: []string{"-", "-"}, State: jobs.Failed},
		someID + " train '' 'a b' 'it'\\''s' TIMEOUT  ": {ID: someID, Target: "train", Args: []string{"", "a b", "it's"}, State: jobs.Timeout},
		someID + " 'my script.py' 'a?b?' CANCELLED":     {ID: someID, Target: "my script.py", Args: []string{"a\nb\x1b"}, State: jobs.Cancelled},
		someID + " cuntdown line:14 REJECTED ":          {ID: someID, Target: "cuntdown", Args: []string{"line:14"}, State: jobs.Rejected},
		someID + " - file:train.yaml REJECTED ":         {ID: someID, Args: []string{"file:train.yaml"}, State: jobs.Rejected},
	} {
		if got := jobs.FormatLine(&j); got != want {
			t.Errorf("FormatLine = %q, want %q", got, want)
		}
	}
}

func TestFormatLineCuts(t *testing.T) {
	long := strings.Repeat("é", 3000)
	for name, j := range map[string]jobs.Job{
		"one argument":    {Target: "x", Args: []string{long}},
		"many arguments":  {Target: "x", Args: slices.Repeat([]string{"a b"}, 9999)},
		"target":          {Target: long, Args: []string{"a"}},
		"target alone":    {Target: long},
		"both":            {Target: long, Args: []string{long, long}},
		"quotes":          {Target: "x", Args: []string{strings.Repeat("'", 3000)}},
		"spaces":          {Target: "x", Args: []string{strings.Repeat(" ", 3000)}},
		"just fits not":   {Target: "x", Args: []string{strings.Repeat("a", 2047)}},
		"more than fit":   {Target: "x", Args: []string{strings.Repeat("a", 2046), "b"}},
		"unprintable one": {Target: "x", Args: []string{strings.Repeat("\x00", 3000)}},
	} {
		j.ID, j.State = someID, jobs.Pending
		line := jobs.FormatLine(&j)
		if n := len(line) - len(someID+"  PENDING  "); n > 2<<10 {
			t.Errorf("%s: target and arguments take %d bytes", name, n)
		}
		if !strings.Contains(line, "…") {
			t.Errorf("%s: nothing says that it was cut: %q", name, line)
		}
		checkLine(t, &j, line)
	}
	whole := jobs.Job{ID: someID, Target: "x", Args: []string{strings.Repeat("a", 2046)}, State: jobs.Pending}
	if line := jobs.FormatLine(&whole); strings.Contains(line, "…") {
		t.Errorf("a line that fits is cut: %q", line)
	}
}

// checkLine holds a line against what every reader may rely on.
func checkLine(t *testing.T, j *jobs.Job, line string) {
	t.Helper()
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[0] != j.ID || fields[len(fields)-1] != string(j.State) {
		t.Errorf("no line of a job: %q", line)
	}
	if len(line) > 4096 || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
		t.Errorf("not fit to be printed: %q", line)
	}
	words, err := jobs.Words(line)
	if err != nil || len(words) < 4 || jobs.State(words[len(words)-1].Text) != j.State {
		t.Errorf("cannot be read back: %q: %v", line, err)
	}
}

func FuzzFormatLine(f *testing.F) {
	f.Add("countdown.py", "25", "")
	f.Add("", "-", "'")
	f.Add("a b", "\n\u2028", strings.Repeat("'", 2000))
	f.Add("0", "\xdf", "\x96") // together a letter, each alone none
	f.Add("\u3000", "\u00a0", "\u0085")
	f.Fuzz(func(t *testing.T, target, a, b string) {
		for _, args := range [][]string{nil, {a}, {a, b}} {
			j := jobs.Job{ID: someID, Target: target, Args: args, State: jobs.Pending}
			line := jobs.FormatLine(&j)
			checkLine(t, &j, line)
			it := jobs.ParseLine([]byte(line), jobs.Position{Line: 1})
			if it.Request == nil || it.Request.ID != someID || it.Request.State != jobs.Pending {
				t.Fatalf("%q reads as %s", line, said(it))
			}
			if jobs.Sanitize(a) != a || jobs.Sanitize(b) != b || jobs.Sanitize(target) != target || strings.Contains(line, "…") || target == "" {
				continue
			}
			if r := it.Request; r.Target != target || !slices.Equal(r.Args, args) {
				t.Fatalf("%q reads as %q %q, want %q %q", line, r.Target, r.Args, target, args)
			}
		}
	})
}

func TestRejectedJob(t *testing.T) {
	at := jobs.Position{File: "job_queue.txt", Line: 14}
	for name, tt := range map[string]struct {
		it         jobs.Item
		line       string
		id, reason string
	}{
		"line": {
			jobs.ParseLine([]byte("x 'a"), at), someID + " x line:14 REJECTED ", "",
			"job_queue.txt:14:3: this single quote (') is never closed; close it, or put a backslash before it",
		},
		"line with an id": {
			jobs.ParseLine([]byte(someIDUp), at), someIDUp + " - line:14 REJECTED ", someID,
			"job_queue.txt:14: an id alone is no request; write a script or type behind it",
		},
		"file": {
			jobs.ParseFile("train.yaml", []byte("args: [1]\n"))[0], someID + " - file:train.yaml REJECTED ", "",
			"train.yaml:1:1: neither type nor script is given; write type: with a type's name, or script:",
		},
		"file of lines": {
			jobs.ParseFile("my batch.txt", []byte("\ncancel\n"))[0], someID + " cancel 'file:my batch.txt' REJECTED ", "",
			"my batch.txt:2: cancel names no job; write the job's id behind it",
		},
	} {
		j := jobs.RejectedJob(tt.it)
		if j.ID != tt.id || j.Reason != tt.reason || j.State != jobs.Rejected || j.Attempt != 1 {
			t.Errorf("%s: got %q %q %s attempt %d, want %q %q", name, j.ID, j.Reason, j.State, j.Attempt, tt.id, tt.reason)
		}
		if j.ID == "" {
			j.ID = someID
		}
		if got := jobs.FormatLine(j); got != tt.line {
			t.Errorf("%s: line %q, want %q", name, got, tt.line)
		}
	}
}

func TestRejectedJobOfResolve(t *testing.T) {
	it := jobs.ParseLine([]byte(someIDUp+" cuntdown 5 PENDING"), jobs.Position{File: "job_queue.txt", Line: 14})
	_, fault := testCatalog(t).Resolve(it.Request)
	it.Request, it.Fault = nil, fault
	j := jobs.RejectedJob(it)
	if got, want := jobs.FormatLine(j), someIDUp+" cuntdown line:14 REJECTED "; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	if want := `job_queue.txt:14: unknown type "cuntdown"; did you mean "countdown"?`; j.Reason != want {
		t.Errorf("reason %q, want %q", j.Reason, want)
	}
}
