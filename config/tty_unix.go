//go:build !windows

package config

// noTerminals says why this system has no pseudo-terminals, and what to do; "" if it
// has.
func noTerminals() (message, hint string) { return "", "" }
