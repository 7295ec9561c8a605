package runner

import (
	"context"
	"testing"

	"jobrunner/jobs"
)

func TestLimitWords(t *testing.T) {
	if got := LimitWords(&jobs.Type{}, ""); got != "" {
		t.Errorf("a type without limits: %q", got)
	}
	nice := 3
	typ := &jobs.Type{Nice: &nice, MemoryLimit: 1 << 30, CPULimit: 0.5}
	set := foresee(limitsOf(typ))
	if set.memory == "" || set.cpu == "" || set.nice == "" {
		t.Errorf("not a word of each limit: %+v", set)
	}
	if got, want := LimitWords(typ, t.TempDir()), set.memory+", "+set.cpu+", "+set.nice; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A supervisor that was there before an upgrade knows of no limits; the job says so.
func TestLimitsUnderEarlierSupervisor(t *testing.T) {
	nice, limited := 19, roleType("limited")
	limited.Nice, limited.MemoryLimit = &nice, 1<<30
	w := newWorld(t, 1, limited)
	s := newScheduler(w.options())
	defer s.close()
	s.link = w.connect()
	s.link.version = protocolLimits - 1
	id := w.addJob(jobs.Job{Type: "limited", Args: []string{"exit", "0"}})
	s.fill(context.Background())
	const want = "memory not limited: the running supervisor is of an earlier version, " +
		"nice not set: the running supervisor is of an earlier version"
	job := w.await(id, "started", func(j *jobs.Job) bool { return j.Process.PID != 0 || j.State.Ended() })
	if job.Limits != want {
		t.Errorf("got %q, want %q", job.Limits, want)
	}
}
