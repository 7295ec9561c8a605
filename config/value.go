package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// text gives the value if it is text; other scalars are not taken for text,
// because YAML may have meant something else than was written.
func (d *decoder) text(v value, want, hint string) (string, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Tag != "!!str" {
		if hint == "" && v.node.Kind == yaml.ScalarNode && v.node.Tag != "!!null" {
			hint = "put it in quotes"
		}
		d.wrongKind(v, want, hint)
		return "", false
	}
	return d.withoutNUL(v)
}

// word gives any scalar as it is written: 0.10 stays 0.10.
func (d *decoder) word(v value, want string) (string, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Tag == "!!null" {
		hint := ""
		if v.node.Tag == "!!null" {
			hint = `"" is the empty text`
		}
		d.wrongKind(v, want, hint)
		return "", false
	}
	return d.withoutNUL(v)
}

func (d *decoder) withoutNUL(v value) (string, bool) {
	if d.done[v.node] {
		return "", false
	}
	if strings.ContainsRune(v.node.Value, 0) {
		d.fault(v, "holds a NUL, which no name or argument can", "")
		return "", false
	}
	return v.node.Value, true
}

func (d *decoder) path(dst *string, empty string) func(value) {
	return func(v value) {
		path, ok := d.text(v, "text", "")
		switch {
		case !ok:
		case path == "":
			d.fault(v, "must not be empty", empty)
		case strings.HasPrefix(path, "~/"):
			d.fault(v, "~ is not expanded", "write the path out")
		default:
			*dst = path
		}
	}
}

// folder is a path that is made absolute at once.
func (d *decoder) folder(dst *string) func(value) {
	return func(v value) {
		var path string
		if d.path(&path, `"." is the folder of jobrunner.yaml`)(v); path != "" {
			*dst = below(d.dir, path)
		}
	}
}

// filePath is the path of a file that is made absolute at once.
func (d *decoder) filePath(dst *string) func(value) {
	return func(v value) {
		var path string
		if d.path(&path, "")(v); path != "" {
			*dst = below(d.dir, path)
		}
	}
}

func (d *decoder) description(dst *string) func(value) {
	return func(v value) {
		if text, ok := d.text(v, "text", ""); ok {
			*dst = text
		}
	}
}

func (d *decoder) truth(dst *bool) func(value) {
	return func(v value) {
		if v.node.Kind != yaml.ScalarNode || v.node.Tag != "!!bool" {
			hint := map[string]string{"yes": "write true", "on": "write true", "no": "write false", "off": "write false"}
			d.wrongKind(v, "true or false", hint[strings.ToLower(v.node.Value)])
			return
		}
		*dst = strings.EqualFold(v.node.Value, "true")
	}
}

func (d *decoder) choice(dst *string, known ...string) func(value) {
	return func(v value) {
		word, ok := d.text(v, "text", "")
		if !ok {
			return
		}
		for _, k := range known {
			if word == k {
				*dst = word
				return
			}
		}
		d.fault(v, "has no value "+show(word), notOneOf(word, known))
	}
}

// decimal leaves out what YAML would read as another number than a person
// does: 010 is 8 there, 1_000 is 1000.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (d *decoder) number(v value, low, high int64) (int64, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Tag != "!!int" && v.node.Tag != "!!float" {
		hint := ""
		if v.node.Kind == yaml.ScalarNode && decimal.MatchString(v.node.Value) {
			hint = "remove the quotes"
		}
		d.wrongKind(v, "a whole number", hint)
		return 0, false
	}
	if d.done[v.node] {
		return 0, false
	}
	if !decimal.MatchString(v.node.Value) {
		d.fault(v, "must be a whole number in plain digits, not "+v.node.Value, "")
		return 0, false
	}
	n, err := strconv.ParseInt(v.node.Value, 10, 64)
	switch {
	case err == nil && n >= low && n <= high:
		return n, true
	case high == math.MaxInt32 && err == nil && n < low:
		d.fault(v, fmt.Sprintf("must be at least %d, is %s", low, v.node.Value), "")
	default:
		d.fault(v, fmt.Sprintf("must be %d to %d, is %s", low, high, v.node.Value), "")
	}
	return 0, false
}

func (d *decoder) whole(dst *int, low, high int64) func(value) {
	return func(v value) {
		if n, ok := d.number(v, low, high); ok {
			*dst = int(n)
		}
	}
}

func (d *decoder) duration(dst *time.Duration, low time.Duration) func(value) {
	const hint = "write it as 300ms, 90s or 2h"
	return func(v value) {
		text, ok := d.text(v, "a duration", hint)
		if !ok {
			return
		}
		switch n, err := time.ParseDuration(text); {
		case err != nil:
			d.fault(v, fmt.Sprintf("%q is no duration", text), hint)
		case n < low:
			d.fault(v, fmt.Sprintf("must be at least %s, is %s", low, text), "")
		default:
			*dst = n
		}
	}
}

var (
	sizeForm  = regexp.MustCompile(`^(0|[1-9][0-9]*)([A-Za-z]*)$`)
	sizeUnits = map[string]int64{
		"": 1, "b": 1,
		"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	}
)

// size takes 64KiB (1024), 10GB (1000) or a plain number of bytes.
func (d *decoder) size(dst *int64) func(value) {
	const hint = "write it as 64KiB, 1MiB, 10GB or a number of bytes"
	return func(v value) {
		if v.node.Kind != yaml.ScalarNode || v.node.Tag != "!!str" && v.node.Tag != "!!int" {
			d.wrongKind(v, "a size", hint)
			return
		}
		if d.done[v.node] {
			return
		}
		match := sizeForm.FindStringSubmatch(v.node.Value)
		if match == nil || sizeUnits[strings.ToLower(match[2])] == 0 {
			d.fault(v, fmt.Sprintf("%q is no size", v.node.Value), hint)
			return
		}
		unit := sizeUnits[strings.ToLower(match[2])]
		switch n, err := strconv.ParseInt(match[1], 10, 64); {
		case err != nil || n > math.MaxInt64/unit:
			d.fault(v, "is too large", hint)
		case n == 0:
			d.fault(v, "must be more than 0", "")
		default:
			*dst = n * unit
		}
	}
}
