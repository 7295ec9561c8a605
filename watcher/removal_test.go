package watcher

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
)

// originRemove does what the origin's page does: read all lines, truncate,
// write all but one.
func originRemove(path, id string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var kept strings.Builder
	for _, l := range strings.SplitAfter(string(b), "\n") {
		if l == "" {
			continue
		}
		if words := strings.Fields(l); words[0] != id {
			kept.WriteString(l)
		}
	}
	_, err = f.WriteString(kept.String())
	return err
}

// age lets the lines be older than what a rewriting tool cannot have seen.
func (d *desk) age() {
	d.t.Helper()
	d.until("every line is noted", func() bool {
		wanted, err := d.queue.LinesWanted(context.Background(), 1)
		return err == nil && len(wanted) == 0
	})
	d.halt()
	old := time.Now().Add(-time.Minute).UnixMilli()
	var p []jobs.Placement
	if err := d.queue.EachLine(context.Background(), func(j *jobs.Job) error {
		p = append(p, jobs.Placement{ID: j.ID, At: old})
		return nil
	}); err != nil {
		d.t.Fatal(err)
	}
	if err := d.queue.PlaceLines(context.Background(), p); err != nil {
		d.t.Fatal(err)
	}
	d.start()
}

// waiting gives a desk with n PENDING jobs whose lines are not young.
func waiting(t *testing.T, n int) (*desk, []string) {
	t.Helper()
	d := newDesk(t)
	d.start()
	var ids []string
	for range n {
		id := uuid.NewString()
		ids = append(ids, id)
		d.append(id + " countdown.py 5 PENDING\n")
	}
	d.settled(n)
	d.age()
	return d, ids
}

func TestRemovedLineCancelsPendingJob(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	if err := originRemove(d.path, ids[1]); err != nil {
		t.Fatal(err)
	}
	d.until("the job is held back", func() bool {
		next, err := d.queue.Next(context.Background(), map[string]int{"python": 3}, 3)
		return err == nil && len(next) == 2
	})
	if got := d.state(ids[1]); got != jobs.Pending {
		t.Errorf("job is %s before the file was quiet, want PENDING", got)
	}
	d.until("the job is cancelled", func() bool { return d.state(ids[1]) == jobs.Cancelled })
	j, _ := d.queue.Job(context.Background(), ids[1])
	if got, want := j.Reason, "line removed from job_queue.txt"; got != want {
		t.Errorf("reason = %q, want %q", got, want)
	}
	if got := d.state(ids[0]); got != jobs.Pending {
		t.Errorf("another job is %s, want PENDING", got)
	}
	if strings.Contains(d.read(), ids[1]) {
		t.Error("the removed line is back")
	}
}

func TestRemovedWhileNoDaemonRan(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	d.halt()
	if err := originRemove(d.path, ids[0]); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.until("the job is cancelled", func() bool { return d.state(ids[0]) == jobs.Cancelled })
}

// TestOnlyLineBelowComment removes the only job's line; the comment that stays
// tells that from a file that was emptied.
func TestOnlyLineBelowComment(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.start()
	id := uuid.NewString()
	d.append("# what is to be done tonight\n" + id + " countdown.py 5 PENDING\n")
	d.until("the job is there", func() bool { return len(d.jobs()) == 1 && strings.Contains(d.read(), id+" countdown.py 5 PENDING  ") })
	d.age()
	if err := originRemove(d.path, id); err != nil {
		t.Fatal(err)
	}
	d.until("the job is cancelled", func() bool { return d.state(id) == jobs.Cancelled })
	if got, want := d.read(), "# what is to be done tonight\n"; got != want {
		t.Errorf("file = %q, want %q", got, want)
	}
}

func TestYoungLineIsPutBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.start()
	a, b := uuid.NewString(), uuid.NewString()
	d.append(a + " countdown.py 5 PENDING\n" + b + " countdown.py 6 PENDING\n")
	d.settled(2)
	if err := originRemove(d.path, b); err != nil {
		t.Fatal(err)
	}
	d.settled(2)
	if got := d.state(b); got != jobs.Pending {
		t.Errorf("job is %s, want PENDING", got)
	}
}

func TestLineOfRunningJobIsPutBack(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 2)
	d.begin(ids[0])
	d.settled(2)
	if err := originRemove(d.path, ids[0]); err != nil {
		t.Fatal(err)
	}
	d.settled(2)
	if got := d.state(ids[0]); got != jobs.Running {
		t.Errorf("job is %s, want RUNNING", got)
	}
}

func TestFinishedLineStaysAway(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 2)
	d.begin(ids[0])
	d.end(ids[0], jobs.Completed)
	d.settled(2)
	if err := originRemove(d.path, ids[0]); err != nil {
		t.Fatal(err)
	}
	d.until("its line is noted to be gone", func() bool {
		j, err := d.queue.Job(context.Background(), ids[0])
		return err == nil && j.LineAt == jobs.LineLeft
	})
	if got := strings.Count(d.read(), "\n"); got != 1 {
		t.Errorf("%d lines, want 1", got)
	}
}

func TestDamageIsUndone(t *testing.T) {
	for name, damage := range map[string]func(d *desk, ids []string) error{
		"emptied":   func(d *desk, _ []string) error { return os.Truncate(d.path, 0) },
		"deleted":   func(d *desk, _ []string) error { return os.Remove(d.path) },
		"cut":       func(d *desk, _ []string) error { return os.Truncate(d.path, int64(len(d.read()))-20) },
		"many gone": func(d *desk, ids []string) error { return os.WriteFile(d.path, []byte(d.read()[:5*59]), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ids := waiting(t, 10)
			if err := damage(d, ids); err != nil {
				t.Fatal(err)
			}
			d.settled(10)
			for _, id := range ids {
				if got := d.state(id); got != jobs.Pending {
					t.Errorf("job is %s, want PENDING", got)
				}
			}
		})
	}
}

func TestFileBegunAnewWithTheSameLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.start()
	d.append("countdown.py 25\n")
	d.settled(1)
	d.age()
	d.write("countdown.py 25\n")
	d.settled(2)
}

func TestSnapshotWrittenBackIsNotRunTwice(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.start()
	a := uuid.NewString()
	d.append(a + " countdown.py 1 PENDING\n")
	d.settled(1)
	d.age()
	snapshot := d.read() + "countdown.py 2\n" // a tool reads the file just after the append
	d.append("countdown.py 2\n")
	d.settled(2)
	d.write(snapshot)
	d.until("the line is replaced again", func() bool { return !strings.Contains(d.read(), "\ncountdown") })
	d.settled(2)
}

func TestChangedWordsArePutRight(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	was := d.read()
	d.write(strings.Replace(was, ids[0]+" countdown.py 5 PENDING", ids[0]+" countdown.py 5 RUNNING", 1))
	d.until("the state word is put right", func() bool { return !strings.Contains(d.read(), "RUNNING") })
	d.settled(3)
	d.write(strings.Replace(was, ids[1]+" countdown.py 5", ids[1]+" countdown.py 7", 1))
	d.until("the argument is put right", func() bool { return !strings.Contains(d.read(), "countdown.py 7") })
	d.settled(3)
}

func TestReaderHoldsTheFile(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 2)
	f, err := os.Open(d.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d.begin(ids[0])
	d.append("countdown.py 7\n")
	d.settled(3)
	d.end(ids[0], jobs.Completed)
	d.settled(3)
	d.append("cancel " + ids[1] + "\n")
	d.until("the command is taken", func() bool { return d.state(ids[1]) == jobs.Cancelled })
	d.append("countdown.py 8\n")
	d.settled(4)
	f.Close()
	d.settled(4)
	if strings.Contains(d.read(), "cancel") {
		t.Errorf("the command's line is still there:\n%s", d.read())
	}
}

func TestWriterHoldsTheFile(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 2)
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("countdown.py 7\n"); err != nil {
		t.Fatal(err)
	}
	d.until("the request is taken all the same", func() bool { return len(d.jobs()) == 3 })
	d.begin(ids[0])
	f.Close()
	d.settled(3)
}

func TestSideFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.local = false
	d.start()
	d.append("countdown.py 1\ncountdown.py 1\n")
	side := func() string {
		b, _ := os.ReadFile(sidePath(d.path))
		return string(b)
	}
	d.until("both lines in the side file", func() bool { return strings.Count(side(), "PENDING") == 2 })
	if got, want := d.read(), "countdown.py 1\ncountdown.py 1\n"; got != want {
		t.Errorf("queue file = %q, want it untouched: %q", got, want)
	}
	d.halt()
	d.start()
	d.append("countdown.py 2\n")
	d.until("three lines", func() bool { return strings.Count(side(), "\n") == 3 })
	d.write("countdown.py 1\ncountdown.py 1\ncountdown.py 2\ncountdown.py 1\n") // an editor adds a line
	d.until("four lines", func() bool { return strings.Count(side(), "\n") == 4 })
	id := d.jobs()[0].ID
	d.begin(id)
	d.until("the state", func() bool { return strings.Contains(side(), id+" countdown.py 1 RUNNING") })
	if got := len(d.jobs()); got != 4 {
		t.Errorf("%d jobs, want 4", got)
	}
}

// TestRemovalLeavesTheLinesThatStayChanged has tools that write the lines they
// keep in another form. Those are put right; the one that is gone is removed.
func TestRemovalLeavesTheLinesThatStayChanged(t *testing.T) {
	for name, change := range map[string]func(string) string{
		"no line end at the end": func(s string) string { return strings.TrimRight(s, " \n") },
		"byte order mark":        func(s string) string { return "\xef\xbb\xbf" + s },
		"other spaces":           func(s string) string { return strings.ReplaceAll(s, "countdown.py ", "countdown.py  ") },
		"CRLF":                   func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ids := waiting(t, 6)
			d.write(change(d.without(ids[2])))
			d.until("the job is cancelled", func() bool { return d.state(ids[2]) == jobs.Cancelled })
			d.until("five lines as they were", func() bool {
				text := d.read()
				return strings.Count(text, " countdown.py 5 PENDING") == 5 && strings.Count(text, "\n") == 5
			})
			for i, id := range ids {
				if got := d.state(id); i != 2 && got != jobs.Pending {
					t.Errorf("job is %s, want PENDING", got)
				}
			}
		})
	}
}

func TestRemovedLineIsBackAfterRestart(t *testing.T) {
	for name, change := range map[string]func(was string) string{
		"written back":        func(was string) string { return was },
		"put back as damaged": func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ids := waiting(t, 3)
			was := d.read()
			if err := originRemove(d.path, ids[1]); err != nil {
				t.Fatal(err)
			}
			d.until("the job is held back", func() bool { return d.job(ids[1]).Doubt })
			d.halt()
			d.write(change(was))
			d.start()
			d.until("the job may start", func() bool { return !d.job(ids[1]).Doubt })
			d.settled(3)
		})
	}
}

func TestRemovalInFileOfTheFuture(t *testing.T) {
	t.Parallel()
	d, ids := waiting(t, 3)
	d.halt()
	if err := originRemove(d.path, ids[1]); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(d.path, future, future); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.until("the job is cancelled", func() bool { return d.state(ids[1]) == jobs.Cancelled })
}

func TestSideFileOfEmptiedFile(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.local = false
	d.start()
	d.append("countdown.py 1\n")
	d.until("a job", func() bool { return len(d.jobs()) == 1 })
	d.write("")
	d.until("it is noticed", func() bool {
		_, taken, err := d.queue.Mark(context.Background())
		return err == nil && len(taken) == 0
	})
	d.append("countdown.py 1\n")
	d.until("a second job", func() bool { return len(d.jobs()) == 2 })
}

// TestRewriterAgainstAppenders lets the origin's remove run many times a
// second against shells that append, while states change. Lines that the
// rewriter itself destroys, because they came between its read and its
// truncation, cannot be saved; all else must hold.
func TestRewriterAgainstAppenders(t *testing.T) {
	d := newDesk(t)
	d.start()
	const appenders, each = 4, 60
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Add(1)
		go func() {
			defer wg.Done()
			script := fmt.Sprintf(`i=0; while [ $i -lt %d ]; do echo "countdown.py %d$i" >> "$0"; i=$((i+1)); sleep 0.02; done`, each, a+1)
			if out, err := exec.Command("sh", "-c", script, d.path).CombinedOutput(); err != nil {
				t.Errorf("appender: %v: %s", err, out)
			}
		}()
	}
	stop, rewriter := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(rewriter)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			if err := originRemove(d.path, "nothing"); err != nil {
				t.Errorf("rewriter: %v", err)
			}
		}
	}()
	go func() { wg.Wait(); close(stop) }()
	for running := true; running; {
		select {
		case <-rewriter:
			running = false
		case <-time.After(20 * time.Millisecond):
		}
		next, err := d.queue.Next(context.Background(), map[string]int{"python": 3}, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range next {
			if started, _ := d.queue.Begin(context.Background(), []jobs.Start{{ID: j.ID, Attempt: 1, Instance: "i"}}); len(started) == 1 && rand.N(2) == 0 {
				d.end(j.ID, jobs.Completed)
			}
		}
	}
	d.until("every line is taken", func() bool {
		for _, l := range d.lines() {
			if l[0] == "countdown.py" {
				return false
			}
		}
		return true
	})
	n := len(d.jobs())
	d.settled(n)
	seen := map[string]bool{}
	for _, j := range d.jobs() {
		if j.State == jobs.Rejected || j.State == jobs.Cancelled {
			t.Errorf("job %v is %s: %s", j.Args, j.State, j.Reason)
		}
		if seen[j.Args[0]] {
			t.Errorf("countdown.py %s was taken twice", j.Args[0])
		}
		seen[j.Args[0]] = true
	}
	if lost := appenders*each - n; lost > appenders*each/5 {
		t.Errorf("%d of %d lines are gone", lost, appenders*each)
	} else {
		t.Logf("%d jobs of %d lines", n, appenders*each)
	}
}
