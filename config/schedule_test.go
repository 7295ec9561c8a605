package config_test

import (
	"slices"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestSchedules(t *testing.T) {
	all := load(t, "testdata/full.good.yaml").Catalog.Schedules
	if len(all) != 2 {
		t.Fatalf("got %d schedules, want 2", len(all))
	}
	nightly, poll := all[0], all[1]
	if nightly.Name != "nightly" || nightly.Cron != "30 2 * * 1-5" || nightly.Every != 0 || nightly.Zone.String() != "Europe/Berlin" ||
		nightly.CatchUp != jobs.CatchUpOne || nightly.Overlap != jobs.OverlapQueue {
		t.Errorf("nightly: got %+v", nightly)
	}
	if r := nightly.Request; r.Type != "countdown" || !slices.Equal(r.Args, []string{"5"}) || r.Priority != -10 || len(r.Foreach) != 1 ||
		r.At != position(27, 14) {
		t.Errorf("nightly's request: got %+v", r)
	}
	if poll.Name != "poll.1" || poll.Cron != "" || poll.Every != 90*time.Second || poll.Zone != time.Local ||
		poll.CatchUp != jobs.CatchUpNone || poll.Overlap != jobs.OverlapSkip || poll.Request.Script != "poll.py" {
		t.Errorf("poll: got %+v", poll)
	}
	friday := time.Date(2026, 7, 10, 12, 0, 0, 0, time.UTC)
	if got, want := nightly.Next(friday), time.Date(2026, 7, 13, 0, 30, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("after %s nightly comes at %s, want %s", friday, got, want)
	}
	if got, want := poll.Next(friday), friday.Add(90*time.Second); !got.Equal(want) {
		t.Errorf("after %s poll comes at %s, want %s", friday, got, want)
	}
}

// The table of time zones is in the program: the machine may have none.
func TestZonesWithoutTable(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir())
	c := load(t, write(t, `schedules: [{name: a, cron: "@daily", tz: Pacific/Chatham, request: {type: a}}]
types: {a: {command: [echo]}}
`))
	if got := c.Catalog.Schedules[0].Zone.String(); got != "Pacific/Chatham" {
		t.Errorf("got zone %q", got)
	}
}
