//go:build unix

package runner

import "strings"

const pathSeparators = "/"

// inherited reports whether a job gets the daemon's variable of that key.
func inherited(key string) bool {
	switch key {
	case "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR":
		return true
	}
	return strings.HasPrefix(key, "LC_")
}

// envKey tells variables apart.
func envKey(name string) string { return name }

// checkArgs has nothing to refuse: no shell stands between us and a program.
func checkArgs(*spec) error { return nil }
