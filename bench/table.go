//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// table is what all rounds of a measure of jobrunner itself have brought.
type table struct {
	title   string
	first   string   // what its rows are
	figures []string // in the order in which they are printed
	base    string   // the row with which the others are compared; "" if none is
	rows    []string // in the order in which they were first noted
	got     map[string][]figures
}

func (t *table) note(row string, f figures) {
	if t.got == nil {
		t.got = map[string][]figures{}
	}
	if !slices.Contains(t.rows, row) {
		t.rows = append(t.rows, row)
	}
	t.got[row] = append(t.got[row], f)
}

// print prints the medians of the rounds, and in brackets how they compare with
// those of the base, as the median of the ratios within a round.
func (t *table) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s\n", t.title)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", t.first, strings.Join(t.figures, "\t"))
	for _, row := range t.rows {
		fmt.Fprint(w, row)
		for _, name := range t.figures {
			fmt.Fprint(w, "\t", t.cell(row, name))
		}
		fmt.Fprintln(w)
	}
	w.Flush()
	if t.base != "" {
		fmt.Fprintf(out, "in brackets: the ratio to %s\n", t.base)
	}
}

func (t *table) cell(row, name string) string {
	var values, ratios []float64
	for i, f := range t.got[row] {
		v, ok := f[name]
		if !ok {
			continue
		}
		values = append(values, v)
		if base := t.got[t.base]; i < len(base) && base[i][name] > 0 {
			ratios = append(ratios, v/base[i][name])
		}
	}
	text := number(median(values))
	if ratio := median(ratios); row != t.base && !math.IsNaN(ratio) {
		text += fmt.Sprintf(" (%.2f)", ratio)
	}
	return text
}

// thousands writes a count with commas between.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
