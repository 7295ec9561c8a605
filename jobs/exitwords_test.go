package jobs_test

import (
	"testing"

	"jobrunner/jobs"
)

func TestExitWords(t *testing.T) {
	accessViolation := uint32(0xC0000005) // os/exec gives it unsigned on Windows
	tests := []struct {
		code   int
		signal string
		want   string
	}{
		{0, "", ""},
		{1, "", ""},
		{3, "", ""},
		{2, "", "often wrong usage: an option or argument was not understood"},
		{78, "", "bad configuration (EX_CONFIG)"},
		{126, "", "a command in it was found but is not executable"},
		{127, "", "a command in it was not found"},
		{128, "", ""},
		{137, "", "128+9 means SIGKILL: killed outright; the system does so when memory runs out"},
		{139, "", "128+11 means SIGSEGV: bad memory access, the program crashed"},
		{143, "", "128+15 means SIGTERM: asked to end"},
		{152, "", "128+24 means SIGXCPU: used up its CPU time"},
		{135, "", ""}, // signal 7 has another meaning on another Unix
		{255, "", ""},
		{-1, "", ""},
		{9009, "", "a command in it was not found (cmd.exe)"},
		{int(accessViolation), "", "0xC0000005: access violation, the program crashed"},
		{-1073741819, "", "0xC0000005: access violation, the program crashed"},
		{0, "SIGKILL", "killed outright; the system does so when memory runs out"},
		{137, "SIGTERM", "asked to end"},
		{0, "SIGUSR1", ""},
	}
	for _, tt := range tests {
		if got := jobs.ExitWords(tt.code, tt.signal); got != tt.want {
			t.Errorf("ExitWords(%d, %q) = %q, want %q", tt.code, tt.signal, got, tt.want)
		}
	}
}
