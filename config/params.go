package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

const paramHint = "for example lr: {type: float, min: 0, default: 0.1}"

var (
	paramKinds = []string{
		string(jobs.ParamText), string(jobs.ParamInt), string(jobs.ParamFloat),
		string(jobs.ParamEnum), string(jobs.ParamPath), string(jobs.ParamSecret),
	}
	// paramKeys says which kinds have a key that not all have.
	paramKeys = map[string][]jobs.ParamKind{
		"min":     {jobs.ParamInt, jobs.ParamFloat},
		"max":     {jobs.ParamInt, jobs.ParamFloat},
		"values":  {jobs.ParamEnum},
		"below":   {jobs.ParamPath},
		"pattern": {jobs.ParamText},
		"env":     {jobs.ParamSecret},
	}
)

// params reads the named parameters in the order in which they stand.
func (d *decoder) params(dst *[]jobs.Param) func(value) {
	return func(v value) {
		for _, pair := range d.pairs(v, paramHint) {
			name := pair.key
			pair.key = v.under(strings.Trim(show(name), `"`))
			if !plainName.fits(name) {
				d.faultAt(pair.at.Line, pair.at.Column, v.about(show(name)+" is no name of a parameter"), "a letter and up to 63 letters, digits, _ or -")
				continue
			}
			if pair.node.Kind != yaml.MappingNode {
				d.wrongKind(pair, "a mapping (key: value)", paramHint)
				continue
			}
			*dst = append(*dst, d.param(name, pair))
		}
	}
}

func (d *decoder) param(name string, v value) jobs.Param {
	p := jobs.Param{Name: name}
	d.at[v.key] = jobs.Position{File: d.file, Line: v.at.Line, Column: v.at.Column}
	var kind string
	var given value // the default
	before := len(d.faults)
	d.fields(v, fields{
		"type":    d.choice(&kind, paramKinds...),
		"default": func(v value) { given = v },
		"min":     d.bound(&p.Min),
		"max":     d.bound(&p.Max),
		"values":  d.values(&p.Values),
		"below":   d.folder(&p.Below),
		"pattern": d.pattern(&p.Pattern),
		"env":     d.variable(&p.Env),
	})
	p.Kind = jobs.ParamKind(kind)
	if kind == "" {
		if !d.has(v.under("type")) {
			d.keyFault(v, "has no type", "known are "+strings.Join(paramKinds, ", "))
		}
		return p
	}
	d.fitting(v, &p)
	if given.node != nil && len(d.faults) == before {
		d.given(given, &p)
	}
	return p
}

// fitting holds the keys of a parameter against its kind, and fills in what
// they leave out.
func (d *decoder) fitting(v value, p *jobs.Param) {
	for _, key := range slices.Sorted(maps.Keys(paramKeys)) {
		if kinds := paramKeys[key]; d.has(v.under(key)) && !slices.Contains(kinds, p.Kind) {
			d.faultOf(v, key, fmt.Sprintf("%s goes with %s, not with %s", key, kindWords(kinds), p.Kind), "")
		}
	}
	switch {
	case p.Kind == jobs.ParamEnum && !d.has(v.under("values")):
		d.keyFault(v, "an enum needs values", "for example values: [small, large]")
	case p.Kind == jobs.ParamPath && !d.has(v.under("below")):
		d.keyFault(v, "a path needs below, the folder in which it must lie", "for example below: data")
	case p.Min != nil && p.Max != nil && *p.Min > *p.Max:
		d.faultOf(v, "min", fmt.Sprintf("min %v is more than max %v", *p.Min, *p.Max), "")
	case p.Kind == jobs.ParamSecret && !d.has(v.under("env")):
		p.Env = strings.ToUpper(strings.ReplaceAll(p.Name, "-", "_"))
		d.envName(value{key: v.key, node: v.at, at: v.at}, p.Env)
	}
}

func kindWords(kinds []jobs.ParamKind) string {
	words := make([]string, len(kinds))
	for i, kind := range kinds {
		words[i] = string(kind)
	}
	return strings.Join(words, " and ")
}

func (d *decoder) bound(dst **float64) func(value) {
	return func(v value) {
		if n, ok := d.real(v, "a number", ""); ok {
			*dst = &n
		}
	}
}

func (d *decoder) values(dst *[]string) func(value) {
	return func(v value) {
		items, ok := d.items(v, "for example [small, large]")
		if ok && len(items) == 0 {
			d.fault(v, "has no values", "for example [small, large]")
		}
		for _, item := range items {
			word, ok := d.word(item, "text")
			switch {
			case !ok:
			case slices.Contains(*dst, word):
				d.fault(item, show(word)+" stands twice", "")
			default:
				*dst = append(*dst, word)
			}
		}
	}
}

// variable reads the name of one variable.
func (d *decoder) variable(dst *string) func(value) {
	return func(v value) {
		if name, ok := d.text(v, "text", ""); ok && d.envName(v, name) {
			*dst = name
		}
	}
}

// given reads a default, which must be what a request may give. Whether a path
// is there is for Check to say.
func (d *decoder) given(v value, p *jobs.Param) {
	word, ok := d.word(v, "a single value")
	if !ok {
		return
	}
	p.Default, p.HasDefault = word, true
	if p.Kind == jobs.ParamPath {
		if path := filepath.FromSlash(word); !filepath.IsLocal(path) && !filepath.IsLocal(relative(p.Below, path)) {
			d.fault(v, "must lie below "+p.Below, "")
		}
		return
	}
	if _, err := p.Check(word); err != nil {
		d.fault(v, err.Error(), "")
	}
}

// placed looks at what a type's parameters do with its other keys: where they
// stand in the command line, and which variables they set.
func (d *decoder) placed(v value, t *jobs.Type) {
	variables := map[string]string{}
	for name := range t.Env {
		variables[name] = "env"
	}
	for _, p := range t.Params {
		d.inWords(v, "command", t.Command, p)
		d.inWords(v, "interpreter", t.Interpreter, p)
		if p.Env == "" {
			continue
		}
		if other := variables[p.Env]; other != "" {
			d.faultUnder(v, "args.params."+p.Name, p.Env+" is set by "+other+" already", "name another variable with env")
		}
		variables[p.Env] = p.Name
	}
}

// inWords refuses a request's say in which program runs, and a secret where
// every process of the machine can read it.
func (d *decoder) inWords(v value, key string, words []string, p jobs.Param) {
	for i, word := range words {
		switch {
		case !strings.Contains(word, "{"+p.Name+"}"):
		case i == 0:
			d.faultUnder(v, key, "{"+p.Name+"}: the program cannot be a parameter", "make a type of each program")
		case p.Kind == jobs.ParamSecret:
			d.faultUnder(v, key, "{"+p.Name+"} is a secret and stands in no command line", "the program finds it in the variable "+p.Env)
		}
	}
}
