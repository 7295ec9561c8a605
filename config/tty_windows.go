package config

// noTerminals says why this system has no pseudo-terminals, and what to do.
func noTerminals() (message, hint string) {
	return "does not exist on Windows", "remove it; env: {FORCE_COLOR: 1} makes some programs show their bars all the same"
}
