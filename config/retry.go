package config

import (
	"fmt"
	"regexp"
	"slices"

	"jobrunner/jobs"
)

// maxRetries is the most further attempts that a type may allow.
const maxRetries = 1000

// ends are the words of retry_on that are no exit status; real-time signals,
// which have numbers only, beside them.
var (
	ends = []string{
		"failed", "timeout", "lost",
		"SIGABRT", "SIGALRM", "SIGBUS", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGKILL", "SIGPIPE", "SIGPROF", "SIGQUIT",
		"SIGSEGV", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGXCPU", "SIGXFSZ",
	}
	numbered = regexp.MustCompile(`^SIG[1-9][0-9]?$`)
)

// retryOn reads a list of exit statuses and words.
func (d *decoder) retryOn(dst *jobs.RetryRules) func(value) {
	return func(v value) {
		items, ok := d.items(v, "for example [75, timeout]")
		if ok && len(items) == 0 {
			d.fault(v, "names nothing after which a job is tried again", "leave it out for [failed], or write max_retries: 0")
		}
		for _, item := range items {
			d.retriedEnd(dst, item)
		}
	}
}

func (d *decoder) retriedEnd(dst *jobs.RetryRules, v value) {
	if v.node.Tag == "!!int" || v.node.Tag == "!!float" {
		if n, ok := d.number(v, 1, maxExitStatus); ok {
			dst.Codes = append(dst.Codes, int(n))
		}
		return
	}
	word, ok := d.text(v, "an exit status or a word", "for example 75, failed, timeout or SIGKILL")
	switch {
	case !ok:
	case word == "failed":
		dst.Failed = true
	case word == "timeout":
		dst.Timeout = true
	case word == "lost":
		dst.Lost = true
	case slices.Contains(ends, word) || numbered.MatchString(word):
		dst.Signals = append(dst.Signals, word)
	default:
		hint := "it lists exit statuses, failed, timeout, lost and names of signals such as SIGKILL"
		if near := jobs.Match(word, ends); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		d.fault(v, show(word)+" is no end of a job", hint)
	}
}

// retries fills in what the keys for retries leave out, and holds them against
// each other. Whoever asks for LOST jobs only, and for no count, has asked for
// no retry of failed ones.
func (d *decoder) retries(v value, t *jobs.Type, lost string) {
	counted, listed := d.has(v.under("max_retries")), d.has(v.under("retry_on"))
	for _, code := range t.RetryOn.Codes {
		if slices.Contains(t.SuccessCodes, code) {
			d.faultUnder(v, "retry_on", fmt.Sprintf("exit status %d means COMPLETED by success_codes", code), "remove it from one of them")
		}
	}
	again := lost == "retry"
	switch {
	case again && counted && t.MaxRetries == 0:
		d.faultUnder(v, "on_lost", "retry has no effect with max_retries: 0", "remove one of them")
	case !again && d.has(v.under("on_lost")) && t.RetryOn.Lost:
		d.faultUnder(v, "on_lost", "keep contradicts lost in retry_on", "remove one of them")
	}
	if !listed {
		t.RetryOn.Failed = counted || !again
	}
	if again {
		t.RetryOn.Lost = true
		if !counted {
			t.MaxRetries = 1
		}
	}
}
