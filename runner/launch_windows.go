package runner

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

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

// batchSafe is what cmd.exe takes for nothing but itself.
var batchSafe = regexp.MustCompile(`^[A-Za-z0-9._=:,+/\\-]*$`)

// checkArgs refuses arguments that a batch file could take for commands: the
// system runs one by cmd.exe, which reads the command line anew, and no quoting
// is safe there (CVE-2024-24576).
func checkArgs(sp *spec) error {
	path, err := findProgram(sp)
	if err != nil {
		return nil // the supervisor says so, in its words
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".bat", ".cmd":
	default:
		return nil
	}
	for i, arg := range sp.Argv[1:] {
		if !batchSafe.MatchString(arg) {
			return fmt.Errorf("argument %d holds a character that cannot be handed to a batch file safely", i+1)
		}
	}
	return nil
}
