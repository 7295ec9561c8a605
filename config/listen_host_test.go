package config

import (
	"strings"
	"testing"
)

// The longest name has 253 letters, and may have a dot behind it.
func TestIsHost(t *testing.T) {
	long := strings.Repeat("a", 253)
	for host, want := range map[string]bool{
		"jobs.example.org": true, "jobs.example.org.": true, "::1": true, "a": true, "_a": true,
		long: true, long + ".": true, long + "a": false, long + "..": false,
		"": false, ".": false, "a-": false, "-a": false, "a b": false, "*.example.org": false,
	} {
		if got := isHost(host); got != want {
			t.Errorf("isHost(%.20q of %d bytes) = %v, want %v", host, len(host), got, want)
		}
	}
}
