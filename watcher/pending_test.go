package watcher

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"jobrunner/jobs"
)

// endOldest ends the oldest job that waits, as if it had run, and gives its words.
func endOldest(t *testing.T, q *jobs.Queue) string {
	t.Helper()
	all, err := q.List(t.Context(), jobs.Filter{States: []jobs.State{jobs.Pending}, Limit: 500})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d jobs wait, %v", len(all), err)
	}
	oldest := all[len(all)-1]
	begun, err := q.Begin(t.Context(), []jobs.Start{{ID: oldest.ID, Attempt: oldest.Attempt, Instance: "i"}})
	if err != nil || len(begun) != 1 {
		t.Fatalf("Begin: %d jobs, %v", len(begun), err)
	}
	zero := 0
	_, err = q.End(t.Context(), oldest.ID, oldest.Attempt, jobs.Ending{State: jobs.Completed, ExitCode: &zero, FinishedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return oldest.Args[0]
}

func pending(t *testing.T, q *jobs.Queue) int {
	t.Helper()
	n, err := q.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// While as many jobs wait as may, files stay where they are, nothing of them is
// lost, and they are taken in their order as jobs end.
func TestFilesWaitForRoom(t *testing.T) {
	y := newTray(t)
	y.most, y.set.Settle = 5, 0
	for n := range 20 {
		y.drop(fmt.Sprintf("a%02d.yaml", n), fmt.Sprintf("{type: sleep, args: [%d]}", n))
	}
	y.scanUntil("five are taken", func() bool { return pending(t, y.queue) == 5 })
	for range 5 {
		y.scan()
	}
	if names := left(t, y.dir); len(names) != 15 || names[0] != "a05.yaml" {
		t.Errorf("in the inbox: %v, want a05.yaml and those after it", names)
	}
	const want = "waiting: 5 jobs wait already (max_pending); taken when fewer do"
	if got := y.why("a07.yaml"); got != want {
		t.Errorf("why a07.yaml waits: %q, want %q", got, want)
	}
	if got := y.box.Gate.said(); got != "requests are "+want {
		t.Errorf("said: %q", got)
	}
	if n := y.log.count("further requests stay where they are"); n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	if n := y.log.count("left where it is"); n != 0 {
		t.Errorf("%d files are logged one by one", n)
	}

	stop := y.run()
	for n := range 20 {
		if got := endOldest(t, y.queue); got != fmt.Sprint(n) {
			t.Fatalf("job %d is that of a%sth file", n, got)
		}
		within(t, "the next one is taken", func() bool { return pending(t, y.queue) == min(5, 19-n) })
	}
	stop()
	if got := y.box.Gate.said(); got != "" || len(left(t, y.dir)) > 0 {
		t.Errorf("at the end: %q, in the inbox %v", got, left(t, y.dir))
	}
	if n := y.log.count("there is room"); n != 1 {
		t.Errorf("that there is room again is logged %d times, want once", n)
	}
}

// left lists the request files in a folder.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestCommandsNeedNoRoom(t *testing.T) {
	y := newTray(t)
	y.most = 2
	const first, later = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
	y.drop("a.yaml", "{type: sleep, args: [1], id: "+first+"}")
	y.drop("b.yaml", "{type: sleep, args: [2]}\n---\n{type: sleep, args: [3]}")
	y.scanUntil("one waits", func() bool { return pending(t, y.queue) == 1 && len(y.claims()) == 1 })
	y.drop("c.yaml", "{type: sleep, args: [4], id: "+later+"}")
	y.drop("d.yaml", "{action: cancel, ids: ["+later+"]}") // of a job that waits to be taken
	y.drop("e.yaml", "{action: pause, type: sleep}")
	y.drop("f.yaml", "{action: rerun, ids: ["+first+"]}") // makes a job
	y.drop("g.yaml", "{type: sleep, args: ['{x}'], foreach: {x: [1, 2, 3]}}")
	y.drop("h.txt", "sleep 1\nsleep 2\nsleep 3\n")
	if a := y.answered("e.yaml"); a.State != "COMPLETED" {
		t.Errorf("pause: %+v", a)
	}
	for range 3 {
		y.scan()
	}
	if got := left(t, y.dir); !slices.Equal(got, []string{"c.yaml", "d.yaml", "f.yaml", "g.yaml", "h.txt"}) {
		t.Errorf("in the inbox: %v", got)
	}
	y.drop("e.yaml", "{action: resume, type: sleep}")
	y.drop("i.yaml", "{action: cancel, ids: [11111111]}")
	if a := y.answered("b.yaml"); a.State != "PENDING" || len(a.Jobs) != 2 {
		t.Errorf("b: %+v", a)
	}
	endOldest(t, y.queue)
	if a := y.answered("d.yaml"); a.State != "COMPLETED" || len(a.Jobs) != 1 || a.Jobs[0].State != "CANCELLED" {
		t.Errorf("cancel of what waited: %+v", a)
	}
	endOldest(t, y.queue)
	for name, place := range map[string]string{"g.yaml": "g.yaml:1:39: ", "h.txt": "h.txt:3: "} {
		want := place + "more than 2 jobs are asked for at once, and no more may wait (max_pending); ask for fewer at once, or raise max_pending"
		if a := y.answered(name); a.State != "REJECTED" || a.Reason != want {
			t.Errorf("%s: %s %q, want REJECTED %q", name, a.State, a.Reason, want)
		}
	}
}

// Lines stay raw while there is no room. A command behind them is carried out.
func TestLinesWaitForRoom(t *testing.T) {
	d := newDesk(t)
	d.most.Store(5)
	for n := range 300 {
		d.append(fmt.Sprintf("sleep %d\n", n))
	}
	d.append("pause sleep\ncancel 44444444\n# a comment\n")
	d.start()
	paused := func() bool {
		brakes, err := d.queue.Brakes(context.Background())
		return err == nil && len(brakes.Types) == 1
	}
	raw := func() (n int) { return strings.Count("\n"+d.read(), "\nsleep ") }
	d.until("five lines are taken and sleep is paused", func() bool { return pending(t, d.queue) == 5 && paused() && raw() == 295 })
	if !strings.Contains(d.read(), "cancel 44444444\n") {
		t.Error("the command that names no known job has not waited")
	}
	d.append("resume sleep\n")
	d.until("sleep is resumed", func() bool { return !paused() })
	for n := range 100 {
		if got := endOldest(t, d.queue); got != fmt.Sprint(n) {
			t.Fatalf("job %d is of line %s", n, got)
		}
		d.until("the next line is taken", func() bool { return pending(t, d.queue) == 5 })
		if n == 50 { // what waits is found again
			d.halt()
			d.start()
		}
	}
	d.most.Store(0)
	d.until("the others are taken", func() bool { return len(d.jobs()) == 300 && raw() == 0 })
	d.settledBut(300, 1)
}

// settledBut is settled, with so many comments in the file.
func (d *desk) settledBut(n, comments int) {
	d.t.Helper()
	d.until("each job has its line", func() bool {
		lines := d.lines()
		all := 0
		for _, l := range lines {
			if l[len(l)-1] == string(jobs.Pending) || l[len(l)-1] == string(jobs.Completed) {
				all++
			}
		}
		return all == n && len(lines) == n+comments
	})
}

// Who asks for much is not passed by for ever by those that ask for little.
func TestRoomIsKeptForWhoCameFirst(t *testing.T) {
	y := newTray(t)
	y.most = 10
	d := newDesk(t)
	d.queue = y.queue
	d.most.Store(10)
	o := d.options()
	o.Gate = y.box.Gate
	d.append(strings.Repeat("sleep 1\n", 8))
	q, err := newQueueFile(o)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	y.drop("a.yaml", "{type: sleep, args: [2], name: 'n{x}', foreach: {x: [1, 2, 3, 4, 5]}}")
	y.scanUntil("it waits", func() bool { return len(y.claims()) == 1 && y.box.Gate.waitsFor(fromInbox) })
	d.append(strings.Repeat("sleep 3\n", 20))
	order := []string{}
	for pending(t, y.queue) > 0 {
		order = append(order, endOldest(t, y.queue))
		q.pass(t.Context())
		y.scan()
	}
	// The first lines, then the sweep as soon as five have gone, then the others.
	want := strings.Repeat("1", 8) + strings.Repeat("2", 5) + strings.Repeat("3", 20)
	if got := strings.Join(order, ""); got != want {
		t.Errorf("jobs ran in the order %s, want %s", got, want)
	}
}

// A start that finds very many files looks into each of them once, for commands,
// before it lets jobs start.
func TestManyFilesAtTheStart(t *testing.T) {
	y := newTray(t)
	y.set.Settle = 0
	for n := range 2*maxOpens + 100 {
		y.drop(fmt.Sprintf("a%04d.yaml", n), "{type: sleep, args: [1]}")
	}
	y.drop("b.yaml", "{action: pause, type: sleep}")
	y.box.hurries = true
	y.scan()
	if y.box.left {
		t.Error("one look was not enough")
	}
	if names := left(t, y.dir); len(names) != 2*maxOpens+100 || pending(t, y.queue) > 0 {
		t.Errorf("%d files are left and %d jobs were taken, want all but the command to be left", len(names), pending(t, y.queue))
	}
	if a := y.answered("b.yaml"); a.State != "COMPLETED" {
		t.Errorf("the command: %+v", a)
	}
}

// What waits for more room than a lowered max_pending ever leaves is refused, and
// what stands behind it is taken.
func TestMaxPendingIsLowered(t *testing.T) {
	const three = "more than 3 jobs are asked for at once"
	y := newTray(t)
	y.most = 8
	y.drop("a.txt", strings.Repeat("sleep 1\n", 5))
	y.answered("a.txt")
	y.drop("b.txt", strings.Repeat("sleep 2\n", 5))
	y.scanUntil("it waits", func() bool { return y.box.Gate.waitsFor(fromInbox) })
	y.drop("c.txt", "sleep 3\n")
	y.most = 3
	if a := y.answered("b.txt"); a.State != "REJECTED" || !strings.Contains(a.Reason, three) {
		t.Errorf("file: %s %q", a.State, a.Reason)
	}
	for range 5 {
		endOldest(t, y.queue)
	}
	y.answered("c.txt")

	d := newDesk(t)
	d.most.Store(8)
	d.append(strings.Repeat("sleep 1\n", 5) + `{"type": "sleep", "args": ["{x}"], "foreach": {"x": [1, 2, 3, 4, 5]}}` + "\nsleep 3\n")
	d.start()
	d.until("the sweep waits", func() bool { return pending(t, d.queue) == 5 })
	d.most.Store(3)
	refused := func() bool {
		return slices.ContainsFunc(d.jobs(), func(j *jobs.Job) bool { return strings.Contains(j.Reason, three) })
	}
	d.until("it is refused", refused)
	for range 5 {
		endOldest(t, d.queue)
	}
	d.settled(7)
}

// Lines of a file that is only read wait likewise, also over a restart, and each
// is taken once.
func TestLinesThatAreOnlyReadWaitForRoom(t *testing.T) {
	d := newDesk(t)
	d.local = false
	d.most.Store(5)
	for n := range 100 {
		d.append(fmt.Sprintf("sleep %d\n", n))
	}
	d.start()
	for n := range 100 {
		d.until("there are as many as may be", func() bool { return pending(t, d.queue) == min(5, 100-n) })
		if got := endOldest(t, d.queue); got != fmt.Sprint(n) {
			t.Fatalf("job %d is of line %s", n, got)
		}
		if n%30 == 29 {
			d.halt()
			d.append(fmt.Sprintf("# %d\n", n))
			d.start()
		}
	}
	d.until("nothing waits", func() bool { return pending(t, d.queue) == 0 })
	if n := len(d.jobs()); n != 100 {
		t.Errorf("%d jobs of 100 lines", n)
	}
}
