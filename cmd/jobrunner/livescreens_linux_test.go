package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"jobrunner/jobs"
)

// busyConfig has jobs that print what is appended to a file.
const busyConfig = `listen: ""
max_concurrent: 3
types:
  step: {command: [sh, -c, 'exec tail -n +1 -f "$0"']}
  fail: {command: [sh, -c, 'echo "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 23.99 GiB total capacity)"; exit 1']}
`

// newBusyWorld is a daemon with three jobs that run, two that wait and one that
// failed. It gives the ids of the five.
func newBusyWorld(t *testing.T) (w *world, ids []string) {
	t.Helper()
	w = newWorld(t, map[string]string{
		"jobrunner.yaml": busyConfig,
		"a":              "@progress 25% epoch 1/4\n",
		"b":              "no word of progress\n",
		"c":              "@progress 50% half of a long story that does not fit on any line\n",
		"waits":          "",
	})
	w.start()
	w.try("add", "--wait", "fail")
	for _, args := range []string{"a", "b", "c a-long-argument another-long-argument 日本語 --and=more", "waits first", "waits second"} {
		ids = append(ids, strings.TrimSpace(w.run(append([]string{"add", "step"}, strings.Fields(args)...)...)))
	}
	w.until("three run and have printed", func() error {
		out := w.run("list", "--state", "running")
		if strings.Count(out, "RUNNING") != 3 || !strings.Contains(out, "25%") || !strings.Contains(out, "50%") {
			return fmt.Errorf("running are\n%s", out)
		}
		return nil
	})
	return w, ids
}

// A list, an overview and the table of top show how a job comes on, at the usual
// sizes and when the window is pulled to another one, and leave the terminal as
// it was, however they are ended.
func TestLiveScreens(t *testing.T) {
	t.Parallel()
	w, _ := newBusyWorld(t)
	step := 25
	for _, c := range []struct {
		verb   []string
		seen   []string // beside the job that comes on
		wide   string   // seen only where there is room
		last   bool     // the last frame stays
		ending func(*console)
	}{
		{[]string{"list", "--watch"}, []string{"6 jobs", "REASON", "✗ FAILED", "◌ PENDING"}, "epoch 1/4", true,
			func(c *console) { c.press("\x03") }},
		{[]string{"status", "--watch"}, []string{"✓ daemon running", "▶ 3 of 3 RUNNING", "NEXT UP", "NEEDS EYES", "CUDA out of memory"}, "SAYS", true,
			func(c *console) { _ = c.cmd.Process.Signal(syscall.SIGTERM) }},
		{[]string{"top", "-d", "500ms"}, []string{"3 running, 2 waiting", "NEXT UP", "q quit"}, "SAYS", false,
			func(c *console) { c.press("q") }},
		{[]string{"top"}, []string{"q quit"}, "SAYS", false, func(c *console) { c.press("\x03") }},
		{[]string{"top"}, []string{"q quit"}, "SAYS", false,
			func(c *console) { _ = c.cmd.Process.Signal(syscall.SIGTERM) }},
		{[]string{"top"}, []string{"q quit"}, "SAYS", false,
			func(c *console) { _ = c.cmd.Process.Signal(syscall.SIGHUP) }},
	} {
		name := strings.Join(c.verb, " ")
		console := w.onConsole(80, 24, nil, c.verb...)
		console.seeAll(append(c.seen, fmt.Sprintf("%d%%", step))...)
		step++
		w.grow("a", fmt.Sprintf("@progress %d%% epoch 1/4\n", step))
		lines := console.seeAll(append(c.seen, fmt.Sprintf("%d%%", step))...)
		if strings.Contains(strings.Join(lines, "\n"), c.wide) {
			t.Errorf("%s shows %q at 80 columns:\n%s", name, c.wide, strings.Join(lines, "\n"))
		}
		console.resize(120, 40)
		console.seeAll(append(c.seen, c.wide)...)
		console.resize(80, 24)
		lines = console.see("the narrow frame is back", func(lines []string) string {
			if text := strings.Join(lines, "\n"); strings.Contains(text, c.wide) || !strings.Contains(text, c.seen[0]) {
				return "not as before"
			}
			return ""
		})
		c.ending(console)
		if code := console.exit(); code != 0 {
			t.Errorf("%s ended with exit code %d", name, code)
		}
		if left := console.screen.lines(); c.last != (place(left, c.seen[0]) >= 0) {
			t.Errorf("%s leaves\n%s\nand showed\n%s", name, strings.Join(left, "\n"), strings.Join(lines, "\n"))
		}
	}
}

// Keys sort and scroll the table of top.
func TestTopKeys(t *testing.T) {
	t.Parallel()
	w, _ := newBusyWorld(t)
	c := w.onConsole(80, 24, nil, "top")
	order := func(words ...string) {
		t.Helper()
		c.see(fmt.Sprintf("%q stand in this order", words), func(lines []string) string {
			before := 0
			for _, word := range words {
				at := place(lines, word)
				if at <= before {
					return fmt.Sprintf("%q is in line %d", word, at)
				}
				before = at
			}
			return ""
		})
	}
	byStart := namesIn(c.seeAll("step a", "step b", "step c"))
	c.press("p")
	order("step c", "step a", "step b")
	c.press("tx")
	order(byStart...)
	c.resize(80, 8) // too small for all
	order(byStart[0], "q quit")
	c.press("\x1b[B")
	order(byStart[1], "q quit")
	c.press("k")
	order(byStart[0], "q quit")
	c.resize(30, 4)
	c.see("what fits is there", func(lines []string) string {
		if len(lines) != 4 || !strings.HasPrefix(lines[3], "q quit") {
			return "no line with the keys"
		}
		return ""
	})
	c.press("q")
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// namesIn gives the names of running jobs in the order of their lines.
func namesIn(lines []string) []string {
	names := []string{"step a", "step b", "step c"}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(place(lines, a+" "), place(lines, b+" ")) })
	return names
}

// A terminal that has neither glyphs nor colours is given letters alone.
func TestSimpleScreens(t *testing.T) {
	t.Parallel()
	w, _ := newBusyWorld(t)
	out := w.onTerminal([]string{"LC_ALL=C", "NO_COLOR=1"}, "status")
	for _, r := range strings.ReplaceAll(out, "日本語", "") { // what a job is called is not ours
		if (r < ' ' || r > '~') && r != '\r' && r != '\n' {
			t.Errorf("%q in %q", r, out)
			break
		}
	}
	for _, want := range []string{"[#-----]   25%", "> ", ". ", "x ", "~"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// grow appends to a file.
func (w *world) grow(name, text string) {
	w.Helper()
	f, err := os.OpenFile(w.path(name), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.WriteString(text)
		f.Close()
	}
	if err != nil {
		w.Fatal(err)
	}
}

// While something is waited for, a line shows how far it has come, and terminals
// that know how are told so, too. Both are gone at the end.
func TestWaitLine(t *testing.T) {
	t.Parallel()
	w, ids := newBusyWorld(t)
	a, b, first := ids[0], ids[1], ids[3]
	one := w.onConsole(80, 24, []string{"TERM_PROGRAM=ghostty"}, "wait", a)
	one.seeAll("▶ "+short(a)+"  step a", "25%", "epoch 1/4")
	several := w.onConsole(80, 24, []string{"TERM_PROGRAM=unknown"}, "wait", a, b, first)
	several.seeAll(" 8%  0 of 3 ended, 2 running, 1 waiting")
	w.grow("a", "@progress 50% epoch 2/4\n")
	one.seeAll("50%", "epoch 2/4")
	several.seeAll(" 16%  0 of 3 ended")
	interrupted := w.onConsole(80, 24, []string{"VTE_VERSION=8000"}, "wait", first)
	interrupted.seeAll("◌ "+short(first), "waits: limit: 3 of 3 running")
	interrupted.press("\x03")
	if code := interrupted.exit(); code != exitInterrupted || interrupted.screen.String() != "" {
		t.Errorf("interrupted: exit code %d, left %q", code, interrupted.screen)
	}
	w.run("cancel", a)
	if code := one.exit(); code != 128+15 {
		t.Errorf("exit code %d, want that of SIGTERM", code)
	}
	if got, want := one.screen.String(), short(a)+" CANCELLED: cancelled by request"; got != want {
		t.Errorf("left %q, want %q", got, want)
	}
	told := strings.Join(one.screen.commands, " ")
	if !strings.HasPrefix(told, "9;4;1;25 ") || !strings.HasSuffix(told, "9;4;1;50 9;4;0") {
		t.Errorf("the terminal was told %q, want 25, …, 50, and that it is over", told)
	}
	if got, want := interrupted.screen.commands, []string{"9;4;3", "9;4;0"}; !slices.Equal(got, want) {
		t.Errorf("the terminal was told %q, want %q", got, want)
	}
	several.seeAll("1 of 3 ended")
	w.run("cancel", b, first)
	if code := several.exit(); code != exitFailed {
		t.Errorf("several: exit code %d, want %d", code, exitFailed)
	}
	if got := several.screen.lines(); len(got) != 3 || len(several.screen.commands) > 0 {
		t.Errorf("several: left %q, told %q; want a line for each job", got, several.screen.commands)
	}
}

// Output that is followed is drawn as the job draws it, and ends with how the job
// ended.
func TestFollowOnTerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"jobrunner.yaml": busyConfig, "bar": "begin\n"})
	w.start()
	id := strings.TrimSpace(w.run("add", "step", "bar"))
	w.until("it runs", func() error {
		if j := w.job(id); j.State != jobs.Running {
			return fmt.Errorf("it is %s", j.State)
		}
		return nil
	})
	c := w.onConsole(80, 24, nil, "logs", "-f", id)
	c.seeAll("begin")
	for _, part := range []string{"\r  0%|    | 0/2", "\r 50%|##  | 1/2 [00:01<00:01]", "\r100%|####| 2/2 \x1b[K\x1b]0;title\x07"} {
		w.grow("bar", part)
		c.see("the bar is drawn over itself", func(lines []string) string {
			if len(lines) != 2 || !strings.HasPrefix(lines[1], strings.Trim(part[:5], "\r")) {
				return "not as it should be"
			}
			return ""
		})
	}
	w.run("cancel", id)
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	lines := c.screen.lines()
	if len(lines) != 3 || lines[1] != "100%|####| 2/2" || !strings.HasPrefix(lines[2], short(id)+" CANCELLED: cancelled by request, ran ") {
		t.Errorf("left %q", lines)
	}
	if len(c.screen.commands) > 0 {
		t.Errorf("let through %q", c.screen.commands)
	}
}
