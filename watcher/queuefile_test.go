package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// desk is a queue file with a real queue behind it, and a daemon's half that
// can be started and stopped.
type desk struct {
	t     *testing.T
	dir   string
	path  string
	queue *jobs.Queue
	local bool
	keep  int
	stop  func()
	asked atomic.Int64 // how often the settings were asked for
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "state"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "scripts"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scripts", "countdown.py"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	q, err := jobs.Open(filepath.Join(dir, "state", "jobs.db"))
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, dir: dir, path: filepath.Join(dir, "job_queue.txt"), queue: q, local: true, keep: 1000}
	t.Cleanup(func() { d.halt(); q.Close() })
	return d
}

func (d *desk) catalog() *jobs.Catalog {
	pattern := regexp.MustCompile(`^(?:[0-9]{1,6})$`)
	return &jobs.Catalog{Dir: d.dir, MaxConcurrent: 3, Types: map[string]*jobs.Type{
		"python": {Name: "python", Interpreter: []string{"python3"}, Scripts: filepath.Join(d.dir, "scripts"),
			Extensions: []string{".py"}, Args: jobs.ArgRules{Max: -1}, Workdir: d.dir, Umask: -1},
		"sleep": {Name: "sleep", Command: []string{"sleep"}, Args: jobs.ArgRules{Min: 1, Max: 1, Pattern: pattern},
			Workdir: d.dir, Umask: -1},
	}}
}

func (d *desk) options() queueOptions {
	return queueOptions{
		Path: d.path, StateDir: filepath.Join(d.dir, "state"), Queue: d.queue, Catalog: d.catalog,
		Settings: func() Settings {
			d.asked.Add(1)
			return Settings{PollInterval: 200 * time.Millisecond, QueueKeep: d.keep}
		},
		Local: func(string) (bool, string, error) { return d.local, "nfs", nil },
		Log:   zerolog.New(zerolog.NewTestWriter(d.t)),
	}
}

// start runs the queue file until halt.
func (d *desk) start() {
	d.t.Helper()
	q, err := newQueueFile(d.options())
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if err := q.prepare(ctx); err != nil {
		d.t.Fatal(err)
	}
	hints := make(chan struct{}, 1)
	f := watchFolder(d.dir, zerolog.Nop())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-f.C():
				f.take()
				select {
				case hints <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	ran := make(chan struct{})
	go func() { q.run(ctx, hints); close(ran) }()
	d.stop = func() {
		cancel()
		<-ran
		<-done
		f.Close()
		q.Close()
	}
}

func (d *desk) halt() {
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

func (d *desk) append(text string) {
	d.t.Helper()
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) read() string {
	d.t.Helper()
	b, err := os.ReadFile(d.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		d.t.Fatal(err)
	}
	return string(b)
}

func (d *desk) write(text string) {
	d.t.Helper()
	if err := os.WriteFile(d.path, []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) jobs() []*jobs.Job {
	d.t.Helper()
	all, err := d.queue.List(context.Background(), jobs.Filter{Limit: 500})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// until waits for a condition, and says what stood in the file if it never held.
func (d *desk) until(what string, ok func() bool) {
	d.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			b, _ := os.ReadFile(d.path)
			d.t.Fatalf("never happened: %s\nfile:\n%s\njobs: %v", what, b, d.describe())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (d *desk) describe() (all []string) {
	for _, j := range d.jobs() {
		all = append(all, fmt.Sprintf("%s %s %v %s %q", j.ID[:8], j.Target, j.Args, j.State, j.Reason))
	}
	return all
}

// lines returns the words of every line of the file.
func (d *desk) lines() (all [][]string) {
	for _, l := range strings.Split(strings.TrimSuffix(d.read(), "\n"), "\n") {
		all = append(all, strings.Fields(l))
	}
	return all
}

// settled waits until every job has exactly one line with its state, and
// nothing else is in the file.
func (d *desk) settled(n int) {
	d.t.Helper()
	d.until(fmt.Sprintf("%d jobs, each with its line", n), func() bool {
		all := d.jobs()
		states := map[string]string{}
		for _, j := range all {
			states[j.ID] = string(j.State)
		}
		if len(all) != n {
			return false
		}
		seen := map[string]bool{}
		for _, l := range d.lines() {
			if len(l) < 4 || seen[strings.ToLower(l[0])] || states[strings.ToLower(l[0])] != l[len(l)-1] {
				return false
			}
			seen[strings.ToLower(l[0])] = true
		}
		return len(seen) == n
	})
}

func (d *desk) begin(id string) {
	d.t.Helper()
	started, err := d.queue.Begin(context.Background(), []jobs.Start{{ID: id, Attempt: 1, Instance: "i"}})
	if err != nil || len(started) != 1 {
		d.t.Fatalf("Begin(%s) = %d jobs, %v", id, len(started), err)
	}
}

func (d *desk) end(id string, s jobs.State) {
	d.t.Helper()
	zero := 0
	ok, err := d.queue.End(context.Background(), id, 1, jobs.Ending{State: s, Reason: "exit 0", ExitCode: &zero, FinishedAt: time.Now()})
	if err != nil || !ok {
		d.t.Fatalf("End(%s) = %v, %v", id, ok, err)
	}
}

func (d *desk) job(id string) *jobs.Job {
	d.t.Helper()
	j, err := d.queue.Job(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return j
}

func (d *desk) state(id string) jobs.State {
	d.t.Helper()
	return d.job(id).State
}

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
