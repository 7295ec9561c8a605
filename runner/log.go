package runner

import (
	"fmt"
	"os"
	"strings"
)

// rotateLog puts the log of the attempt before this one aside, from <id>.log to
// <id>.<attempt-1>.log, and returns its new name; "" if there was nothing to put
// aside. If attempts in between never ran, that is the log of the last that did.
// It never replaces a file: what is in the way stays, and the attempt's output
// goes behind that of the one before.
func rotateLog(path string, attempt int) string {
	if attempt <= 1 {
		return ""
	}
	aside := fmt.Sprintf("%s.%d.log", strings.TrimSuffix(path, ".log"), attempt-1)
	if _, err := os.Lstat(aside); !os.IsNotExist(err) {
		return ""
	}
	if err := os.Rename(path, aside); err != nil {
		return "" // there may be none
	}
	return aside
}

// restoreLog undoes what was done for an attempt that did not start: it leaves
// no log, and the one before it keeps its name.
func restoreLog(path, aside string) {
	info, err := os.Lstat(path)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > 0) {
		return
	}
	_ = os.Remove(path)
	if aside != "" {
		_ = os.Rename(aside, path)
	}
}
