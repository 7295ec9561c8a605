package watcher

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// begin and finish drive a job as the runner would.
func (y *tray) begin(id string, attempt int) {
	y.t.Helper()
	begun, err := y.queue.Begin(y.t.Context(), []jobs.Start{{ID: id, Attempt: attempt, Instance: "i"}})
	if err != nil || len(begun) != 1 {
		y.t.Fatalf("beginning %s: %v, %v", id, begun, err)
	}
}

func (y *tray) finish(id string, attempt, code int) {
	y.t.Helper()
	e := jobs.Ending{State: jobs.Completed, Reason: fmt.Sprintf("exit %d", code), ExitCode: &code, FinishedAt: time.Now()}
	if code != 0 {
		e.State = jobs.Failed
	}
	if ok, err := y.queue.End(y.t.Context(), id, attempt, e); !ok || err != nil {
		y.t.Fatalf("ending %s: %v, %v", id, ok, err)
	}
}

func TestReplyFollowsTheJob(t *testing.T) {
	y := newTray(t)
	stop := y.run()
	y.drop("a.yaml", goodText)
	is := func(want string) {
		t.Helper()
		within(t, want, func() bool { a := y.reply("a.yaml"); return a.State+" "+a.Reason == want })
	}
	is("PENDING ")
	id := y.reply("a.yaml").Jobs[0].ID
	y.begin(id, 1)
	is("RUNNING ")
	y.finish(id, 1, 7)
	is("FAILED exit 7")
	if _, err := y.queue.Execute(t.Context(), jobs.Command{Action: jobs.Retry, IDs: []string{id}}); err != nil {
		t.Fatal(err)
	}
	is("PENDING ")
	stop()

	// What happens while no daemon runs is made good by the next one.
	y.begin(id, 2)
	y.finish(id, 2, 0)
	y.restart()
	is("COMPLETED exit 0")
}

func TestReplyOfSeveral(t *testing.T) {
	y := newTray(t)
	y.run()
	y.drop("a.txt", "sleep 1\nsleep 2\n")
	is := func(want string) {
		t.Helper()
		within(t, want, func() bool { a := y.reply("a.txt"); return a.State+": "+a.Reason == want })
	}
	is("PENDING: 2 PENDING")
	one, two := y.reply("a.txt").Jobs[0].ID, y.reply("a.txt").Jobs[1].ID
	y.begin(one, 1)
	is("RUNNING: 1 PENDING, 1 RUNNING")
	y.finish(one, 1, 0)
	is("RUNNING: 1 PENDING, 1 COMPLETED")
	y.begin(two, 1)
	y.finish(two, 1, 1)
	is("FAILED: 1 COMPLETED, 1 FAILED")
}

func TestSum(t *testing.T) {
	for _, row := range []struct {
		states string
		want   jobs.State
	}{
		{"TIMEOUT", jobs.Timeout},
		{"PENDING PENDING", jobs.Pending},
		{"PENDING RUNNING", jobs.Running},
		{"PENDING COMPLETED", jobs.Running},
		{"RUNNING FAILED", jobs.Running},
		{"COMPLETED COMPLETED", jobs.Completed},
		{"COMPLETED LOST", jobs.Failed},
		{"COMPLETED CANCELLED", jobs.Failed},
		{"REJECTED REJECTED", jobs.Rejected},
	} {
		var all []*jobs.Job
		for _, s := range strings.Fields(row.states) {
			all = append(all, &jobs.Job{State: jobs.State(s)})
		}
		if got, _ := sum(all); got != row.want {
			t.Errorf("%s: %s, want %s", row.states, got, row.want)
		}
	}
}

// A name that comes again replaces the older pair, and the older job's
// changes no longer touch it.
func TestNameComesAgain(t *testing.T) {
	y := newTray(t)
	y.run()
	y.drop("a.yaml", goodText)
	within(t, "first reply", func() bool { return y.reply("a.yaml").State == "PENDING" })
	first := y.reply("a.yaml").Jobs[0].ID
	y.drop("a.yaml", "type: sleep\nargs: [2]\n")
	within(t, "second reply", func() bool {
		a := y.reply("a.yaml")
		return len(a.Jobs) == 1 && a.Jobs[0].ID != first
	})
	second := y.reply("a.yaml").Jobs[0].ID
	y.begin(first, 1)
	y.finish(first, 1, 0)
	y.begin(second, 1)
	within(t, "the second runs", func() bool { return y.reply("a.yaml").State == "RUNNING" })
	if a := y.reply("a.yaml"); a.Jobs[0].ID != second {
		t.Errorf("reply = %+v, want job %s", a, second)
	}
	if got, _ := os.ReadFile(filepath.Join(y.outbox, "a.yaml")); string(got) != "type: sleep\nargs: [2]\n" {
		t.Errorf("outbox file = %q", got)
	}
	if all := y.all(); len(all) != 2 {
		t.Errorf("%d jobs, want 2", len(all))
	}
}

// An outbox that cannot be written holds up the replies, not the jobs.
func TestOutboxCannotBeWritten(t *testing.T) {
	y := newTray(t)
	aside := y.outbox + ".aside"
	if err := os.Rename(y.outbox, aside); err != nil {
		t.Fatal(err)
	}
	y.put(y.outbox, "a file in its place")
	y.run()
	for i := range 3 {
		y.drop(fmt.Sprintf("a%d.yaml", i), goodText)
	}
	within(t, "the jobs are there", func() bool { return len(y.all()) == 3 })
	within(t, "it is said", func() bool { return strings.Contains(y.box.status().Err, toOutbox) })
	for _, j := range y.all() {
		if j.Source == "inbox:a2.yaml" {
			y.begin(j.ID, 1)
		}
	}
	os.Remove(y.outbox)
	if err := os.Rename(aside, y.outbox); err != nil {
		t.Fatal(err)
	}
	within(t, "replies", func() bool {
		return y.reply("a0.yaml").State == "PENDING" && y.reply("a1.yaml").State == "PENDING" && y.reply("a2.yaml").State == "RUNNING"
	})
	within(t, "all is well", func() bool { return y.box.status().Err == "" })
	if n := y.log.count("hindered", toOutbox); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
}

// An older reply never stands beside a newer file.
func TestOlderReplyGoesFirst(t *testing.T) {
	y := newTray(t)
	file, older := filepath.Join(y.outbox, "a.yaml"), filepath.Join(y.outbox, "a.yaml.json")
	y.put(older, `{"file": "a.yaml", "state": "COMPLETED"}`)
	if err := os.Mkdir(file, 0o755); err != nil { // it keeps the new file from being moved there
		t.Fatal(err)
	}
	y.drop("a.yaml", goodText)
	y.scanUntil("it is said", func() bool { return strings.Contains(y.box.status().Err, toOutbox) })
	if exists(older) {
		t.Error("the older reply is still there")
	}
	os.Remove(file)
	y.answered("a.yaml")
}

// Whoever clears the outbox away is not given old replies again.
func TestClearedOutbox(t *testing.T) {
	y := newTray(t)
	y.run()
	y.drop("a.yaml", goodText)
	within(t, "reply", func() bool { return y.reply("a.yaml").State == "PENDING" })
	id := y.reply("a.yaml").Jobs[0].ID
	if err := os.Rename(y.outbox, y.outbox+".aside"); err != nil {
		t.Fatal(err)
	}
	y.begin(id, 1)
	y.drop("b.yaml", goodText)
	within(t, "reply to the next", func() bool { return y.reply("b.yaml").State == "PENDING" })
	if exists(filepath.Join(y.outbox, "a.yaml.json")) {
		t.Error("a reply without its file")
	}
	if s := y.box.status(); s.Err != "" {
		t.Errorf("status = %+v", s)
	}
}

func TestCursorIsKept(t *testing.T) {
	y := newTray(t)
	stop := y.run()
	y.drop("a.yaml", goodText)
	within(t, "reply", func() bool { return y.reply("a.yaml").State == "PENDING" })
	stop()
	last, err := y.queue.LastEvent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	y.restart()
	if got := y.box.replies.cursor; got != last || last == 0 {
		t.Errorf("cursor = %d, want %d", got, last)
	}
}
