//go:build !windows

package config

import "os"

// noOtherUser says why this process could not start jobs as another user, and what
// to do; "" if it could.
func noOtherUser() (message, hint string) {
	if os.Geteuid() == 0 {
		return "", ""
	}
	return "needs a daemon that runs as root", "remove it, and start the daemon as the user that the jobs are to run as"
}
