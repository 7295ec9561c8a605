package jobs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"jobrunner/jobs"
)

// printed is the output of a job in a state folder, which a test writes and
// cuts as its owner would.
type printed struct {
	t    *testing.T
	dir  string
	job  *jobs.Job
	file *os.File
	cut  jobs.Cut
}

func newPrinted(t *testing.T, max int64) *printed {
	t.Helper()
	p := &printed{t: t, dir: t.TempDir(), job: &jobs.Job{ID: "an-id", Attempt: 1, Log: "logs/an-id.log"}}
	if err := os.Mkdir(filepath.Join(p.dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.file, err = os.Create(filepath.Join(p.dir, p.job.Log)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.file.Close() })
	if max > 0 {
		p.cut = jobs.NewCut(max)
		p.note()
	}
	return p
}

func (p *printed) note() {
	p.t.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, jobs.CutName(p.job.ID, 1)), os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteAt(p.cut.Bytes(), 0)
		f.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// write appends text and cuts what is then too much, as NULs.
func (p *printed) write(text []byte) {
	p.t.Helper()
	size, err := p.file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = p.file.Write(text)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	was := p.cut.End
	if p.cut.Max == 0 {
		return
	}
	if p.cut = p.cut.Grown(size + int64(len(text))); p.cut.End > was {
		p.note()
		if _, err := p.file.WriteAt(make([]byte, p.cut.End-was), was); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *printed) open() *jobs.Output {
	p.t.Helper()
	out, err := jobs.OpenOutput(p.dir, p.job, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { out.Close() })
	return out
}

// numbered gives lines of 16 bytes, from one number up to another.
func numbered(from, to int) []byte {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %010d\n", i)
	}
	return b.Bytes()
}

func TestOutputWithCut(t *testing.T) {
	const most = 64 << 10
	p := newPrinted(t, most)
	all := numbered(0, 1<<16) // 1 MiB
	p.write(all)
	head, tail := all[:p.cut.Head], all[p.cut.End:]
	mark := fmt.Sprintf("[… %d.0 KiB not kept: max_log 64KiB …]\n", (p.cut.End-p.cut.Head)>>10)
	want := string(head) + mark + string(tail)
	if kept := len(head) + len(tail); kept > most || kept < most-2*jobs.CutBlock || len(head) != most/4 {
		t.Fatalf("%d bytes of head and %d of tail are kept of %d", len(head), len(tail), most)
	}
	if got, err := io.ReadAll(p.open()); err != nil || string(got) != want {
		t.Errorf("reading gave %d bytes, %v; want %d", len(got), err, len(want))
	}
	view, err := p.open().View()
	if err != nil {
		t.Fatal(err)
	}
	if view.Size() != int64(len(want)) || view.Lost() != p.cut.End-p.cut.Head || view.Mark() != mark {
		t.Errorf("the view has %d bytes, lost %d, mark %q; want %d, %d, %q",
			view.Size(), view.Lost(), view.Mark(), len(want), p.cut.End-p.cut.Head, mark)
	}
	for _, span := range [][2]int{{0, 10}, {len(head) - 5, len(head) + 5}, {len(head) + 3, len(head) + 9},
		{len(head), len(head) + len(mark)}, {len(head) + len(mark) - 2, len(head) + len(mark) + 40}, {0, len(want)}, {len(want) - 7, len(want)}} {
		got := make([]byte, span[1]-span[0])
		if n, err := view.ReadAt(got, int64(span[0])); n != len(got) || string(got) != want[span[0]:span[1]] {
			t.Errorf("bytes %d to %d: %q, %v; want %q", span[0], span[1], got[:n], err, want[span[0]:span[1]])
		}
	}
	got := make([]byte, 20)
	if n, err := view.ReadAt(got, int64(len(want)-7)); n != 7 || err != io.EOF {
		t.Errorf("over the end: %d bytes, %v; want 7 and EOF", n, err)
	}
}

func TestOutputTailWithCut(t *testing.T) {
	p := newPrinted(t, 64<<10)
	p.write(numbered(0, 1<<16))
	whole, err := io.ReadAll(p.open())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	lines = lines[:len(lines)-1]
	kept := int((1<<20 - p.cut.End) / 16) // lines behind the cut
	for _, n := range []int{0, 1, 2, kept - 1, kept, kept + 1, kept + 2, kept + 100, len(lines), len(lines) + 5} {
		out := p.open()
		if err := out.Tail(n); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(out)
		want := strings.Join(lines[len(lines)-min(n, len(lines)):], "")
		if err != nil || string(got) != want {
			t.Errorf("the last %d lines: %d bytes, %v; want %d", n, len(got), err, len(want))
		}
	}
}

// The head may end in the middle of a line: what is said of the cut does not.
func TestCutInTheMiddleOfALine(t *testing.T) {
	p := newPrinted(t, 64<<10)
	p.write(bytes.Repeat([]byte("no line ends here "), 1<<14))
	want := "\n[… "
	got, err := io.ReadAll(p.open())
	if err != nil || string(got[p.cut.Head:][:len(want)]) != want {
		t.Errorf("after the head comes %q, %v; want %q", got[p.cut.Head:][:len(want)], err, want)
	}
	view, err := p.open().View()
	if err != nil || view.Size() != int64(len(got)) {
		t.Errorf("the view has %d bytes, %v; want %d", view.Size(), err, len(got))
	}
}

// What a job has written itself is shown as it is, NULs and holes too.
func TestOutputOfNULs(t *testing.T) {
	for _, most := range []int64{0, 1 << 20} {
		p := newPrinted(t, most)
		want := append(append([]byte("begin\n"), make([]byte, 200<<10)...), "end\n"...)
		p.write(want)
		if got, err := io.ReadAll(p.open()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("max_log %d: got %d bytes, %v; want %d", most, len(got), err, len(want))
		}
	}
}

// An attempt may empty its own output, and whoever cuts it needs a moment to see.
func TestOutputEmptied(t *testing.T) {
	p := newPrinted(t, 64<<10)
	p.write(numbered(0, 1<<16))
	if err := p.file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	p.cut = jobs.Cut{} // nobody looks
	p.write([]byte("anew\n"))
	if got, err := io.ReadAll(p.open()); err != nil || string(got) != "anew\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if c := jobs.NewCut(64 << 10).Grown(1 << 20).Grown(5); c.End != c.Head {
		t.Errorf("still cut: %+v", c)
	}
}

// A reader is overtaken by the cut again and again: it sees no NUL, no line
// twice and none out of order, and where lines are missing it is told.
func TestOutputReadWhileItIsCut(t *testing.T) {
	p := newPrinted(t, 64<<10)
	out := p.open()
	const lines = 1 << 16
	var wg sync.WaitGroup
	written := make(chan struct{})
	wg.Go(func() {
		defer close(written)
		for i := 0; i < lines; i += 512 {
			p.write(numbered(i, i+512))
		}
	})
	var got bytes.Buffer
	for over := false; !over; {
		select {
		case <-written:
			over = true
		default:
		}
		if _, err := out.WriteTo(&got); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	next, last, marks := 0, -1, 0
	parts := strings.SplitAfter(strings.TrimSuffix(got.String(), "\n"), "\n")
	for i, line := range parts {
		var n int
		if i+1 < len(parts) && strings.HasPrefix(parts[i+1], "[… ") && len(line) < 16 {
			continue // half of it had been written when the reader was overtaken
		}
		if strings.HasPrefix(line, "[… ") {
			marks++
			next = -1
			continue
		}
		if _, err := fmt.Sscanf(line, "line %d", &n); err != nil || len(strings.TrimSuffix(line, "\n")) != 15 || n <= last || next >= 0 && n != next {
			t.Fatalf("got %.40q after %d marks, want line %d", line, marks, next)
		}
		next, last = n+1, n
	}
	if next != lines {
		t.Errorf("the last line is %d, want %d", next-1, lines-1)
	}
	t.Logf("%d lines read, overtaken %d times", bytes.Count(got.Bytes(), []byte("line ")), marks)
}

func TestOpenOutputOfNothing(t *testing.T) {
	p := newPrinted(t, 0)
	if _, err := jobs.OpenOutput(p.dir, &jobs.Job{ID: "other", Attempt: 1, Log: "logs/other.log"}, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want %v", err, fs.ErrNotExist)
	}
	if err := os.Mkdir(filepath.Join(p.dir, "logs", "other.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := jobs.OpenOutput(p.dir, &jobs.Job{ID: "other", Attempt: 1, Log: "logs/other.log"}, 1); !errors.Is(err, jobs.ErrNoRegularFile) {
		t.Errorf("got %v, want %v", err, jobs.ErrNoRegularFile)
	}
}

func TestParseCut(t *testing.T) {
	for _, c := range []jobs.Cut{jobs.NewCut(jobs.MinLog), jobs.NewCut(10 << 20).Grown(5 << 30), jobs.NewCut(1 << 62).Grown(1<<63 - 1)} {
		if got, ok := jobs.ParseCut(c.Bytes()); !ok || got != c {
			t.Errorf("got %+v, %v; want %+v", got, ok, c)
		}
	}
	whole := jobs.NewCut(1 << 20).Grown(1 << 30).Bytes()
	for i := range whole {
		if c, ok := jobs.ParseCut(whole[:i]); ok {
			t.Errorf("%d bytes were read as %+v", i, c)
		}
		torn := bytes.Clone(whole)
		torn[i]++
		if c, ok := jobs.ParseCut(torn); ok {
			t.Errorf("with another byte %d it was read as %+v", i, c)
		}
	}
}
