package jobs_test

import (
	"encoding/json"
	"testing"
	"time"

	"jobrunner/jobs"
)

func TestAttemptAsJSON(t *testing.T) {
	at := time.Date(2026, 12, 1, 3, 0, 0, 5e6, time.FixedZone("", 3600))
	code := 0
	for _, c := range []struct {
		attempt jobs.Attempt
		want    string
	}{
		{jobs.Attempt{Attempt: 1, State: jobs.Cancelled, FinishedAt: at},
			`{"attempt":1,"state":"CANCELLED","reason":"","finished_at":"2026-12-01T02:00:00.005Z"}`},
		{jobs.Attempt{Attempt: 2, State: jobs.Completed, Reason: "exit 0", StartedAt: at, FinishedAt: at.Add(time.Second),
			ExitCode: &code, Slots: map[string][]string{"gpu": {"0", "1"}}, Log: "logs/a.2.log"},
			`{"attempt":2,"state":"COMPLETED","reason":"exit 0","started_at":"2026-12-01T02:00:00.005Z",` +
				`"finished_at":"2026-12-01T02:00:01.005Z","exit_code":0,"slots":{"gpu":["0","1"]},"log":"logs/a.2.log"}`},
		{jobs.Attempt{Attempt: 3, State: jobs.Failed, Signal: "SIGKILL"},
			`{"attempt":3,"state":"FAILED","reason":"","signal":"SIGKILL"}`},
	} {
		got, err := json.Marshal(c.attempt)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "attempt", string(got), c.want)
	}
	job, err := json.Marshal(jobs.Job{Past: []jobs.Attempt{{Attempt: 1, State: jobs.Lost}}})
	if err != nil {
		t.Fatal(err)
	}
	var read struct{ Attempts []map[string]any }
	if err := json.Unmarshal(job, &read); err != nil {
		t.Fatal(err)
	}
	same(t, "in a job", read.Attempts, []map[string]any{{"attempt": 1, "state": "LOST", "reason": ""}})
}
