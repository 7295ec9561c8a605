package config

import (
	"math"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

// retention reads how long ended jobs are kept: the word forever, or a mapping.
func (d *decoder) retention(dst *jobs.Retention) func(value) {
	const forever = "forever"
	return func(v value) {
		if v.node.Kind != yaml.ScalarNode {
			d.fields(v, fields{
				"age":  d.duration(&dst.Age, 0),
				"jobs": d.whole(&dst.Jobs, 0, math.MaxInt32),
			})
			return
		}
		const hint = "write it as {age: 720h, jobs: 10000}, or forever"
		word, ok := d.text(v, "a mapping or the word forever", hint)
		switch {
		case !ok:
		case word == forever:
			dst.Forever = true
		default:
			d.fault(v, "has no value "+show(word), hint)
		}
	}
}
