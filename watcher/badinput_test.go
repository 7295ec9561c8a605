package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// wide gives a text as UTF-16LE.
func wide(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.Write([]byte{c, 0})
	}
	return b.String()
}

const (
	good = "type: sleep\nargs: [25]\n"
	keys = "after, after_any, args, delay, env, foreach, hold, id, labels, name, not_before, on_duplicate, params, " +
		"priority, retries, script, timeout, type, unique_key, workdir"
)

// form is the fault of an argument that is none of the type's.
func form(arg string) string {
	return `:2:7: argument 1 of type "sleep" must match [0-9]{1,6}, not be "` + arg + `"`
}

// badFiles are what people and broken programs drop; good ones among them have
// no reason, or how many jobs they became.
var badFiles = []struct{ what, ext, text, reason string }{
	{"nothing", "yaml", "", ":1:1: the file is empty"},
	{"spaces", "yaml", "  \n\n", ":1:1: the file holds no request"},
	{"comments", "txt", "# later\n", ":1:1: the file holds no request"},
	{"cut short", "yaml", "type: sleep\nargs: [1, ", ":2: not valid YAML: did not find expected node content"},
	{"cut short", "json", `{"type": "sleep", "args": ["1"`, ":1:31: not valid JSON: it ends in the middle"},
	{"no line end", "yaml", "type: sleep\nargs: [25]", ""},
	{"no line end", "txt", "sleep 25", ""},
	{"a byte order mark", "yaml", "\xef\xbb\xbf" + good, ""},
	{"UTF-16 with a mark", "yaml", "\xff\xfe" + wide(good), ""},
	{"UTF-16 without one", "yaml", wide(good), ""},
	{"UTF-16 lines", "txt", wide("sleep 25\r\n"), ""},
	{"Windows' line ends", "yaml", strings.ReplaceAll(good, "\n", "\r\n"), ""},
	{"old Mac's line ends", "yaml", strings.ReplaceAll(good, "\n", "\r"), ""},
	{"old Mac's line ends", "job", "sleep 25\rsleep 26\r", "2 PENDING"},
	{"a tab", "yaml", "type: sleep\nargs:\n\t- 1\n", ":3:1: a tab stands in the indentation; YAML wants spaces there"},
	{"a NUL", "yaml", "type: sl\x00eep\n", ":1:9: a NUL byte stands inside the text"},
	{"a NUL", "txt", "sleep 1\nsleep\x00 2\n", ":2:6: a NUL byte stands inside the text"},
	{"a NUL as an argument", "yaml", "type: sleep\nargs: [\"1\\0\"]\n", ":2:8: argument 1 holds a NUL character"},
	{"Latin-1", "yaml", "type: sleep\nname: gr\xfcn\n", ":2:9: byte 0xfc is not valid UTF-8; save the file as UTF-8"},
	{"Latin-1", "txt", "sleep gr\xfcn\n", ":1:9: byte 0xfc is not valid UTF-8; save the file as UTF-8"},
	{"a doubled key", "yaml", "type: sleep\ntype: sleep\n", `:2:1: key "type" stands twice; the first is on line 1`},
	{"a doubled key", "json", `{"type": "sleep", "type": "sleep"}`, `:1:19: key "type" stands twice; the first is on line 1`},
	{"an unknown key", "yaml", "type: sleep\nprioritty: 1\n", `:2:1: unknown key "prioritty"; did you mean "priority"?`},
	{"two documents", "yaml", good + "---\n" + good, "2 PENDING"},
	{"one of two is bad", "yaml", good + "---\ntyp: sleep\n", `:4:1: unknown key "typ"; did you mean "type"?`},
	{"two objects", "json", `{"type":"sleep","args":["1"]}{"type":"sleep","args":["2"]}`, "2 PENDING"},
	{"text behind the end", "yaml", good + "...\nand more\n", ":4: text follows the end of the document; write --- before a further document"},
	{"text behind the end", "json", `{"type":"sleep","args":["1"]} and more`, ":1:31: not valid JSON: invalid character 'a' looking for beginning of value"},
	{"a list", "yaml", "- type: sleep\n", ":1:1: the document must be a mapping (key: value), not a list"},
	{"a word", "yaml", "sleep 25\n", `:1:1: the document must be a mapping (key: value), not "sleep 25"`},
	{"null", "yaml", "type: sleep\nargs: [null]\n", ":2:8: argument 1 has no value; write '' for an empty text, or 'null' in quotes for the word"},
	{"a leading zero", "yaml", "type: sleep\nargs: [010]\n", ""},
	{"an exponent", "yaml", "type: sleep\nargs: [1e3]\n", form("1e3")},
	{"an underscore", "yaml", "type: sleep\nargs: [1_000]\n", form("1_000")},
	{"a fraction", "yaml", "type: sleep\nargs: [.5]\n", form(".5")},
	{"no number", "yaml", "type: sleep\nargs: [.NaN]\n", form(".NaN")},
	{"less than nothing", "yaml", "type: sleep\nargs: [-1]\n", form("-1")},
	{"far too many", "yaml", "type: sleep\nargs: [9e99]\n", form("9e99")},
	{"a word that YAML takes for another", "yaml", "type: sleep\nargs: [25]\nname: yes\nlabels: {no: on}\n", ""},
	{"a truth that is none", "yaml", good + "hold: yes\n", `:3:7: hold must be true or false, not "yes"`},
	{"aliases of aliases", "yaml", "a: &a [x,x]\nb: &b [*a,*a]\ntype: sleep\n", `:1:1: unknown key "a"; known keys: ` + keys},
	{"an anchor", "yaml", "type: &t sleep\nargs: [25]\n", ":1:7: anchors and aliases (& and *) are not allowed; write the value out, or put it in quotes"},
	{"lists in lists", "yaml", strings.Repeat("[", 20_000), ":1: not valid YAML: exceeded max depth of 10000"},
	{"lists in lists", "json", strings.Repeat("[", 20_000), ":1:10001: not valid JSON: it is nested too deep"},
	{"a type that is none", "yaml", "type: slep\n", `:1:7: unknown type "slep"; did you mean "sleep"?`},
	{"too few arguments", "txt", "sleep\n", `:1: type "sleep" takes 1 argument, not 0`},
	{"too many arguments", "txt", "sleep 25 extra\n", `:1: type "sleep" takes 1 argument, not 2`},
	{"a whole line in quotes", "txt", "\"sleep 25\"\n", ""},
	{"an open quote", "txt", "sleep '25\n", ":1:7: this single quote (') is never closed; close it, or put a backslash before it"},
	{"a shell's words", "txt", "sleep $(id)\n", `:1: argument 1 of type "sleep" must match [0-9]{1,6}, not be "$(id)"`},
	{"a short id", "yaml", "action: cancel\nids: [3f2a]\n", `:2:6: "3f2a" is not a job's id; give the id, or at least its first 8 letters`},
	{"a job that is none", "yaml", "action: cancel\nids: [3f2a91c0]\n", `no job "3f2a91c0" is known`},
	{"a key of another kind", "yaml", "type: sleep\nargs: 25\n", `:2:7: args must be a list, not "25"; write args: [25]`},
	{"a variable that is not allowed", "yaml", good + "env: {PATH: /tmp}\n", `:3:13: env "PATH" may not be set for type "sleep"; it allows none: env_allow lists those that a request may set`},
	{"a folder outside", "yaml", good + "workdir: ../..\n", `:3:10: workdir "../.." lies outside of that of type "sleep"`},
	{"more retries than the type has", "yaml", good + "retries: 1\n", `:3:10: retries 1 is more than type "sleep" allows; it allows none: max_retries is not set`},
	{"to wait for nobody", "yaml", good + "after: [3f2a91c0]\n", `:3:9: no job "3f2a91c0" is known; give an id, its first 8 letters, or the name of an earlier document of the file`},
}

// What becomes of files that people and broken programs write: the reply's
// state, and its reason to the letter, behind the file's name.
func TestAnswersToFiles(t *testing.T) {
	y := newTray(t)
	y.run()
	name := func(n int) string { return fmt.Sprintf("f%02d.%s", n, badFiles[n].ext) }
	for n, row := range badFiles {
		y.drop(name(n), row.text)
	}
	for n, row := range badFiles {
		file := name(n)
		within(t, "reply to "+file, func() bool { return y.reply(file).State != "" })
		a, state, reason := y.reply(file), "PENDING", row.reason
		if strings.HasPrefix(reason, ":") {
			reason = file + reason
		}
		if reason != "" && reason != "2 PENDING" {
			state = "REJECTED"
		}
		if a.State != state || a.Reason != reason {
			t.Errorf("%s in %s: %s %s\nwant %s %s", row.what, file, a.State, a.Reason, state, reason)
		}
		if got, _ := os.ReadFile(filepath.Join(y.outbox, file)); string(got) != row.text {
			t.Errorf("%s in %s: the file in the outbox is not what was dropped", row.what, file)
		}
	}
	t.Logf("%d files", len(badFiles))
}

// A file's name is foreign text too: whatever it is, its request runs or is
// refused, and the name is shown harmless.
func TestNamesOfFilesAreHarmless(t *testing.T) {
	y := newTray(t)
	y.run()
	names := []string{
		"a\nb.yaml", "a\x1b[31m.yaml", "<script>alert(1)<script>.yaml", "-rf.yaml", "a:b.yaml", "CON.yaml", "a. .yaml", " .yaml", "$(id).yaml", "'a'.yaml",
		"Ä.yaml", "A\u0308.yaml", "A.yaml", "a.yaml", "a\xff.yaml", "a\u202e.yaml", "a (1).yaml", strings.Repeat("x", maxName-len(".yaml")) + ".yaml",
	}
	taken := 0
	for _, name := range names {
		temp := filepath.Join(y.dir, ".temp")
		y.put(temp, goodText)
		if err := os.Rename(temp, y.in(name)); err != nil {
			t.Logf("%q cannot be a name here: %v", name, err)
			continue
		}
		taken++
	}
	within(t, "all are taken", func() bool { return len(y.all()) == taken })
	ids := map[string]bool{}
	for _, j := range y.all() {
		ids[j.ID] = true
		if j.State != jobs.Pending || !strings.HasPrefix(j.Source, "inbox:") {
			t.Errorf("%q is %s: %s", j.Source, j.State, j.Reason)
		}
	}
	if len(ids) != taken {
		t.Errorf("%d ids for %d files", len(ids), taken)
	}
	y.log.mu.Lock()
	defer y.log.mu.Unlock()
	for _, line := range y.log.lines {
		if bare := strings.TrimSuffix(line, "\n"); jobs.Sanitize(bare) != bare {
			t.Errorf("the log holds a control character: %q", line)
		}
	}
}

// One name dropped again and again is as many requests; one whose file is gone
// before it is taken is none, and the times of files mean nothing.
func TestOneNameAndStrangeTimes(t *testing.T) {
	y := newTray(t)
	y.run()
	const n = 5
	for i := range n {
		y.drop("a.yaml", fmt.Sprintf("type: sleep\nargs: [%d]\n", i))
		within(t, "it is claimed", func() bool { return !exists(y.in("a.yaml")) })
	}
	within(t, "all are taken", func() bool { return len(y.all()) == n })
	for name, at := range map[string]time.Time{"old.yaml": time.Unix(0, 0), "new.yaml": time.Now().Add(1000 * time.Hour)} {
		temp := filepath.Join(y.dir, ".temp")
		y.put(temp, goodText)
		if err := os.Chtimes(temp, at, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(temp, y.in(name)); err != nil {
			t.Fatal(err)
		}
		within(t, "reply to "+name, func() bool { return y.reply(name).State == "PENDING" })
	}
	y.put(y.in("gone.yaml"), "type: sleep\nargs: [")
	if err := os.Remove(y.in("gone.yaml")); err != nil {
		t.Fatal(err)
	}
	y.drop("last.yaml", goodText)
	within(t, "reply to the last", func() bool { return y.reply("last.yaml").State == "PENDING" })
	if all := y.all(); len(all) != n+3 {
		t.Errorf("%d jobs, want %d", len(all), n+3)
	}
}

// A file far larger than any disk is not read.
func TestSparseFile(t *testing.T) {
	y := newTray(t)
	temp := filepath.Join(y.dir, ".temp")
	y.put(temp, goodText)
	if err := os.Truncate(temp, 1<<40); err != nil {
		t.Skipf("no file of 1 TiB here: %v", err)
	}
	if err := os.Rename(temp, y.in("a.yaml")); err != nil {
		t.Fatal(err)
	}
	y.drop("good.yaml", goodText)
	y.answered("good.yaml")
	if got, want := y.why("a.yaml"), whyTooLarge; got != want {
		t.Errorf("listed as %q, want %q", got, want)
	}
}

const (
	ida = "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e0"
	idb = "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e1"
	idc = "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e2"
	idd = "e9d4620b-5ba5-4bd4-81e4-4a20e11c88e3"
)

// badLines are what they append, with the job's target, arguments and state, or
// the fault as it stands behind the line's number.
var badLines = []struct{ line, want string }{
	{"countdown.py 25", `countdown.py ["25"] PENDING`},
	{"", ""},
	{"# a comment", ""},
	{"sleep", `: type "sleep" takes 1 argument, not 0`},
	{"sleep 25 extra", `: type "sleep" takes 1 argument, not 2`},
	{`"sleep 25"`, `sleep ["25"] PENDING`},
	{`countdown.py "a b" 'c d' e\ f`, `countdown.py ["a b" "c d" "e f"] PENDING`},
	{`countdown.py "a b`, `:14: this double quote (") is never closed; close it, or put a backslash before it`},
	{"unknown.py 1", `: script "unknown.py" is not there, in scripts`},
	{"cuntdown.py 1", `: script "cuntdown.py" is not there, in scripts; did you mean "countdown.py"?`},
	{"slep 1", `: unknown type "slep"; did you mean "sleep"?`},
	{"sleep 25sleep 3", `: type "sleep" takes 1 argument, not 2`},
	{"../../bin/sh.py 1", `: script "../../bin/sh.py" lies outside of scripts`},
	{"/etc/passwd.py", `: script "/etc/passwd.py" lies outside of scripts`},
	{"python -c.py", `: "-c.py" cannot be the name of a script`},
	{"countdown.py -c x", `countdown.py ["-c" "x"] PENDING`},
	{"countdown.py $HOME `id` *.py ;rm", "countdown.py [\"$HOME\" \"`id`\" \"*.py\" \";rm\"] PENDING"},
	{`scripts\countdown.py 1`, onWindows(`scripts\countdown.py ["1"] PENDING`, `: script "scripts\\countdown.py" is not there, in scripts`)},
	{ida + " gone.py 1 COMPLETED", `gone.py ["1"] COMPLETED`},
	{idb + " gone.py 1 RUNNING", `gone.py ["1"] LOST`},
	{idc + " countdown.py 5 PENDING", `countdown.py ["5"] PENDING`},
	{strings.ToUpper(idd) + " countdown.py 5", `countdown.py ["5"] PENDING`},
	{idc, ""}, // the job is known
	{"e9d4620b-5ba5-4bd4-81e4-4a20e11c88e9", `: an id alone is no request; write a script or type behind it`},
	{"sl\x00eep 25", `:3: a NUL byte stands inside the text`},
	{"\x00\x00sleep 25\x00", `sleep ["25"] PENDING`},
	{"sleep gr\xfcn", `:9: byte 0xfc is not valid UTF-8; save the file as UTF-8`},
	{"countdown.py grün", `countdown.py ["grün"] PENDING`},
	{"sleep 25\rsleep 26", `:9: a carriage return stands inside the line; end every line with a newline`},
	{"sleep 25\r", `sleep ["25"] PENDING`},
	{"sleep \x1b[31m", `: argument 1 of type "sleep" must match [0-9]{1,6}, not be "\x1b[31m"`},
	{"countdown.py " + strings.Repeat("x", jobs.MaxRequestSize), `: the line is longer than 64 KiB`},
	{`{"type": "sleep", "args": ["25"], "name": "x"}`, `sleep ["25"] PENDING`},
	{`{"type": "sleep", "args": [25], "nam": "x"}`, `:33: unknown key "nam"; did you mean "name"?`},
	{`{"type": "sleep"`, `:17: not valid JSON: it ends in the middle`},
	{"cancel", `: cancel names no job; write the job's id behind it`},
	{"drain now", `: drain stands alone, not before "now"`},
	{"pause slep", `: unknown type "slep"; did you mean "sleep"?`},
	{"the quick brown fox", `: unknown type "the"; known types: python, sleep`},
	{"sleep 99", `sleep ["99"] PENDING`},
}

// What becomes of lines that people and broken programs append, all in one
// file: each is answered, and none is in the way of the next.
func TestAnswersToLines(t *testing.T) {
	x := newDesk(t)
	want := map[string]int{}
	for n, row := range badLines {
		x.append(row.line + "\n")
		if strings.HasPrefix(row.want, ":") {
			want[fmt.Sprintf("job_queue.txt:%d%s", n+1, row.want)]++
		} else if row.want != "" {
			want[row.want]++
		}
	}
	all := 0
	for _, n := range want {
		all += n
	}
	x.start()
	x.until("a job for each", func() bool { return len(x.jobs()) >= all })
	for _, j := range x.jobs() {
		got := fmt.Sprintf("%s %q %s", j.Target, j.Args, j.State)
		if j.State == jobs.Rejected {
			got = j.Reason
		}
		if want[got]--; want[got] < 0 {
			t.Errorf("got %s", got)
		}
	}
	for row, n := range want {
		if n > 0 {
			t.Errorf("lacks %s", row)
		}
	}
	t.Logf("%d lines", len(badLines))
}

// onWindows gives what holds there, or what holds elsewhere.
func onWindows(there, elsewhere string) string {
	if filepath.Separator == '\\' {
		return there
	}
	return elsewhere
}

// A folder, or a link, in the place of the queue file is not touched, and who
// starts the daemon is told what to do.
func TestQueueFileThatIsNone(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a link":   func(path string) error { return os.Symlink(filepath.Join(filepath.Dir(path), "other"), path) },
	} {
		x := newDesk(t)
		if err := put(x.path); err != nil {
			t.Skip(err)
		}
		q, err := newQueueFile(x.options())
		if err != nil {
			t.Fatal(err)
		}
		err = q.prepare(t.Context())
		q.Close()
		if err == nil || !strings.Contains(err.Error(), "opening the queue file "+x.path) || !strings.Contains(err.Error(), "move it away, and a new one is made") {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Lstat(filepath.Join(x.dir, "other")); err == nil {
			t.Errorf("%s: the file that it leads to was made", what)
		}
	}
}
