package watcher

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

func TestAppendedLineBecomesJob(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.append("countdown.py 25\n")
	d.settled(1)
	j := d.jobs()[0]
	if got, want := d.read(), fmt.Sprintf("%s countdown.py 25 PENDING  \n", j.ID); got != want {
		t.Errorf("file = %q, want %q", got, want)
	}
	if j.Type != "python" || j.Source != "queue:job_queue.txt" {
		t.Errorf("job of type %q from %q, want python from queue:job_queue.txt", j.Type, j.Source)
	}
	d.begin(j.ID)
	d.settled(1)
	d.end(j.ID, jobs.Completed)
	d.settled(1)
	if got, want := d.read(), fmt.Sprintf("%s countdown.py 25 COMPLETED\n", j.ID); got != want {
		t.Errorf("file = %q, want %q", got, want)
	}
}

func TestLinesWhileNoDaemonRuns(t *testing.T) {
	d := newDesk(t)
	d.append("countdown.py 1\ncountdown.py 2\n")
	d.start()
	d.settled(2)
	d.halt()
	d.append("countdown.py 3\n")
	d.start()
	d.settled(3)
}

func TestWritersOwnIDIsKeptAsSpelled(t *testing.T) {
	d := newDesk(t)
	d.start()
	id := strings.ToUpper(uuid.NewString())
	d.append(id + " countdown.py 5 PENDING\n")
	d.settled(1)
	if got := d.jobs()[0].ID; got != strings.ToLower(id) {
		t.Errorf("id = %s, want %s", got, strings.ToLower(id))
	}
	if got := d.lines()[0][0]; got != id {
		t.Errorf("id in the file = %s, want %s", got, id)
	}
	d.append(id + " countdown.py 5 PENDING\n") // a second copy goes
	d.until("the second copy goes", func() bool { return strings.Count(d.read(), "\n") == 1 })
	d.settled(1)
}

func TestRejectedLine(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.append("# mine\ncuntdown.py 25\nsleep 99999999\n\"open\n")
	d.until("three REJECTED jobs", func() bool { return len(d.jobs()) == 3 })
	d.until("their lines", func() bool { return strings.Count(d.read(), "REJECTED") == 3 })
	got := d.read()
	for _, want := range []string{"# mine\n", " cuntdown.py line:2 REJECTED \n", " sleep line:3 REJECTED \n", "line:4 REJECTED \n"} {
		if !strings.Contains(got, want) {
			t.Errorf("file lacks %q:\n%s", want, got)
		}
	}
	for _, j := range d.jobs() {
		if !strings.HasPrefix(j.Reason, "job_queue.txt:") {
			t.Errorf("reason = %q, want it to name the line", j.Reason)
		}
	}
}

func TestHistoryIsImportedAndNeverRuns(t *testing.T) {
	d := newDesk(t)
	a, b, c := uuid.NewString(), uuid.NewString(), uuid.NewString()
	d.write(a + " old.py 1 COMPLETED\n" + b + " old.py 2 RUNNING\n" + c + " countdown.py 3 PENDING\n")
	d.start()
	d.settled(3)
	for id, want := range map[string]jobs.State{a: jobs.Completed, b: jobs.Lost, c: jobs.Pending} {
		if got := d.state(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}

func TestPartialLine(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.append("countdown.py 2")
	d.append("5")
	d.settled(1)
	if got := d.jobs()[0].Args; len(got) != 1 || got[0] != "25" {
		t.Errorf("args = %v, want [25]", got)
	}
	d.append("countdown.py 3\n")
	d.settled(2)
}

func TestUTF16FromPowerShell(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.append("countdown.py 1\n")
	d.settled(1)
	wide := func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteByte(c)
			b.WriteByte(0)
		}
		return b.String()
	}
	d.append(wide("countdown.py 2\r\n"))
	d.settled(2)
	d.append(wide("countdown.py 3\r\n"))
	d.append("countdown.py 4\r\n")
	d.settled(4)
	for _, j := range d.jobs() {
		if j.State != jobs.Pending {
			t.Errorf("%s %v is %s: %s", j.Target, j.Args, j.State, j.Reason)
		}
	}
}

func TestCommandLines(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.append("countdown.py 1\ncountdown.py 2\n")
	d.settled(2)
	id := d.jobs()[0].ID
	d.append("cancel " + id[:8] + "\n")
	d.until("the job is cancelled", func() bool { return d.state(id) == jobs.Cancelled })
	d.settled(2)
	d.append("retry " + id + "\n")
	d.until("the job is back", func() bool { return d.state(id) == jobs.Pending })
	d.settled(2)
}

func TestQueueKeep(t *testing.T) {
	d := newDesk(t)
	d.keep = 2
	d.start()
	for i := range 5 {
		d.append(fmt.Sprintf("countdown.py %d\n", i))
		d.settled(min(i+1, 5))
	}
	all := d.jobs()
	for _, j := range all[1:] {
		d.begin(j.ID)
		d.end(j.ID, jobs.Completed)
	}
	d.until("two finished lines are left", func() bool {
		return strings.Count(d.read(), "COMPLETED") == 2 && strings.Count(d.read(), "\n") == 3
	})
	d.halt()
	d.start()
	d.append("countdown.py 9\n")
	d.until("the new line", func() bool { return strings.Count(d.read(), "\n") == 4 })
}

func TestSameLineAtTheSamePlaceAfterRestart(t *testing.T) {
	d := newDesk(t)
	d.keep = 0
	d.start()
	d.append("countdown.py 25\n")
	d.settled(1)
	id := d.jobs()[0].ID
	d.begin(id)
	d.end(id, jobs.Completed)
	d.until("the finished line has left", func() bool { return d.read() == "" })
	d.halt()
	d.start()
	d.append("countdown.py 25\n")
	d.until("a second job", func() bool { return len(d.jobs()) == 2 })
}

func TestSameCommandWhileNoDaemonRuns(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 2)
	command := func(verb string, want jobs.State) {
		t.Helper()
		d.append(verb + " " + ids[0] + "\n")
		d.until(verb, func() bool { return d.stop == nil || d.state(ids[0]) == want && !strings.Contains(d.read(), verb) })
	}
	command("cancel", jobs.Cancelled)
	command("retry", jobs.Pending)
	d.halt()
	command("cancel", jobs.Cancelled)
	d.start()
	d.until("it is cancelled again", func() bool { return d.state(ids[0]) == jobs.Cancelled })
}

func TestRejectedIDMayBeUsedAgain(t *testing.T) {
	for name, last := range map[string]string{
		"as a line": "%s countdown.py 5 PENDING\n",
		"as JSON":   `{"id": "%s", "type": "sleep", "args": ["5"]}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.start()
			id := uuid.NewString()
			d.append(id + " cuntdown.py 5 PENDING\n")
			d.settled(1)
			d.append(id + " cuntdwn.py 5 PENDING\n")
			d.until("rejected for the new reason", func() bool { return strings.Contains(d.job(id).Reason, "cuntdwn") })
			d.settled(1)
			d.append(fmt.Sprintf(last, id))
			d.until("it is accepted", func() bool { return d.state(id) == jobs.Pending })
			d.settled(1)
		})
	}
}

// TestManyLinesAtOnce also has lines that are alike, and a comment far ahead
// of the end, where lines would be blanked rather than cut out.
func TestManyLinesAtOnce(t *testing.T) {
	const many = 1500
	d := newDesk(t)
	d.start()
	wide := strings.Repeat("0", 900)
	d.append("# mine\n" + strings.Repeat("countdown.py "+wide+"\n", many) + "# yours\n" + strings.Repeat("sleep 1\n", many))
	d.until("a line a job", func() bool {
		text := d.read()
		return strings.Count(text, "PENDING  \n") == 2*many && strings.Count(text, "\n") == 2*many+2
	})
	st, err := d.queue.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if st.States[jobs.Pending] != 2*many || st.States[jobs.Rejected] != 0 {
		t.Errorf("states = %v, want %d PENDING and none REJECTED", st.States, 2*many)
	}
}

// TestCommentBehindBlankedLines is about lines that were blanked because they
// could not be cut out: what stands behind them begins with many spaces.
func TestCommentBehindBlankedLines(t *testing.T) {
	d := newDesk(t)
	d.write(strings.Repeat(" ", 70<<10) + "# mine\n" + strings.Repeat(" ", 70<<10) + "countdown.py 1\n")
	d.start()
	d.until("its line", func() bool { return strings.Contains(d.read(), "PENDING  \n") })
	if all := d.jobs(); len(all) != 1 || all[0].State != jobs.Pending {
		t.Errorf("jobs = %v, want one, PENDING", d.describe())
	}
}

func TestFileOutOfAllProportion(t *testing.T) {
	d := newDesk(t)
	d.start()
	d.append("countdown.py 1\n")
	d.settled(1)
	if err := os.Truncate(d.path, 64<<30); err != nil {
		t.Skip(err)
	}
	d.append("countdown.py 2\n")
	if err := os.Truncate(d.path, 0); err != nil {
		t.Fatal(err)
	}
	d.append("countdown.py 3\n")
	d.settled(2)
}
