package config_test

import (
	"reflect"
	"testing"

	"jobrunner/jobs"
)

// What is tried again, and how often, where keys are left out.
func TestRetryDefaults(t *testing.T) {
	for _, row := range []struct {
		keys string
		most int
		on   jobs.RetryRules
	}{
		{"priority: 0", 0, jobs.RetryRules{Failed: true}},
		{"max_retries: 2", 2, jobs.RetryRules{Failed: true}},
		{"max_retries: 2, retry_on: [timeout, 3]", 2, jobs.RetryRules{Timeout: true, Codes: []int{3}}},
		{"on_lost: keep", 0, jobs.RetryRules{Failed: true}},
		{"on_lost: retry", 1, jobs.RetryRules{Lost: true}},
		{"on_lost: retry, max_retries: 4", 4, jobs.RetryRules{Failed: true, Lost: true}},
		{"on_lost: retry, retry_on: [timeout]", 1, jobs.RetryRules{Timeout: true, Lost: true}},
		{"on_lost: retry, retry_on: [lost], max_retries: 2", 2, jobs.RetryRules{Lost: true}},
	} {
		a := load(t, write(t, "types: {a: {command: [echo], "+row.keys+"}}\n")).Catalog.Types["a"]
		if a.MaxRetries != row.most || !reflect.DeepEqual(a.RetryOn, row.on) {
			t.Errorf("%s: got %d, %+v, want %d, %+v", row.keys, a.MaxRetries, a.RetryOn, row.most, row.on)
		}
	}
}
