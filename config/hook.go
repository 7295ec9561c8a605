package config

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"jobrunner/jobs"
)

const (
	hookHint       = "for example {command: [./notify.sh], on: [FAILED]}"
	commandTimeout = time.Minute
	webhookTimeout = 10 * time.Second
	webhookRetries = 5
	maxHookRetries = 20
	allDone        = "ALL_DONE"
)

// hooks reads one hook or a list of them.
func (d *decoder) hooks(dst *[]jobs.Hook) func(value) {
	return func(v value) {
		if v.node.Kind == yaml.MappingNode {
			*dst = []jobs.Hook{d.hook(v)}
			return
		}
		if v.node.Kind != yaml.SequenceNode {
			d.wrongKind(v, "a mapping or a list of them", hookHint)
			return
		}
		items, _ := d.items(v, hookHint)
		for i, item := range items {
			item.key = v.member(i)
			if item.node.Kind != yaml.MappingNode {
				d.wrongKind(item, "a mapping (key: value)", hookHint)
				continue
			}
			*dst = append(*dst, d.hook(item))
		}
	}
}

func (d *decoder) hook(v value) jobs.Hook {
	h := jobs.Hook{At: jobs.Position{File: d.file, Line: v.node.Line, Column: v.node.Column}, On: jobs.HookStates()}
	d.fields(v, fields{
		"command":     d.argv(&h.Command),
		"webhook":     d.webhook(&h.URL),
		"on":          d.occasions(&h),
		"timeout":     d.duration(&h.Timeout, time.Millisecond),
		"retries":     d.whole(&h.Retries, 0, maxHookRetries),
		"secret":      d.secret(&h.Secret),
		"secret_file": d.filePath(&h.SecretFile),
		"secret_env":  d.passed(&h.SecretEnv),
	})
	d.called(v, &h)
	return h
}

// called holds the keys of a hook against each other, and fills in what they
// leave out.
func (d *decoder) called(v value, h *jobs.Hook) {
	has := func(name string) bool { return d.has(v.under(name)) }
	command, webhook := has("command"), has("webhook")
	switch {
	case command && webhook:
		d.faultOf(v, "webhook", "has both command and webhook", "make two hooks of it, as a list")
	case !command && !webhook:
		d.keyFault(v, "has neither command nor webhook", hookHint)
	}
	first := ""
	for _, name := range []string{"secret", "secret_file", "secret_env"} {
		switch {
		case !has(name):
		case first != "":
			d.faultOf(v, name, "has both "+first+" and "+name, "remove one")
		default:
			first = name
		}
	}
	for _, name := range []string{"secret", "secret_file", "secret_env", "retries"} {
		if command && !webhook && has(name) {
			d.faultOf(v, name, name+" goes with webhook, not with command", "")
		}
	}
	if !has("timeout") {
		h.Timeout = commandTimeout
		if webhook {
			h.Timeout = webhookTimeout
		}
	}
	if webhook && !has("retries") {
		h.Retries = webhookRetries
	}
}

// webhook reads an address. No fault repeats it: many bear a key in their path.
func (d *decoder) webhook(dst *string) func(value) {
	const hint = "write it as https://host/path"
	return func(v value) {
		text, ok := d.text(v, "text", hint)
		if !ok {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
			d.fault(v, "is no address of a web server", hint)
			return
		}
		*dst = text
	}
}

// occasions reads at which ends a hook is run.
func (d *decoder) occasions(h *jobs.Hook) func(value) {
	return func(v value) {
		known := []string{allDone}
		for _, state := range jobs.States {
			if state.Ended() {
				known = append(known, string(state))
			}
		}
		items, ok := d.items(v, "for example [FAILED, TIMEOUT, LOST]")
		if ok && len(items) == 0 {
			d.fault(v, "names no state, so the hook would never run", "leave it out for every end")
		}
		h.On = nil
		for _, item := range items {
			word, ok := d.text(item, "text", "")
			switch {
			case !ok:
			case word == allDone:
				h.AllDone = true
			case !slices.Contains(known, word):
				d.fault(item, show(word)+" is no end of a job", notOneOf(strings.ToUpper(word), known))
			case !h.Wants(jobs.State(word)):
				h.On = append(h.On, jobs.State(word))
			}
		}
	}
}

// secret reads a key. No fault repeats it.
func (d *decoder) secret(dst *string) func(value) {
	return func(v value) {
		word, ok := d.word(v, "text")
		if ok && word == "" {
			d.fault(v, "must not be empty", "leave it out for a webhook without a signature")
			return
		}
		*dst = word
	}
}

// passed reads the name of a variable of the daemon.
func (d *decoder) passed(dst *string) func(value) {
	return func(v value) {
		name, ok := d.text(v, "text", "")
		switch {
		case !ok:
		case !envName.MatchString(name):
			d.fault(v, "is no name of a variable", "letters, digits and _, not a digit first; a key itself goes under secret")
		default:
			*dst = name
		}
	}
}
