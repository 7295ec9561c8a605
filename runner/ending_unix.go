//go:build unix

package runner

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// signalNumber is the number here of a signal named by signalName, 0 if it has
// none.
func signalNumber(name string) int {
	if n := unix.SignalNum(name); n != 0 {
		return int(n)
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "SIG"))
	return n
}
