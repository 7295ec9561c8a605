package watcher

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRequestBecomesJob(t *testing.T) {
	y := newTray(t)
	text := "type: sleep\nargs: [25]\n"
	y.drop("train.yaml", text)
	a := y.answered("train.yaml")
	if a.File != "train.yaml" || a.State != "PENDING" || len(a.Jobs) != 1 || len(a.Warnings) != 0 {
		t.Fatalf("reply = %+v", a)
	}
	if j := a.Jobs[0]; j.Type != "sleep" || j.Source != "inbox:train.yaml" || fmt.Sprint(j.Args) != "[25]" {
		t.Errorf("job = %+v", j)
	}
	got, _ := os.ReadFile(filepath.Join(y.outbox, "train.yaml"))
	if string(got) != text {
		t.Errorf("outbox file = %q, want %q", got, text)
	}
	if exists(y.in("train.yaml")) || len(y.claims()) != 0 {
		t.Errorf("left behind: %v", y.claims())
	}
	r, err := y.queue.Receipt(t.Context(), "train.yaml")
	if err != nil || r.ID != a.Jobs[0].ID {
		t.Errorf("receipt = %+v, %v; its id is to be the job's", r, err)
	}
}

func TestEveryExtension(t *testing.T) {
	y := newTray(t)
	texts := map[string]string{
		"a.yaml": "type: sleep\nargs: [1]\n", "b.YML": "type: sleep\nargs: [1]\n", "c.json": `{"type":"sleep","args":["1"]}`,
		"d.txt": "sleep 1\n", "e.Job": "sleep 1\n",
	}
	for name, text := range texts {
		y.drop(name, text)
	}
	for name := range texts {
		if a := y.answered(name); a.State != "PENDING" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", maxName+1-len(".yaml")) + ".yaml"
	for name, want := range map[string]string{
		"a.yaml": "take", "A.YAML": "take", "x.json": "take", "json": "list", "a.yaml.txt": "take",
		".a.yaml": "leave", "~a.yaml": "leave", "a.yaml~": "leave", "a.yaml.TMP": "leave", "a.part": "leave",
		"a.Partial": "leave", "a.filepart": "leave", "a.crdownload": "leave", "a.swp": "leave", "a.yaml.bak": "leave",
		"readme.md": "list", "a": "list", "a.tmp.yaml": "take",
		"train.yaml.json": "list", "TRAIN.YML.JSON": "list", "a.json.json": "list", "a.txt.json": "list",
		"a.md.json": "take", long: "list", long[1:]: "take",
	} {
		got := "take"
		if leftAlone(name) {
			got = "leave"
		} else if whyNotNamed(name) != "" {
			got = "list"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Whatever is in the inbox that is no request: none is read, moved or in the way.
func TestWhatIsLeftWhereItIs(t *testing.T) {
	y := newTray(t)
	y.set.MaxRequestSize = 100
	good := "type: sleep\nargs: [1]\n"
	secret := filepath.Join(t.TempDir(), "secret")
	y.put(secret, good)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(makeFIFO(y.in("fifo.yaml")))
	must(os.Symlink(secret, y.in("link.yaml")))
	must(os.Symlink("loop.yaml", y.in("loop.yaml")))
	must(os.Link(secret, y.in("hard.yaml")))
	must(os.Mkdir(y.in("folder.yaml"), 0o755))
	socket, err := net.Listen("unix", y.in("s.job"))
	must(err)
	defer socket.Close()
	y.put(y.in("big.yaml"), good+strings.Repeat("#", 100))
	y.put(y.in("train.yaml.json"), `{"type":"sleep","args":["1"]}`)
	y.put(y.in("notes.md"), good)
	y.put(y.in(".hidden.yaml"), good)
	y.put(y.in("later.yaml.tmp"), good)
	y.drop("good.yaml", good)

	start := time.Now()
	y.answered("good.yaml")
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("taken after %v", d)
	}
	for name, want := range map[string]string{
		"fifo.yaml": "it is a", "link.yaml": "link", "loop.yaml": "link", "hard.yaml": "second hard link",
		"folder.yaml": "folder", "s.job": "socket", "big.yaml": "max_request_size", "train.yaml.json": "reply",
		"notes.md": "does not end in", ".hidden.yaml": "", "later.yaml.tmp": "",
	} {
		if got := y.why(name); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s is listed as %q, want %q", name, got, want)
		}
		if !exists(y.in(name)) {
			t.Errorf("%s is gone", name)
		}
		n := y.log.count(`"file":"`+name+`"`, "left where it is")
		if wantN := min(len(want), 1); n != wantN {
			t.Errorf("%s was logged %d times, want %d", name, n, wantN)
		}
	}
	if all := y.all(); len(all) != 1 {
		t.Errorf("%d jobs, want 1", len(all))
	}

	// What stood in the way goes away: then they are requests as any other.
	must(os.Remove(secret))
	y.set.MaxRequestSize = 1000
	y.answered("hard.yaml")
	y.answered("big.yaml")
}

func TestManyIgnoredAreCounted(t *testing.T) {
	y := newTray(t)
	for i := range maxIgnored + 7 {
		y.put(y.in(fmt.Sprintf("n%04d.md", i)), "")
	}
	y.scan()
	s := y.box.status()
	if len(s.Ignored) != maxIgnored || s.More != 7 {
		t.Errorf("listed %d and %d more, want %d and 7", len(s.Ignored), s.More, maxIgnored)
	}
	for i := range maxIgnored + 7 {
		os.Remove(y.in(fmt.Sprintf("n%04d.md", i)))
	}
	y.scan()
	if s := y.box.status(); len(s.Ignored) != 0 || s.More != 0 || len(y.box.known) != 0 {
		t.Errorf("after they went: %d listed, %d more, %d remembered", len(s.Ignored), s.More, len(y.box.known))
	}
}

// One flood does not keep everything else waiting, and is taken as a whole.
func TestFlood(t *testing.T) {
	y := newTray(t)
	const n = 300
	for i := range n {
		y.drop(fmt.Sprintf("f%03d.yaml", i), "type: sleep\nargs: [1]\n")
	}
	aged := time.Now().Add(y.set.Settle)
	within(t, "settle", func() bool { return time.Now().After(aged) })
	longest := time.Duration(0)
	within(t, "all are taken", func() bool {
		start := time.Now()
		y.scan()
		longest = max(longest, time.Since(start))
		return len(y.all()) == n
	})
	if longest > 15*time.Second {
		t.Errorf("one scan took %v", longest)
	}
	all := y.all()
	for i, j := range all { // newest first
		if want := fmt.Sprintf("inbox:f%03d.yaml", n-1-i); j.Source != want {
			t.Fatalf("job %d is from %s, want %s: not in the order in which they came", i, j.Source, want)
		}
	}
}

func TestTwoDaemonsOnOneInbox(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "inbox"), filepath.Join(dir, "outbox")
	a := newTrayOn(t, in, out, filepath.Join(dir, "a"))
	b := newTrayOn(t, in, out, filepath.Join(dir, "b"))
	a.run()
	b.run()
	const n = 200
	for i := range n {
		a.drop(fmt.Sprintf("f%03d.yaml", i), "type: sleep\nargs: [1]\n")
	}
	within(t, "all replies", func() bool {
		replies, _ := filepath.Glob(filepath.Join(out, "*.yaml.json"))
		return len(replies) == n
	})
	seen := map[string]int{}
	for _, j := range append(a.all(), b.all()...) {
		seen[j.Source]++
	}
	if len(seen) != n || len(a.all())+len(b.all()) != n {
		t.Errorf("%d files became %d and %d jobs, of %d sources", n, len(a.all()), len(b.all()), len(seen))
	}
	t.Logf("%d and %d", len(a.all()), len(b.all()))
}
