package runner

import (
	"context"
	"testing"

	"jobrunner/jobs"
)

func TestBytesWord(t *testing.T) {
	for n, want := range map[int64]string{
		4 << 30: "4GiB", 1536 << 20: "1536MiB", 10_000_000_000: "10GB", 64 << 10: "64KiB", 1001: "1001 bytes", 3000: "3kB",
		5 << 50: "5120TiB", 1_500_000: "1500kB",
	} {
		if got := bytesWord(n); got != want {
			t.Errorf("bytesWord(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestLimitWords(t *testing.T) {
	if got := LimitWords(&jobs.Type{}); got != "" {
		t.Errorf("a type without limits: %q", got)
	}
	nice := 3
	typ := &jobs.Type{Nice: &nice, MemoryLimit: 1 << 30, CPULimit: 0.5}
	set := foresee(limitsOf(typ))
	if set.memory == "" || set.cpu == "" || set.nice == "" {
		t.Errorf("not a word of each limit: %+v", set)
	}
	if got, want := LimitWords(typ), set.memory+", "+set.cpu+", "+set.nice; got != want {
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
