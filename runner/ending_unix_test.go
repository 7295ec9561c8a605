//go:build unix

package runner

import "testing"

func TestExitWordsOfSignals(t *testing.T) {
	for name, want := range map[string]string{
		"SIGKILL": "signal 9 (SIGKILL)",
		"SIGTERM": "signal 15 (SIGTERM)",
	} {
		if got := exitWords(exitStatus{Known: true, Signal: name}); got != want {
			t.Errorf("exitWords(%s) = %q, want %q", name, got, want)
		}
	}
}
