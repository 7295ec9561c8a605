//go:build unix

package hooks_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// alive reports whether a process runs; one that has ended and waits for its
// parent does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true // not Linux, or it ended a moment ago
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}
