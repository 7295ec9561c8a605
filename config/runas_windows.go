package config

// noOtherUser says why this process could not start jobs as another user, and what
// to do.
func noOtherUser() (message, hint string) {
	return "does not exist on Windows", "remove it: jobs run as the daemon's user"
}
