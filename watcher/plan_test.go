package watcher

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// newPlanFile gives an empty plan, and the path of the queue file that it is for.
func newPlanFile(t *testing.T) (p *planFile, path string) {
	t.Helper()
	dir := t.TempDir()
	p, err := openPlanFile(filepath.Join(dir, "queue.plan"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, filepath.Join(dir, "job_queue.txt")
}

// TestTornPlanIsFinished tears the write of a plan at every byte, with and
// without something that others appended since.
func TestTornPlanIsFinished(t *testing.T) {
	for _, c := range []struct{ old, new string }{
		{"countdown.py 25\n", "0fb45caf-addb-55bc-a4ac-3ae1aa99044a countdown.py 25 PENDING  \n"},
		{"0fb45caf COMPLETED\n1fb45caf PENDING  \n", "1fb45caf PENDING  \n"},
		{"cancel 0fb45caf\n", ""},
		{"", "0fb45caf-addb-55bc-a4ac-3ae1aa99044a countdown.py 25 PENDING  \n"},
		{"aaaa\n", "aaab\n"},
	} {
		for _, behind := range []string{"", "countdown.py 7\n", c.new} {
			for n := 0; n <= len(c.new); n++ {
				for _, cut := range []bool{false, true} {
					if cut && (n < len(c.new) || behind == c.new) {
						continue // a copy of the line that was cut off cannot be told from it
					}
					name := fmt.Sprintf("%.9q to %.9q, torn at %d, cut %v, behind %.9q", c.old, c.new, n, cut, behind)
					head := strings.Repeat("#", pageSize-n-1) + "\n" // so that the tear is at a page's border
					torn := c.new[:n]
					switch {
					case cut:
					case n == len(c.new): // all is written over
						torn += strings.Repeat(" ", max(0, len(c.old)-n))
					case n < len(c.old):
						torn += c.old[n:]
					}
					dir := t.TempDir()
					path := filepath.Join(dir, "job_queue.txt")
					if err := os.WriteFile(path, []byte(head+torn+behind), 0o644); err != nil {
						t.Fatal(err)
					}
					p, err := openPlanFile(filepath.Join(dir, "queue.plan"))
					if err != nil {
						t.Fatal(err)
					}
					if err := p.write(plan{From: int64(len(head)), Old: []byte(c.old), New: []byte(c.new)}, true); err != nil {
						t.Fatal(err)
					}
					if _, _, _, err := p.finish(path); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					got, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					done, undone := head+c.new+behind, head+c.old+behind
					if string(got) != done && string(got) != undone {
						t.Errorf("%s: file ends in %q, want %q or %q", name, got[len(head):], c.new+behind, c.old+behind)
					}
					if pl, again, _ := p.read(); again && !pl.done {
						t.Errorf("%s: the plan is still there", name)
					}
					p.Close()
				}
			}
		}
	}
}

func TestPlanOfAnotherFileIsForgotten(t *testing.T) {
	p, path := newPlanFile(t)
	const text = "somebody wrote the file anew\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.write(plan{From: 0, Old: []byte("countdown.py 1\n"), New: []byte("xyz PENDING\n")}, true); err != nil {
		t.Fatal(err)
	}
	if _, repaired, ok, err := p.finish(path); repaired || ok || err != nil {
		t.Errorf("finish = %v, %v, %v, want false, false, nil", repaired, ok, err)
	}
	if got, _ := os.ReadFile(path); string(got) != text {
		t.Errorf("file = %q, want %q", got, text)
	}
}

// A plan whose texts begin alike has not begun while its old text stands there, also
// where they part behind a page's border.
func TestPlanThatBeginsAlikeHasNotBegun(t *testing.T) {
	p, path := newPlanFile(t)
	head, old := strings.Repeat("#", pageSize-10)+"\n", "a line that stays where it is\n"
	if err := os.WriteFile(path, []byte(head+old), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.write(plan{From: int64(len(head)), Old: []byte(old), New: []byte(old + "another one\n")}, true); err != nil {
		t.Fatal(err)
	}
	if _, repaired, ok, err := p.finish(path); repaired || ok || err != nil {
		t.Errorf("finish = %v, %v, %v, want false, false, nil", repaired, ok, err)
	}
	if got, _ := os.ReadFile(path); string(got) != head+old {
		t.Errorf("file = %q", got[len(head):])
	}
}

func TestHalfWrittenPlanIsIgnored(t *testing.T) {
	p, _ := newPlanFile(t)
	if err := p.write(plan{From: 3, Old: []byte("old"), New: []byte("new"), Blanks: []blanking{{start: 1, old: []byte("x"), behind: []byte("y")}}}, true); err != nil {
		t.Fatal(err)
	}
	info, _ := p.f.Stat()
	for n := int64(0); n < info.Size(); n++ {
		if err := p.f.Truncate(n); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := p.read(); ok || err != nil {
			t.Fatalf("plan cut to %d bytes: read = %v, %v, want none", n, ok, err)
		}
	}
}

// TestCarriedOutPlanSaysWhatLeft holds taken lines against a plan that was
// carried out before a crash.
func TestCarriedOutPlanSaysWhatLeft(t *testing.T) {
	p, path := newPlanFile(t)
	const command = "pause train\n"
	if err := os.WriteFile(path, []byte("# top\n"+command), 0o644); err != nil { // the same words again
		t.Fatal(err)
	}
	pl := plan{Generation: uuid.New(), From: 6, Old: []byte(command + "resume\n")}
	if err := p.write(pl, true); err != nil {
		t.Fatal(err)
	}
	if err := p.done(); err != nil {
		t.Fatal(err)
	}
	got, repaired, ok, err := p.finish(path)
	if repaired || !ok || err != nil {
		t.Fatalf("finish = %v, %v, %v, want false, true, nil", repaired, ok, err)
	}
	if text, _ := os.ReadFile(path); string(text) != "# top\n"+command {
		t.Errorf("file = %q: what was appended since is gone", text)
	}
	line := func(change func(*jobs.Taken)) jobs.Taken {
		t := jobs.Taken{Generation: pl.Generation.String(), Offset: 6, Length: int64(len(command)), Hash: jobs.RawHash([]byte(command))}
		change(&t)
		return t
	}
	for _, c := range []struct {
		name   string
		change func(*jobs.Taken)
		want   bool
	}{
		{"taken", func(*jobs.Taken) {}, true},
		{"of another generation", func(l *jobs.Taken) { l.Generation = uuid.NewString() }, false},
		{"elsewhere", func(l *jobs.Taken) { l.Offset++ }, false},
		{"ahead of it", func(l *jobs.Taken) { l.Offset = 0 }, false},
		{"longer than it", func(l *jobs.Taken) { l.Length = 100 }, false},
		{"of other words", func(l *jobs.Taken) { l.Hash++ }, false},
		{"gone before", func(l *jobs.Taken) { l.GoneAt = 1 }, false},
	} {
		if left := got.took(line(c.change)); left != c.want {
			t.Errorf("a line %s: took = %v, want %v", c.name, left, c.want)
		}
	}
}

// TestStateWordStaysInOnePage places lines at every offset around a page's
// border.
func TestStateWordStaysInOnePage(t *testing.T) {
	text := []byte(uuid.NewString() + " countdown.py 25 PENDING  ")
	for at := int64(2*pageSize - 100); at < 2*pageSize+20; at++ {
		line := formatViewLine(text, at)
		l, ok := parseViewLine(line)
		if !ok || l.room != jobs.StateWidth {
			t.Fatalf("at %d: line %q is not one with a full state word", at, line)
		}
		first, last := at+int64(l.wordAt), at+int64(l.wordAt+jobs.StateWidth-1)
		if first/pageSize != last/pageSize {
			t.Errorf("at %d: state word stands at %d to %d, across a page's border", at, first, last)
		}
		if !bytes.HasSuffix(line, append(text, '\n')) {
			t.Errorf("at %d: line = %q, want it to end in %q", at, line, text)
		}
	}
}

// Blanks that lines have left behind leave the file with the line before which
// they stand.
func TestBlanksBeforeAnEdit(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "job_queue.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range []int{0, 1, pageSize - 4, pageSize, 3*pageSize + 17, 5 << 20} {
		text := "one\n" + strings.Repeat(" ", n) + "two\n"
		if _, err := f.WriteAt([]byte(text), 0); err != nil {
			t.Fatal(err)
		}
		at := int64(len("one\n") + n)
		if got := blanksBefore(f, at, 1<<30); got != int64(n) {
			t.Errorf("%d blanks before, want %d", got, n)
		}
		if got, most := blanksBefore(f, at, 5000), int64(min(n, 5000)); got != most {
			t.Errorf("%d blanks before, want %d", got, most)
		}
	}
}
