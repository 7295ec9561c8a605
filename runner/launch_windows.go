package runner

import "strings"

const pathSeparators = `/\`

// inherited reports whether a job gets the daemon's variable of that key.
func inherited(key string) bool {
	switch key {
	case "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "SYSTEMROOT", "COMSPEC",
		"PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA":
		return true
	}
	return strings.HasPrefix(key, "LC_")
}

// envKey makes names alike that Windows takes for one.
func envKey(name string) string { return strings.ToUpper(name) }
