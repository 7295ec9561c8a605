package retention_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"jobrunner/jobs"
	"jobrunner/retention"
)

// world is a state folder with its queue, whose jobs somebody else has run.
type world struct {
	*testing.T
	dir       string
	path      string // of the database
	queue     *jobs.Queue
	rule      jobs.Retention
	discarded []string // names of files in the outbox
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"logs", "scripts"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{T: t, dir: dir, path: filepath.Join(dir, "jobs.db")}
	var err error
	if w.queue, err = jobs.Open(w.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.queue.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) edit(query string, args ...any) {
	w.Helper()
	db, err := sql.Open("sqlite", "file:"+w.path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		w.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(name string, size int) string {
	w.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

// there reports whether a file is in the state folder.
func (w *world) there(name string) bool {
	_, err := os.Lstat(filepath.Join(w.dir, filepath.FromSlash(name)))
	return err == nil
}

// job takes in a job, which ended ten days ago.
func (w *world) job(change func(*jobs.Job)) string {
	w.Helper()
	j := &jobs.Job{ID: uuid.NewString(), Type: "t", State: jobs.Completed, SubmittedAt: time.Now().Add(-240 * time.Hour)}
	if change != nil {
		change(j)
	}
	if _, err := w.queue.Accept(w.Context(), jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
		w.Fatal(err)
	}
	w.edit("UPDATE jobs SET line_at = -1 WHERE id = ?", j.ID)
	return j.ID
}

func (w *world) gone(id string) bool {
	_, err := w.queue.Job(w.Context(), id)
	var gone *jobs.PrunedError
	return errors.As(err, &gone)
}

// keep runs a Keeper until done says so.
func (w *world) keep(done func() bool) {
	w.Helper()
	k := retention.New(retention.Options{
		StateDir: w.dir, Queue: w.queue, Rule: func() jobs.Retention { return w.rule },
		Followed:    func() int64 { return math.MaxInt64 },
		Undelivered: func() map[string]bool { return nil },
		Discard: func(_ context.Context, name string, _ time.Time) (int64, error) {
			w.discarded = append(w.discarded, name)
			return 1000, nil
		},
		LetLeave: func([]string) {},
	})
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan error)
	go func() { ended <- k.Run(ctx) }()
	w.await(done)
	cancel()
	if err := <-ended; err != nil {
		w.Error(err)
	}
}

// await waits until done, for as long as jobs go.
func (w *world) await(done func() bool) {
	w.Helper()
	const patience = time.Minute
	left := -1
	for since := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		s, err := w.queue.Stats(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		n := 0
		for _, state := range jobs.States {
			if state.Ended() {
				n += s.States[state]
			}
		}
		switch {
		case n != left:
			left, since = n, time.Now()
		case time.Since(since) > patience:
			w.Error("it does not come to its end")
			return
		}
	}
}

// ask takes in a command to prune, and gives its answer once it is done.
func (w *world) ask(wish jobs.Wish) string {
	w.Helper()
	id := uuid.NewString()
	_, err := w.queue.Accept(w.Context(), jobs.Intake{
		Receipt: &jobs.Receipt{ID: id, Name: "prune.yaml"},
		Entries: []jobs.Entry{{Command: &jobs.Command{Action: jobs.Prune, Prune: wish}}},
	})
	if err != nil {
		w.Fatal(err)
	}
	var r *jobs.Receipt
	w.keep(func() bool {
		if r, err = w.queue.ReceiptByID(w.Context(), id); err != nil {
			w.Fatal(err)
		}
		return r.State != jobs.Running
	})
	return string(r.State) + " " + r.Reason
}

// The output of every attempt goes with a job, and what belongs to it; what
// else lies in the folder stays.
func TestLogsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule = jobs.Retention{Age: 9 * 24 * time.Hour}
	id, other := w.job(func(j *jobs.Job) { j.Attempt = 3 }), w.job(func(j *jobs.Job) { j.SubmittedAt = time.Now() })
	mine := []string{id + ".log", id + ".1.log", id + ".2.log", id + ".1.cut", id + ".3.cut", id + ".1.progress", id + ".3.progress"}
	others := []string{other + ".log", id + ".log.bak", "notes.txt"}
	for _, name := range append(mine, others...) {
		w.write("logs/"+name, 5000)
	}
	w.keep(func() bool { return w.gone(id) && !w.there("logs/"+id+".3.progress") })
	for _, name := range mine {
		if w.there("logs/" + name) {
			t.Errorf("%s is left", name)
		}
	}
	for _, name := range others {
		if !w.there("logs/" + name) {
			t.Errorf("%s is gone", name)
		}
	}
	if w.gone(other) {
		t.Error("a job went that is too young")
	}
}

// A copy of a script goes with the last job that has it, unless somebody counted
// on it lately: a job that does may be on its way.
func TestCopiesGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule = jobs.Retention{Age: 9 * 24 * time.Hour}
	old := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{"unneeded.py", "needed.py", "young.py", ".123.tmp"} {
		path := w.write("scripts/"+name, 9)
		if name != "young.py" {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
		hash, _, _ := strings.Cut(name, ".")
		w.job(func(j *jobs.Job) { j.ScriptHash = hash })
	}
	w.job(func(j *jobs.Job) { j.ScriptHash, j.SubmittedAt = "needed", time.Now() })
	w.keep(func() bool { return !w.there("scripts/unneeded.py") })
	for name, want := range map[string]bool{"needed.py": true, "young.py": true, ".123.tmp": false} {
		if got := w.there("scripts/" + name); got != want {
			t.Errorf("%s is there: %v, want %v", name, got, want)
		}
	}
	trash, err := w.queue.Trash(t.Context(), jobs.TrashScript, "", 9)
	if err != nil || len(trash) != 1 || trash[0].Name != "young" {
		t.Errorf("noted for later: %+v, %v", trash, err)
	}
}

// A copy that was too young when a command let its job go is removed later, also
// where nothing else goes by itself.
func TestYoungCopyGoesLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule = jobs.Retention{Forever: true}
	path := w.write("scripts/abc.py", 9)
	w.job(func(j *jobs.Job) { j.ScriptHash = "abc" })
	w.ask(jobs.Wish{Ruled: true})
	if !w.there("scripts/abc.py") {
		t.Fatal("the copy went while somebody may count on it")
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	w.keep(func() bool { return !w.there("scripts/abc.py") })
}

// A command does not walk through what is younger than it asks for: that could be
// millions of rows, and somebody waits. What a crash has left there goes with the
// first look after a start.
func TestCommandWalksNoFurtherThanItAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule = jobs.Retention{Forever: true}
	w.edit("INSERT INTO events (at, job, kind, state, reason) VALUES (?, 'gone', 'ended', 'FAILED', '')", time.Now().UnixMilli())
	w.edit("INSERT INTO pruned (id, state, finished_at, sweep) VALUES ('gone', 'FAILED', ?, 0)", time.Now().UnixMilli())
	of := func(id string) (n int) {
		events, err := w.queue.Events(t.Context(), 0, 9)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Job == id {
				n++
			}
		}
		return n
	}
	w.ask(jobs.Wish{Ruled: true, OlderThan: time.Hour})
	if of("gone") != 1 {
		t.Error("the command has walked through all events")
	}
	w.rule = jobs.Retention{Age: time.Hour}
	w.keep(func() bool { return of("gone") == 0 })
}

// The answers to commands.
func TestAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rule = jobs.Retention{Forever: true}
	for n := range 4 {
		state := []jobs.State{jobs.Completed, jobs.Failed}[n%2]
		id := w.job(func(j *jobs.Job) { j.State = state })
		w.write("logs/"+id+".log", 4096)
	}
	stays := w.job(nil)
	w.edit("UPDATE jobs SET line_at = 5 WHERE id = ?", stays)
	ruled := func(w jobs.Wish) jobs.Wish { w.Ruled = true; return w }
	for _, c := range []struct {
		wish jobs.Wish
		want string
	}{
		{jobs.Wish{}, "REJECTED retention is forever: say what may go, with older_than or keep"},
		{ruled(jobs.Wish{OlderThan: 1000 * time.Hour}), "COMPLETED pruned 0 jobs, 0 bytes freed"},
		{ruled(jobs.Wish{DryRun: true}), "COMPLETED would prune 5 jobs, 16.0 KiB, and 1 line of the queue file"},
		{ruled(jobs.Wish{State: jobs.Failed}), "COMPLETED pruned 2 jobs, 8.0 KiB freed"},
		{ruled(jobs.Wish{}), "COMPLETED pruned 2 jobs, 8.0 KiB freed; 1 job stays for now: the queue file has the line still, as another program uses it"},
	} {
		if got := w.ask(c.wish); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.wish, got, c.want)
		}
	}
}

// Many jobs go while others come in: each of these waits for a few small steps
// at most, however many go. The long version prunes 100,000, the short one
// 10,000.
func TestManyGoWhileOthersCome(t *testing.T) {
	w := newWorld(t)
	many := 10_000
	if os.Getenv("JOBRUNNER_SOAK") != "" {
		many = 100_000
	}
	w.job(nil)
	w.edit(fmt.Sprintf(`WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO jobs (id, spelling, type, target, args, name, labels, priority, source, timeout, env, workdir, state, reason,
		attempt, submitted_at, started_at, finished_at, exit_code, signal, command, log, instance, pid, proc_start, proc_boot,
		end_reason, line_at, raw_hash, doubt, node)
		SELECT lower(hex(randomblob(16))), '', 't', 't', '', '', '', 0, '', 0, '', '', 'COMPLETED', '', 1, 1000 + i, 1000 + i, 2000 + i,
		0, '', '', 'logs/x.log', '', 0, '', '', '', -1, 0, 0, '' FROM n`, many))
	w.edit("INSERT INTO events (at, job, kind, state, reason) SELECT finished_at, id, 'ended', state, reason FROM jobs")
	var steps atomic.Int64
	jobs.OnStep = func(name string) {
		if name == "prune: rows gone" {
			steps.Add(1)
		}
	}
	t.Cleanup(func() { jobs.OnStep = nil })

	stop, stopped := make(chan struct{}), make(chan struct{})
	var came, late int
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			before := steps.Load()
			j := &jobs.Job{ID: uuid.NewString(), Type: "t", State: jobs.Pending}
			if _, err := w.queue.Accept(context.Background(), jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
				t.Error(err)
				return
			}
			came++
			if steps.Load()-before > 2 {
				late++
			}
		}
	}()
	begun := time.Now()
	w.keep(func() bool {
		s, err := w.queue.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s.States[jobs.Completed] == 0
	})
	took := time.Since(begun)
	close(stop)
	<-stopped
	t.Logf("%d jobs went in %d steps and %v, while %d came, %d of them late", many, steps.Load(), took, came, late)
	if least := int64(many / 100); steps.Load() < least {
		t.Errorf("%d steps, want %d at least", steps.Load(), least)
	}
	if came < many/100 || late > came/10 {
		t.Errorf("%d jobs came in, %d of them waited for more than two steps", came, late)
	}
}
