//go:build unix

package runner

import (
	"os"
	"path/filepath"
	"testing"
)

// An attempt that did not start has no log, and that of the one before keeps its
// name until another starts: it bears the number before that one's.
func TestLogsOfAttemptsThatDidNotStart(t *testing.T) {
	h := newHouse(t)
	s := h.job("sh", "-c", "echo attempt $JOBRUNNER_ATTEMPT")
	name := func(n string) string { return filepath.Join(h.dir, "logs", s.ID+n+".log") }
	logs := func(want map[string]string) {
		t.Helper()
		for _, n := range []string{"", ".1", ".2", ".3", ".4"} {
			got, err := os.ReadFile(name(n))
			if text, ok := want[n]; string(got) != text || ok != (err == nil) {
				t.Errorf("log %q: got %q, %v, want %q", n, got, err, text)
			}
		}
	}
	broken := func(s spec) spec { s.Argv = []string{"no-such-program"}; return s }
	h.run(broken(s))
	logs(nil)

	s = h.again(s)
	h.run(s)
	logs(map[string]string{"": "attempt 2\n"})

	s = h.again(s)
	h.run(broken(s))
	logs(map[string]string{"": "attempt 2\n"})

	// The fourth was not even asked for.
	s = h.again(h.again(s))
	h.run(s)
	logs(map[string]string{"": "attempt 5\n", ".4": "attempt 2\n"})
}
