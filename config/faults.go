package config

import (
	"cmp"
	"slices"
	"strings"

	"jobrunner/jobs"
)

// Faults is everything that is wrong with one file, in the order of its lines.
type Faults []*jobs.Fault

// Error gives one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b *jobs.Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
