package progress_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
	"jobrunner/progress"
)

// Pieces may end anywhere: what is found at the end is the same.
func TestPieces(t *testing.T) {
	files, err := filepath.Glob("testdata/*.log")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %q, %v", files, err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		whole := progress.New(jobs.ProgressRule{}, start)
		whole.Write(data, start)
		want := show(whole.Progress(after(time.Minute)))
		for _, size := range []int{1, 2, 3, 7, 64, 512, 513, 4096} {
			d := progress.New(jobs.ProgressRule{}, start)
			for i := 0; i < len(data); i += size {
				d.Write(data[i:min(len(data), i+size)], start)
			}
			if got := show(d.Progress(after(time.Minute))); got != want {
				t.Errorf("%s in pieces of %d: got %s, want %s", path, size, got, want)
			}
		}
	}
}

// lineEnds are outputs whose last word on the progress is 42 percent, said in
// ways that cut lines, characters and escape sequences.
var lineEnds = map[string][]string{
	"CRLF cut in two":               {"@progress 42%\r", "\n"},
	"CRLF is no redraw":             {"@progress 42%\r\n", "accuracy 45%\r", "\n", "loss 3%\r\n"},
	"redraw at the end of a piece":  {"x 41%\r", "x 42%\r", "\n"},
	"a character cut in two":        {"x \xe2\x96", "\x88 42%\r"},
	"a sequence cut in two":         {"\x1b", "[3", "1mx 42%\x1b", "[0m\r"},
	"a command cut in two":          {"\x1b]", "9;4;", "1;4", "2\x1b", "\\"},
	"an OSC that goes on and on":    {"\x1b]2;" + strings.Repeat("x", 5000) + "\x07@progress 42%\n"},
	"an OSC without an end":         {"\x1b]2;title\n@progress 42%\n"},
	"a DCS without an end":          {"\x1bPq#0\r\n@progress 42%\r\n"},
	"a DCS with an end":             {"\x1bPq 99%\x1b\\@progress 42%\n"},
	"a sequence that breaks off":    {"\x1b[31\n@progress 42%\n"},
	"another sequence in an OSC":    {"\x1b]2;title\x1b[0m@progress 42%\n"},
	"a sequence that is cancelled":  {"\x1b[31\x18@progress 42%\n"},
	"a charset":                     {"\x1b(B@progress 42%\x1b(0\n"},
	"a cursor that is saved":        {"\x1b7\x1b[24;0fx 42%\x1b8"},
	"a cursor that goes forward":    {"@progress\x1b[3C42%\n"},
	"erased behind every word":      {"@progress \x1b[K42%\x1b[m\x1b[K\n"},
	"private modes":                 {"\x1b[?25l@progress 42%\x1b[?25h\n"},
	"backspaces":                    {"x 41%\b\b\b\b\b\b\rx 42%\b\b\b\b\b\r"},
	"a mark of byte order in words": {"@progress 42% \ufeff\n"},
	"NULs around":                   {"\x00\x00@progress 42%\x00\n"},
	"an unfinished line":            {"@progress 41%\n@progress 42%"},
	"an unfinished redraw":          {"\rx 41%\rx 42%"},
}

func TestLineEnds(t *testing.T) {
	for name, pieces := range lineEnds {
		d := progress.New(jobs.ProgressRule{}, start)
		for _, piece := range pieces {
			d.Write([]byte(piece), start)
		}
		p := d.Progress(after(2 * time.Second))
		if p == nil || p.Percent == nil || *p.Percent != 42 {
			t.Errorf("%s: got %s, want 42 %%", name, show(p))
		}
	}
}

// An unfinished line counts once it has stood for a second, and is no other when
// it goes on.
func TestUnfinished(t *testing.T) {
	d := progress.New(jobs.ProgressRule{Pattern: pattern(`done (?P<percent>\d+)`)}, start)
	d.Write([]byte("done 4"), start)
	if p := d.Progress(after(time.Second / 2)); p != nil {
		t.Errorf("after half a second: got %s", show(p))
	}
	d.Write([]byte("2"), after(time.Second))
	want(t, d.Progress(after(2*time.Second)), 42, "done 42", jobs.ProgressPattern)
	d.Write([]byte(" files\n"), after(3*time.Second))
	want(t, d.Progress(after(3*time.Second)), 42, "done 42", jobs.ProgressPattern)
}

// The end of a line that comes in two pieces draws nothing over itself.
func TestCutCRLF(t *testing.T) {
	d := progress.New(jobs.ProgressRule{}, start)
	for i := range 5 {
		d.Write([]byte("accuracy: 4"+itoa(i)+"%\r"), start)
		if p := d.Progress(start); p != nil {
			t.Errorf("got %s", show(p))
		}
		d.Write([]byte("\n"), start)
	}
	if p := d.Progress(after(time.Minute)); p != nil {
		t.Errorf("got %s", show(p))
	}
}

// Behind a gap the rest of a line is not read, nor what began before it.
func TestSkip(t *testing.T) {
	for name, row := range map[string]struct {
		before, behind string
		percent        float64
	}{
		"in a line":         {"@progress 10%\n@progress 4", "2%\n", 10},
		"in a redraw":       {"\rx 10%\rx 4", "2%\r", 10},
		"in a sequence":     {"@progress 10%\n\x1b[3", "1m@progress 42%\n", 10},
		"in a command":      {"@progress 10%\n\x1b]9;4;1;4", "2\x07\n", 10},
		"and a new line":    {"@progress 10%\n", "42%\n@progress 20%\n", 20},
		"and a new command": {"@progress 10%\n", "x\n\x1b]9;4;1;20\x07", 20},
	} {
		d := progress.New(jobs.ProgressRule{}, start)
		d.Write([]byte(row.before), start)
		d.Skip()
		d.Write([]byte(row.behind), start)
		p := d.Progress(after(time.Minute))
		if p == nil || *p.Percent != row.percent {
			t.Errorf("%s: got %s, want %v %%", name, show(p), row.percent)
		}
	}
}

// A look at head and tail finds what is known from both.
func TestGlance(t *testing.T) {
	out := progress.Output{
		Head: []byte("Countdown: 100\nCountdown: 99\nCount"), Tail: []byte("n: 50\nCountdown: 40\nCountdown: 39"),
		WrittenAt: after(time.Minute), StartedAt: start,
	}
	rule := jobs.ProgressRule{Pattern: pattern(`Countdown: (?P<left>\d+)`)}
	p := progress.Glance(rule, out, after(time.Minute+5*time.Second))
	want(t, p, 61, "Countdown: 39", jobs.ProgressPattern)
	out.File, out.FileAt = []byte("70%"), after(time.Minute)
	want(t, progress.Glance(rule, out, after(time.Hour)), 70, "", jobs.ProgressFile)
	if p := progress.Glance(rule, progress.Output{}, start); p != nil {
		t.Errorf("of nothing: got %s", show(p))
	}
}

// Whatever comes, memory stays small: lines without an end, rubbish, carriage
// returns, bars of ever new names.
func TestMemory(t *testing.T) {
	const size = 4 << 20
	random := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{1}).Read(random)
	for name, piece := range map[string]func(i int) []byte{
		"a line without an end":    func(int) []byte { return bytes.Repeat([]byte("x 45% "), 10000) },
		"rubbish":                  func(int) []byte { return random },
		"carriage returns":         func(int) []byte { return bytes.Repeat([]byte("\r"), 1<<16) },
		"bars without an end":      func(i int) []byte { return []byte(tqdm("x", i%100, 100)) },
		"bars of ever new names":   func(i int) []byte { return []byte(tqdm(strings.Repeat(itoa(i), 30), i%100, 100+i)) },
		"sequences without an end": func(int) []byte { return bytes.Repeat([]byte("\x1b]9;4;\x1b[1;2;"), 5000) },
	} {
		d := progress.New(jobs.ProgressRule{}, start)
		before := heap()
		for i, n := 0, 0; n < size && i < 20000; i++ {
			p := piece(i)
			n += len(p)
			d.Write(p, after(time.Duration(i)*time.Second))
			if i%100 == 0 {
				d.Progress(after(time.Duration(i) * time.Second))
			}
		}
		if grown := heap() - before; grown > 256<<10 {
			t.Errorf("%s: %d KiB are kept", name, grown>>10)
		}
		d.Progress(start) // it lives until here
	}
}

// heap gives how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A plain line costs no memory.
func TestPlainLinesAllocateNothing(t *testing.T) {
	var text []byte
	for i := range 100 {
		text = append(text, fmt.Sprintf("2026-11-28 10:12:13 \x1b[32mINFO\x1b[0m request %d of /a/%d took %d ms\r\n", i, i, i)...)
	}
	d := progress.New(jobs.ProgressRule{}, start)
	if n := testing.AllocsPerRun(10, func() { d.Write(text, start) }); n > 0 {
		t.Errorf("100 lines: %v allocations", n)
	}
}
