//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// describe prints on what machine the figures were made.
func describe(out io.Writer) {
	var u unix.Utsname
	_ = unix.Uname(&u) // what it does not know is left out
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	fmt.Fprintf(out, "%d processors, %s, Linux %s, %s\n", runtime.NumCPU(), model,
		unix.ByteSliceToString(u.Release[:]), runtime.Version())
}

// tally is what all rounds of one comparison have brought.
type tally struct {
	comparison
	rounds  int
	order   []*system
	got     map[*system][]figures
	skipped map[*system]string
}

func newTally(c comparison, rounds int) *tally {
	return &tally{comparison: c, rounds: rounds, got: map[*system][]figures{}, skipped: map[*system]string{}}
}

func (t *tally) note(s *system, f figures) {
	if t.got[s] == nil {
		t.order = append(t.order, s)
	}
	t.got[s] = append(t.got[s], f)
}

func (t *tally) skip(s *system, why string) { t.skipped[s] = why }

// print prints a row a system: the median of each figure, and how the first one
// compares with each system that was measured in the same round, as the median of
// the ratios and their spread.
func (t *tally) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s: %s; medians of %d rounds\n", t.name, t.words, t.rounds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "system\t%s\t%s / that of spawn (least…most)\tof xargs\tof task-spooler\tnote\n",
		strings.Join(t.figures, "\t"), t.figures[0])
	for _, s := range t.order {
		fmt.Fprint(w, s.name)
		for _, name := range t.figures {
			fmt.Fprint(w, "\t", number(median(t.values(s, name))))
		}
		fmt.Fprintf(w, "\t%s", t.ratio(s, "spawn", true))
		fmt.Fprintf(w, "\t%s\t%s\t%s\n", t.ratio(s, "xargs", false), t.ratio(s, "task-spooler", false), s.note)
	}
	w.Flush()
	for _, s := range systems {
		if why := t.skipped[s]; why != "" {
			fmt.Fprintf(out, "%s is left out: %s\n", s.name, why)
		}
	}
}

func (t *tally) values(s *system, name string) (all []float64) {
	for _, f := range t.got[s] {
		if v, ok := f[name]; ok {
			all = append(all, v)
		}
	}
	return all
}

// ratio is how the first figure of s compares with that of another system, round
// by round; "-" where that was not measured.
func (t *tally) ratio(s *system, other string, spread bool) string {
	for _, o := range t.order {
		if o.name != other {
			continue
		}
		mine, theirs := t.values(s, t.figures[0]), t.values(o, t.figures[0])
		var all []float64
		for i := range min(len(mine), len(theirs)) {
			all = append(all, mine[i]/theirs[i])
		}
		if len(all) == 0 {
			return "-"
		}
		text := fmt.Sprintf("%.2f", median(all))
		if spread {
			text += fmt.Sprintf(" (%.2f…%.2f)", slices.Min(all), slices.Max(all))
		}
		return text
	}
	return "-"
}

// median is NaN of nothing.
func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
