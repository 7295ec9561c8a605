package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A file in place that is not whole parses now and then while it grows.
func TestSlowWriter(t *testing.T) {
	y := newTray(t)
	y.set.Settle, y.set.SettleBad = 40*time.Millisecond, 80*time.Millisecond
	y.run()
	text := "type: sleep\nargs:\n- 25\n"
	f, err := os.Create(y.in("slow.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(text) {
		if _, err := f.WriteString(text[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if heldOpenIsSeen(t, y.dir) && i%8 == 7 { // longer than both settle times
			pause := time.Now().Add(100 * time.Millisecond)
			within(t, "pause", func() bool { return time.Now().After(pause) })
		}
		if !exists(y.in("slow.yaml")) {
			t.Fatalf("taken after %d of %d bytes", i+1, len(text))
		}
	}
	f.Close()
	within(t, "reply", func() bool { return y.reply("slow.yaml").State != "" })
	if a := y.reply("slow.yaml"); a.State != "PENDING" || fmt.Sprint(a.Jobs[0].Args) != "[25]" {
		t.Errorf("reply = %+v", a)
	}
}

func heldOpenIsSeen(t *testing.T, dir string) bool {
	t.Helper()
	f, err := os.CreateTemp(dir, ".probe")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	r, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return writersOf(r) == writersSome
}

// Not before settle, even when nobody has it open any more.
func TestWrittenInPlaceSettles(t *testing.T) {
	y := newTray(t)
	y.set.Settle = 300 * time.Millisecond
	y.run()
	begun := time.Now()
	y.put(y.in("a.yaml"), "type: sleep\nargs: [2")
	y.put(y.in("a.yaml"), "type: sleep\nargs: [2]\n")
	y.put(y.in("a.yaml"), "type: sleep\nargs: [25]\n")
	written := time.Now()
	within(t, "reply", func() bool { return y.reply("a.yaml").State != "" })
	if d := time.Since(begun); d < y.set.Settle {
		t.Errorf("taken after %v, settle is %v", d, y.set.Settle)
	}
	if d := time.Since(written); d > y.set.Settle+2*time.Second {
		t.Errorf("taken only after %v", d)
	}
	if a := y.reply("a.yaml"); fmt.Sprint(a.Jobs[0].Args) != "[25]" {
		t.Errorf("reply = %+v", a)
	}
}

func TestBadFileIsGivenTime(t *testing.T) {
	y := newTray(t)
	y.set.Settle, y.set.SettleBad = 10*time.Millisecond, time.Hour
	y.put(y.in("a.yaml"), "type: sleep\nargs: [")
	aged := time.Now().Add(50 * time.Millisecond)
	y.scanUntil("settle is over", func() bool { return time.Now().After(aged) })
	if !exists(y.in("a.yaml")) {
		t.Fatal("rejected before settle_bad")
	}
	y.put(y.in("a.yaml"), "type: sleep\nargs: [3]\n")
	if a := y.answered("a.yaml"); a.State != "PENDING" {
		t.Errorf("made good: %+v", a)
	}

	y.set.SettleBad = 30 * time.Millisecond
	text := "type: sleep\nargs: ["
	y.put(y.in("b.yaml"), text)
	a := y.answered("b.yaml")
	if a.State != "REJECTED" || !strings.HasPrefix(a.Reason, "b.yaml:") || len(a.Jobs) != 1 {
		t.Errorf("bad: %+v", a)
	}
	if got, _ := os.ReadFile(filepath.Join(y.outbox, "b.yaml")); string(got) != text {
		t.Errorf("outbox file = %q, want %q", got, text)
	}
	if j := a.Jobs[0]; len(j.Args) != 1 || j.Args[0] != "file:b.yaml" || j.State != "REJECTED" {
		t.Errorf("job = %+v", j)
	}
}

func TestEmptyFileIsRejected(t *testing.T) {
	y := newTray(t)
	y.put(y.in("a.txt"), "")
	if a := y.answered("a.txt"); a.State != "REJECTED" || !strings.Contains(a.Reason, "empty") {
		t.Errorf("reply = %+v", a)
	}
}

// A file that was renamed in is taken at the event, whatever settle says.
func TestRenamedInIsTakenAtOnce(t *testing.T) {
	if !tellsRenames {
		t.Skip("this system does not tell a rename from a creation")
	}
	y := newTray(t)
	y.set.Settle, y.set.SettleBad = time.Hour, time.Hour
	y.run()
	within(t, "events", func() bool { return y.box.status().Events == "native" })
	best := time.Hour
	for i := range 5 {
		name := fmt.Sprintf("a%d.yaml", i)
		start := time.Now()
		y.drop(name, "type: sleep\nargs: [3]\n")
		within(t, "reply", func() bool { return y.reply(name).State == "PENDING" })
		best = min(best, time.Since(start))
	}
	if best > 500*time.Millisecond {
		t.Errorf("fastest reply after %v", best)
	}
	y.drop("bad.yaml", "nonsense: [")
	within(t, "reply to a bad file", func() bool { return y.reply("bad.yaml").State == "REJECTED" })
	outside := filepath.Join(filepath.Dir(y.dir), "outside")
	y.put(outside, "type: sleep\nargs: [3]\n")
	if err := os.Rename(outside, y.in("from-outside.yaml")); err != nil {
		t.Fatal(err)
	}
	within(t, "reply", func() bool { return y.reply("from-outside.yaml").State == "PENDING" })

	y.put(y.in("in-place.yaml"), "type: sleep\nargs: [3]\n")
	y.drop("last.yaml", "type: sleep\nargs: [3]\n")
	within(t, "reply", func() bool { return y.reply("last.yaml").State == "PENDING" })
	if !exists(y.in("in-place.yaml")) {
		t.Error("a file written in place was taken before settle")
	}
}

// A rename is no proof while its writer still has the file open.
func TestRenamedInWhileOpen(t *testing.T) {
	y := newTray(t)
	if !heldOpenIsSeen(t, y.dir) {
		t.Skip("this file system does not tell who writes")
	}
	y.set.SettleBad = time.Millisecond
	y.run()
	within(t, "events", func() bool { return y.box.status().Events == "native" })
	f, err := os.Create(y.in(".a"))
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("type: sleep\nargs: [2")
	os.Rename(y.in(".a"), y.in("a.yaml"))
	within(t, "it is listed", func() bool { return strings.Contains(y.why("a.yaml"), "open for writing") })
	f.WriteString("5]\n")
	f.Close()
	within(t, "reply", func() bool { return y.reply("a.yaml").State != "" })
	if a := y.reply("a.yaml"); a.State != "PENDING" || fmt.Sprint(a.Jobs[0].Args) != "[25]" {
		t.Errorf("reply = %+v", a)
	}
	within(t, "it is no longer listed", func() bool { return y.why("a.yaml") == "" })
}

// Whoever opens the file to write while it is looked at waits, and is not lost.
func TestWriterComesDuringClaim(t *testing.T) {
	y := newTray(t)
	y.put(y.in("a.yaml"), "type: sleep\nargs: [2]\n")
	y.scan()
	var w *os.File
	within(t, "claim", func() bool {
		f, err := os.OpenFile(y.in("a.yaml"), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		w = f
		c := y.box.candidate("a.yaml")
		y.box.claim(c, false)
		return true
	})
	y.box.unsynced = true
	y.box.claims[0].whole = true
	if heldOpenIsSeen(t, y.dir) {
		for range 20 {
			y.scan()
		}
		if len(y.all()) != 0 {
			t.Fatal("committed while it was open for writing")
		}
	}
	w.WriteString("name: late\n")
	w.Close()
	a := y.answered("a.yaml")
	if all := y.all(); len(all) != 1 || all[0].Name != "late" || a.State != "PENDING" {
		t.Errorf("jobs = %+v, reply = %+v", all, a)
	}
}

func TestUnreadableFile(t *testing.T) {
	if runAsNobody(t) {
		return
	}
	y := newTray(t)
	y.put(y.in("a.yaml"), goodText)
	os.Chmod(y.in("a.yaml"), 0)
	y.scanUntil("it is listed", func() bool { return strings.Contains(y.why("a.yaml"), "cannot be read") })
	for range 10 {
		y.scan()
	}
	if n := y.log.count("left where it is"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	os.Chmod(y.in("a.yaml"), 0o644)
	y.answered("a.yaml")
	if why := y.why("a.yaml"); why != "" {
		t.Errorf("still listed: %s", why)
	}
}
