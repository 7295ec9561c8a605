package config

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// reserved are the words that begin a command line; a line that began with a
// type of that name could not be told from one.
var reserved = map[string]bool{
	"cancel": true, "retry": true, "rerun": true, "hold": true,
	"release": true, "pause": true, "resume": true, "drain": true,
}

// typeDefaults is what holds for the keys that a type leaves out.
func (d *decoder) typeDefaults(name string) *jobs.Type {
	return &jobs.Type{
		Name:       name,
		Args:       jobs.ArgRules{Max: -1},
		Workdir:    d.dir,
		KillGrace:  10 * time.Second,
		Umask:      -1,
		RetryDelay: 5 * time.Second,
	}
}

func (d *decoder) types(dst map[string]*jobs.Type) func(value) {
	return func(v value) {
		if v.node.Tag == "!!null" || v.node.Kind == yaml.MappingNode && len(v.node.Content) == 0 {
			d.later = append(d.later, func(c *Config) {
				if at := v.place(); c.empty() {
					d.gone(d.makeFault(at.Line, at.Column, v.about("is empty: there is nothing that could run"), "add one, for example "+minimal))
				}
			})
			return
		}
		for _, pair := range d.pairs(v, "for example "+minimal) {
			name := pair.key
			pair.key = v.key + "." + strings.Trim(show(name), `"`)
			switch {
			case !plainName.fits(name):
				d.faultAt(pair.at.Line, pair.at.Column, v.key+": "+show(name)+" is no name of a type", "a letter and up to 63 letters, digits, _ or -")
			case reserved[name]:
				d.faultAt(pair.at.Line, pair.at.Column, v.key+": "+show(name)+" is the name of an action", "name the type otherwise")
			}
			dst[name] = d.typ(name, pair)
		}
	}
}

func (d *decoder) typ(name string, v value) *jobs.Type {
	t := d.typeDefaults(name)
	if v.node.Kind != yaml.MappingNode {
		d.wrongKind(v, "a mapping (key: value)", "for example "+d.sample)
		return t
	}
	if v.key != "" {
		d.at[v.key] = jobs.Position{File: d.file, Line: v.at.Line, Column: v.at.Column}
	}
	lost := "keep"
	d.fields(v, fields{
		"description":    d.description(&t.Description),
		"command":        d.argv(&t.Command),
		"interpreter":    d.argv(&t.Interpreter),
		"scripts":        d.folder(&t.Scripts),
		"extensions":     d.extensions(&t.Extensions),
		"args":           d.args(t),
		"workdir":        d.folder(&t.Workdir),
		"env":            d.env(&t.Env),
		"env_pass":       d.names(&t.EnvPass),
		"env_allow":      d.names(&t.EnvAllow),
		"max_concurrent": d.whole(&t.MaxConcurrent, 1, math.MaxInt32),
		"priority":       d.whole(&t.Priority, jobs.MinPriority, jobs.MaxPriority),
		"timeout":        d.duration(&t.Timeout, 0),
		"kill_grace":     d.duration(&t.KillGrace, 0),
		"success_codes":  d.codes(&t.SuccessCodes),
		"umask":          d.umask(&t.Umask),
		"run_as":         d.runAs(&t.RunAs),
		"tty":            d.tty(&t.TTY),
		"max_retries":    d.whole(&t.MaxRetries, 0, maxRetries),
		"retry_delay":    d.duration(&t.RetryDelay, 0),
		"retry_on":       d.retryOn(&t.RetryOn),
		"on_lost":        d.choice(&lost, "keep", "retry"),
		"slots":          d.takes(&t.Slots),
		"on_change":      d.onChange(&t.OnChange),
		"on_finish":      d.hooks(&t.OnFinish),
		"nice":           d.nice(&t.Nice),
		"memory_limit":   d.memory(&t.MemoryLimit),
		"max_log":        d.maxLog(&t.MaxLog),
		"cpu_limit":      d.processors(&t.CPULimit),
		"progress":       d.progress(&t.Progress),
	})
	d.started(v)
	d.handedOver(v, t)
	d.retries(v, t, lost)
	d.placed(v, t)
	return t
}

// started checks that the type says in one way, and in one way only, what is
// started.
func (d *decoder) started(v value) {
	has := func(name string) bool { return d.has(v.under(name)) }
	command, interpreter, scripts := has("command"), has("interpreter"), has("scripts")
	switch {
	case command && interpreter:
		d.faultOf(v, "interpreter", "has both command and interpreter", "a fixed program is a command, a folder of scripts has an interpreter: remove one")
	case command && scripts:
		d.faultOf(v, "scripts", "scripts goes with interpreter, not with command", "for example interpreter: [python3, -u]")
	case command && has("extensions"):
		d.faultOf(v, "extensions", "extensions goes with interpreter and scripts, not with command", "")
	case command && has("on_change"):
		d.faultOf(v, "on_change", "on_change goes with interpreter and scripts, not with command", "")
	case interpreter && !scripts:
		d.faultOf(v, "interpreter", "interpreter needs scripts, the folder whose scripts it may run", "for example scripts: examples")
	case scripts && !interpreter:
		d.faultOf(v, "scripts", "scripts needs interpreter, the program that runs them", "for example interpreter: [python3, -u]")
	case !command && !interpreter:
		d.faultOf(v, "", "has neither command nor interpreter", "for example "+minimalType)
	}
}

func (d *decoder) argv(dst *[]string) func(value) {
	const hint = "for example [python3, -u, countdown.py]"
	return func(v value) {
		items, ok := d.items(v, hint)
		if !ok {
			return
		}
		if len(items) == 0 {
			d.fault(v, "must name a program", hint)
			return
		}
		words := make([]string, 0, len(items))
		for i, item := range items {
			word, ok := d.word(item, "text")
			switch {
			case ok && i == 0 && word == "":
				d.fault(item, "must name a program", hint)
			case ok && i == 0 && strings.HasPrefix(word, "~/"):
				d.fault(item, "~ is not expanded", "write the path out")
			}
			words = append(words, word)
		}
		*dst = words
	}
}

func (d *decoder) onChange(dst *jobs.OnChange) func(value) {
	return func(v value) {
		word := string(*dst)
		d.choice(&word, string(jobs.OnChangeRun), string(jobs.OnChangeCopy), string(jobs.OnChangeReject))(v)
		*dst = jobs.OnChange(word)
	}
}

func (d *decoder) extensions(dst *[]string) func(value) {
	return func(v value) {
		items, _ := d.items(v, "for example [.py]")
		for _, item := range items {
			word, ok := d.word(item, "text")
			switch {
			case !ok:
			case len(word) < 2 || word[0] != '.' || strings.ContainsAny(word, `/\`):
				d.fault(item, show(word)+" is no extension", "it begins with a dot, as .py does")
			default:
				*dst = append(*dst, word)
			}
		}
	}
}

// env reads the fixed variables. No fault repeats a value.
func (d *decoder) env(dst *map[string]string) func(value) {
	return func(v value) {
		env := map[string]string{}
		for _, pair := range d.pairs(v, "write NAME: value") {
			name := pair.key
			pair.key = v.key
			if !d.envName(value{key: v.key, node: pair.at, at: pair.at}, name) {
				continue
			}
			pair.key = v.key + "." + name
			if text, ok := d.word(pair, "text"); ok {
				env[name] = text
			}
		}
		*dst = env
	}
}

// names reads a list of names of variables.
func (d *decoder) names(dst *[]string) func(value) {
	return func(v value) {
		items, _ := d.items(v, "for example [HF_HOME]")
		for _, item := range items {
			if name, ok := d.text(item, "text", ""); ok && d.envName(item, name) {
				*dst = append(*dst, name)
			}
		}
	}
}

func (d *decoder) envName(v value, name string) bool {
	switch {
	case !envName.MatchString(name):
		d.fault(v, show(name)+" is no name of a variable", "letters, digits and _, not a digit first")
	case strings.HasPrefix(strings.ToUpper(name), "JOBRUNNER_"):
		d.fault(v, show(name)+": names that begin with JOBRUNNER_ are set by jobrunner", "name it otherwise")
	default:
		return true
	}
	return false
}

func (d *decoder) codes(dst *[]int) func(value) {
	return func(v value) {
		items, ok := d.items(v, "for example [0, 3]")
		if ok && len(items) == 0 {
			d.fault(v, "names no exit status, so no job could complete", "leave it out for [0]")
		}
		for _, item := range items {
			if n, ok := d.number(item, 0, maxExitStatus); ok {
				*dst = append(*dst, int(n))
			}
		}
	}
}

// umask takes the digits as octal ones whether or not a zero stands before
// them, as a shell does.
func (d *decoder) umask(dst *int) func(value) {
	return func(v value) {
		word, ok := d.word(v, "octal digits")
		if !ok {
			return
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(word, "0o"), 8, 32)
		if err != nil || n > 0o777 {
			d.fault(v, "must be octal, 0 to 0777, not "+show(word), "for example 027")
			return
		}
		*dst = int(n)
	}
}
