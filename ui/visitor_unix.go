//go:build unix

package ui

import "golang.org/x/sys/unix"

// mostVisitors is how many connections there may be: with the log that each may
// read, half of the files that this process may have open.
func mostVisitors() int {
	const least, most = 16, 1000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return least
	}
	return int(min(max(uint64(limit.Cur)/4, least), most))
}
