package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

const (
	// minMemory is less than any interpreter starts with: who writes less has
	// forgotten the unit.
	minMemory = 1 << 20
	// minProcessors is what the system can still measure out.
	minProcessors = 0.01
	maxProcessors = 10_000
)

func (d *decoder) nice(dst **int) func(value) {
	return func(v value) {
		if n, ok := d.number(v, -20, 19); ok {
			nice := int(n)
			*dst = &nice
		}
	}
}

func (d *decoder) memory(dst *int64) func(value) {
	return func(v value) {
		var n int64
		if d.size(&n)(v); n > 0 && n < minMemory {
			d.fault(v, "must be at least 1MiB", "write it as 512MiB or 4GiB")
			return
		}
		*dst = n
	}
}

func (d *decoder) maxLog(dst *int64) func(value) {
	return func(v value) {
		var n int64
		if d.size(&n)(v); n > 0 && n < jobs.MinLog {
			d.fault(v, "must be at least "+jobs.ExactSize(jobs.MinLog), "write it as 10MiB or 1GiB")
			return
		}
		*dst = n
	}
}

func (d *decoder) processors(dst *float64) func(value) {
	return func(v value) {
		n, ok := d.real(v, "a number of processors", "write it as 0.5 or 2")
		switch {
		case !ok:
		case n < minProcessors || n > maxProcessors:
			d.fault(v, fmt.Sprintf("must be %v to %d, is %s", minProcessors, maxProcessors, v.node.Value), "")
		default:
			*dst = n
		}
	}
}

// realForm leaves out what only YAML takes for a number: 0x1f, .inf, 1_000.
var realForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func (d *decoder) real(v value, want, hint string) (float64, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Tag != "!!int" && v.node.Tag != "!!float" {
		if v.node.Kind == yaml.ScalarNode && realForm.MatchString(v.node.Value) {
			hint = "remove the quotes"
		}
		d.wrongKind(v, want, hint)
		return 0, false
	}
	if d.done[v.node] {
		return 0, false
	}
	n, err := strconv.ParseFloat(v.node.Value, 64)
	if err != nil || math.IsInf(n, 0) || !realForm.MatchString(v.node.Value) {
		d.fault(v, fmt.Sprintf("must be %s, is %s", want, v.node.Value), hint)
		return 0, false
	}
	return n, true
}
