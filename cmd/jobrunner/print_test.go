package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// On a terminal output may colour and nothing else, however it is cut into
// pieces; colours that are left on are ended.
func TestHarmlessOutput(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain\tü\r\n", "plain\tü\r\n"},
		{"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"},
		{"\x1b[2J\x1b[Htop", "top"},
		{"\x1b]0;title\x07after", "after"},
		{"\x1b]52;c;cm0gLXJm\x1b\\after", "after"},
		{"\x1bP1$r0m\x1b\\after", "after"},
		{"50%\x1b[K\rdone", "50%\rdone"},
		{"a\x00b\x07c\x08d\x7f", "a?b?c?d?"},
		{"c1 \u009b31m", "c1 ?31m"},
		{"bad \xff\xc3", "bad ??"},
		{"bidi \u202e", "bidi ?"},
		{"\x1b", "?"},
		{"\x1b[12;", "?[12;"},
		{"\x1bcreset\x1b(B", "reset"},
		{"\x1b[31m\x1b[?1049h", "\x1b[31m\x1b[0m"},
	} {
		for size := 1; size <= len(c.in); size++ {
			var b strings.Builder
			w := &logWriter{out: &b, terminal: true}
			for rest := c.in; rest != ""; {
				n := min(size, len(rest))
				if _, err := w.Write([]byte(rest[:n])); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if b.String() != c.want {
				t.Errorf("%q in pieces of %d: got %q, want %q", c.in, size, b.String(), c.want)
			}
		}
	}
	if got, want := plain("\x1b[31mred\x1b[0m \x1b[Kline"), "red line"; got != want {
		t.Errorf("plain: got %q, want %q", got, want)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"short", 5, "short"},
		{"longer", 5, "long…"},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"é́é́é", 2, "é́…"},
		{"🚀 go", 4, "🚀 …"},
		{"✅⚡🚀", 6, "✅⚡🚀"},
		{"✅⚡🚀", 5, "✅⚡…"},
		{"▶✓━…", 4, "▶✓━…"},
		{"x", 0, "…"},
	} {
		got := cut(c.text, c.width, "…")
		if got != c.want {
			t.Errorf("%q in %d columns: got %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestTimesInWords(t *testing.T) {
	for _, c := range []struct {
		d         time.Duration
		span, age string
	}{
		{-time.Second, "0.0s", "now"},
		{1540 * time.Millisecond, "1.5s", "1s"},
		{59 * time.Second, "59s", "59s"},
		{61 * time.Second, "1m01s", "1m"},
		{3*time.Hour + 4*time.Minute, "3h04m", "3h"},
		{50 * time.Hour, "2d02h", "2d"},
	} {
		if got := span(c.d); got != c.span {
			t.Errorf("span of %s: got %q, want %q", c.d, got, c.span)
		}
		if got := age(c.d); got != c.age {
			t.Errorf("age of %s: got %q, want %q", c.d, got, c.age)
		}
	}
}

// What flows over several lines is on none of them wider than the terminal.
func TestFlowOnNarrowTerminal(t *testing.T) {
	s, _ := onScreen(t, 10, 5)
	lines := flow(s, []cell{{text: "a-long-name 1 of 2"}, {text: "b 0"}, {text: "c 1"}}, 10)
	if want := []string{"a-long-na…", "b 0   c 1"}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

// The time that is left reads as one also when a job should have ended by now.
func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		left         time.Duration
		source, want string
	}{
		{0, jobs.ETARate, "0s"},
		{900 * time.Millisecond, jobs.ETARate, "0s"},
		{0, jobs.ProgressHistory, "~0s"},
		{9 * time.Second, jobs.ETARate, "9s"},
		{90 * time.Second, jobs.ProgressHistory, "~1m30s"},
	} {
		if got := timeLeft(&jobs.Progress{ETA: &c.left, ETASource: c.source}); got != c.want {
			t.Errorf("%s by %s: got %q, want %q", c.left, c.source, got, c.want)
		}
	}
}

// Foreign text reaches neither the shape of a table nor the terminal.
func TestTableOfForeignText(t *testing.T) {
	j := &jobs.Job{
		ID: "3f2a91c0-0000-4000-8000-000000000000", State: jobs.Failed, Type: "t\x1b[2J", Target: "x\ny.py",
		Args: []string{"\x1b]0;x\x07", "a b"}, Name: "n\r", Reason: "exit 1\u202e", SubmittedAt: time.Unix(1, 0),
	}
	s := newScreen(new(strings.Builder))
	lines := jobTable(s, []*jobs.Job{j}, nil, time.Unix(100, 0)).lines(s)
	want := "3f2a91c0  FAILED  t?[2J  n?: x?y.py '?]0;x?' 'a b'  1970-01-01T00:00:01.000Z  -     exit 1?"
	if len(lines) != 2 || lines[1] != want {
		t.Errorf("got %q\nwant %q", lines, want)
	}
}

func TestExitCodeOf(t *testing.T) {
	code := func(n int) *int { return &n }
	for _, c := range []struct {
		job  jobs.Job
		want int
	}{
		{jobs.Job{State: jobs.Completed, ExitCode: code(0)}, 0},
		{jobs.Job{State: jobs.Completed, ExitCode: code(3)}, 3},
		{jobs.Job{State: jobs.Completed}, 0},
		{jobs.Job{State: jobs.Failed, ExitCode: code(7)}, 7},
		{jobs.Job{State: jobs.Failed, Reason: "start: x not found in PATH"}, 1},
		{jobs.Job{State: jobs.Timeout, ExitCode: code(0)}, 1},
		{jobs.Job{State: jobs.Cancelled, ExitCode: code(143)}, 143},
		{jobs.Job{State: jobs.Lost}, 1},
		{jobs.Job{State: jobs.Rejected}, 1},
	} {
		if got := exitCodeOf(&c.job); got != c.want {
			t.Errorf("%s %v: got %d, want %d", c.job.State, fmt.Sprint(c.job.Reason), got, c.want)
		}
	}
}

// Bars of a job look on a terminal as they would if it ran there, and reach
// nothing but what the job itself has written.
func TestBarsOfOutput(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"tqdm", "a:  0%|  |\ra: 50%|# |\ra: 100%|##|\ndone\n", "above\na: 100%|##|\ndone"},
		{"tqdm, nested", "\rout 0%\n\rin 50%\x1b[A\rout 50%\n\rin 100%\x1b[A\rout 100%\n\n", "above\nout 100%\nin 100%"},
		{"rich", "one 1\ntwo 2\r\x1b[2K\x1b[1A\x1b[2Kone 3\ntwo 4\n", "above\none 3\ntwo 4"},
		{"keras", "1/9 loss 0.5\b\b\b\b\b\b\b\b\b\b\b\b\r2/9 loss 0.4\n", "above\n2/9 loss 0.4"},
		{"shorter", "a long line\r\x1b[Kshort\n", "above\nshort"},
		{"columns", "abc\x1b[2Dx\x1b[1Gy\x1b[4Cz\n", "above\nyxc  z"},
		{"too far up", "\x1b[5A\x1b[Fbelow\n\x1b[9Aover\n", "above\noverw"},
		{"backwards", "\b\b\b\b\b\b\bx\n", "above\nx"},
		{"of the screen", "\x1b[2J\x1b[H\x1b[1;1Hstill below\x1b[1J\n", "above\nstill below"},
		{"left above", "one\ntwo\x1b[A", "above\none\ntwo"},
	} {
		v := newVT(20, 6)
		v.Write([]byte("above\r\n"))
		w := &logWriter{out: lineFeeds{v}, terminal: true, moves: true}
		if _, err := w.Write([]byte(c.in)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := v.String(); got != c.want || len(v.unknown) > 0 {
			t.Errorf("%s: got\n%s\nwant\n%s\nnot known: %q", c.name, got, c.want, v.unknown)
		}
	}
}

// lineFeeds is what the system makes of a line's end on its way to a terminal.
type lineFeeds struct{ v *vt }

func (f lineFeeds) Write(p []byte) (int, error) {
	_, err := f.v.Write([]byte(strings.ReplaceAll(string(p), "\n", "\r\n")))
	return len(p), err
}
