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
		{125, "", "often docker, env or timeout itself, before it began the command"},
		{126, "", "a command in it was found but is not executable"},
		{127, "", "a command in it was not found"},
		{128, "", ""},
		{137, "", "128+9 means SIGKILL: killed outright: probably out of memory, else by somebody's kill -9"},
		{139, "", "128+11 means SIGSEGV: bad memory access, the program crashed"},
		{143, "", "128+15 means SIGTERM: asked to end"},
		{152, "", "128+24 means SIGXCPU: used up its CPU time"},
		{135, "", ""}, // signal 7 has another meaning on another Unix
		{255, "", ""},
		{-1, "", ""},
		{9009, "", "a command in it was not found (cmd.exe)"},
		{int(accessViolation), "", "0xC0000005: access violation, the program crashed"},
		{-1073741819, "", "0xC0000005: access violation, the program crashed"},
		{-1073740940, "", "0xC0000374: the heap was damaged, the program crashed"},
		{130, "", "128+2 means SIGINT: interrupted, as by Ctrl-C"},
		{134, "", "128+6 means SIGABRT: the program aborted itself, often a failed assertion"},
		{0, "SIGKILL", "killed outright: probably out of memory, else by somebody's kill -9"},
		{137, "SIGTERM", "asked to end"},
		{0, "SIGUSR1", ""},
	}
	for _, tt := range tests {
		if got := jobs.ExitWords(tt.code, tt.signal); got != tt.want {
			t.Errorf("ExitWords(%d, %q) = %q, want %q", tt.code, tt.signal, got, tt.want)
		}
	}
}

func TestEndWords(t *testing.T) {
	code := func(n int) *int { return &n }
	tests := []struct {
		job  jobs.Job
		want string
	}{
		{jobs.Job{State: jobs.Failed, Reason: "exit 127", ExitCode: code(127)}, "a command in it was not found"},
		{jobs.Job{State: jobs.Failed, Reason: "signal 9 (SIGKILL)", Signal: "SIGKILL"}, "killed outright: probably out of memory, else by somebody's kill -9"},
		{jobs.Job{State: jobs.Failed, Reason: "signal 9 (SIGKILL): out of memory, limit 4GiB", Signal: "SIGKILL"}, ""},
		{jobs.Job{State: jobs.Failed, Reason: "start: python3 not found in PATH"}, ""},
		{jobs.Job{State: jobs.Timeout, Reason: "timeout 2h", Signal: "SIGKILL"}, ""},
		{jobs.Job{State: jobs.Cancelled, Reason: "cancelled by request", ExitCode: code(143)}, ""},
	}
	for _, tt := range tests {
		if got := tt.job.EndWords(); got != tt.want {
			t.Errorf("%s %q: EndWords() = %q, want %q", tt.job.State, tt.job.Reason, got, tt.want)
		}
	}
}
