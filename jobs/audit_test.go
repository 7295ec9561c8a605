package jobs_test

import (
	"testing"

	"jobrunner/jobs"
)

func TestAudit(t *testing.T) {
	q, _ := openQueue(t)
	j := pendingJob()
	j.Args = []string{"a b"}
	j = begin(t, q, j)
	mustChange(t)(q.End(bg, j.ID, 1, jobs.Ending{State: jobs.Failed, Reason: "exit 3"}))
	if _, err := q.Execute(bg, jobs.Command{Action: jobs.Pause, Type: "train"}); err != nil {
		t.Fatal(err)
	}
	found, err := q.Audit(bg, 3)
	if err != nil || len(found) != 3 {
		t.Fatal(found, err)
	}
	same(t, "kinds", []string{found[0].Kind, found[1].Kind, found[2].Kind}, []string{jobs.EventPause, jobs.EventEnded, jobs.EventAccepted})
	e := found[1]
	if e.Job != j.ID || e.State != jobs.Failed || e.Reason != "exit 3" || e.Target != j.Target || len(e.Args) != 1 || found[0].Target != "" {
		t.Errorf("got %+v and %+v", found[0], e)
	}
}
