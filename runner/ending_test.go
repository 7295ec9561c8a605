package runner

import (
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestConclude(t *testing.T) {
	code := func(n int) *exitStatus { return &exitStatus{Known: true, Code: &n} }
	killed := func(name string) *exitStatus { return &exitStatus{Known: true, Signal: name} }
	seven := &jobs.Type{SuccessCodes: []int{0, 7}}
	tests := []struct {
		name   string
		st     attemptState
		typ    *jobs.Type
		state  jobs.State
		reason string
	}{
		{"success", attemptState{Exit: code(0)}, &jobs.Type{}, jobs.Completed, "exit 0"},
		{"failure", attemptState{Exit: code(7)}, &jobs.Type{}, jobs.Failed, "exit 7"},
		{"success code", attemptState{Exit: code(7)}, seven, jobs.Completed, "exit 7"},
		{"type gone", attemptState{Exit: code(0)}, nil, jobs.Completed, "exit 0"},
		{"type gone, failure", attemptState{Exit: code(7)}, nil, jobs.Failed, "exit 7"},
		{"not started", attemptState{StartError: "python3 not found in PATH"}, nil, jobs.Failed, "start: python3 not found in PATH"},
		{"cancelled", attemptState{Exit: killed("SIGTERM"), EndedBy: jobs.EndCancel}, nil, jobs.Cancelled, "cancelled by request"},
		{"cancelled, exit 0", attemptState{Exit: code(0), EndedBy: jobs.EndCancel}, nil, jobs.Cancelled, "cancelled by request"},
		{"timeout", attemptState{Exit: killed("SIGKILL"), EndedBy: jobs.EndTimeout}, nil, jobs.Timeout, "timeout 2h0m0s"},
		{"survivors", attemptState{Exit: code(0), EndedBy: jobs.EndCancel, Survivors: []string{"pid 12 (a)", "pid 13 (b)"}}, nil,
			jobs.Cancelled, "cancelled by request; still running: pid 12 (a), pid 13 (b)"},
		{"out of memory", attemptState{Exit: &exitStatus{Known: true, Code: new(137), Note: "out of memory, limit 4GiB"}}, nil,
			jobs.Failed, "exit 137: out of memory, limit 4GiB"},
		{"a part was out of memory", attemptState{Exit: &exitStatus{Known: true, Code: new(int), Note: "out of memory, limit 4GiB"}}, nil,
			jobs.Completed, "exit 0"},
		{"unknown", attemptState{Exit: &exitStatus{}}, &jobs.Type{}, jobs.Lost, "supervisor was killed"},
		{"nothing seen", attemptState{}, &jobs.Type{}, jobs.Lost, "supervisor was killed"},
	}
	for _, tt := range tests {
		got := conclude(tt.st, tt.typ, 2*time.Hour, lostSupervisor)
		if got.State != tt.state || got.Reason != tt.reason {
			t.Errorf("%s: %s %q, want %s %q", tt.name, got.State, got.Reason, tt.state, tt.reason)
		}
	}
}

// What was seen of the exit is kept also where it does not decide the state.
func TestConcludeKeepsStatus(t *testing.T) {
	zero := 0
	at := time.Now()
	got := conclude(attemptState{EndedBy: jobs.EndCancel, Exit: &exitStatus{Known: true, Code: &zero, At: at}}, nil, 0, "")
	if got.ExitCode == nil || *got.ExitCode != 0 || !got.FinishedAt.Equal(at) {
		t.Errorf("got %+v, want exit code 0 at %s", got, at)
	}
	got = conclude(attemptState{Exit: &exitStatus{Known: false, Code: &zero}}, nil, 0, lostSupervisor)
	if got.ExitCode != nil || got.State != jobs.Lost {
		t.Errorf("unknown status gave %+v, want LOST without a code", got)
	}
}

func TestRestarted(t *testing.T) {
	now := time.Date(2026, 3, 4, 9, 0, 0, 0, time.Local)
	tests := []struct {
		boot time.Time
		want string
	}{
		{time.Date(2026, 3, 4, 2, 12, 0, 0, time.Local), "machine restarted at 02:12 while it ran"},
		{time.Date(2026, 3, 1, 2, 12, 0, 0, time.Local), "machine restarted at 2026-03-01 02:12 while it ran"},
		{time.Time{}, "machine restarted while it ran"},
	}
	for _, tt := range tests {
		if got := restarted(tt.boot, now); got != tt.want {
			t.Errorf("restarted(%s) = %q, want %q", tt.boot, got, tt.want)
		}
	}
}
