package jobs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"jobrunner/jobs"

	"github.com/google/uuid"
)

var bg = context.Background()

// openQueue gives an empty queue in a folder of its own.
func openQueue(t testing.TB) (*jobs.Queue, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jobs.db")
	return reopenQueue(t, path), path
}

func reopenQueue(t testing.TB, path string) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// pendingJob is a new job of type "train".
func pendingJob() *jobs.Job {
	return &jobs.Job{ID: uuid.NewString(), Type: "train", Target: "train.py", Args: []string{"1", "a b"},
		Source: "inbox:a.yaml", State: jobs.Pending, Attempt: 1, SubmittedAt: time.Now()}
}

// accept takes jobs in and gives them as they now are.
func accept(t testing.TB, q *jobs.Queue, list ...*jobs.Job) []*jobs.Job {
	t.Helper()
	var in jobs.Intake
	for _, j := range list {
		in.Entries = append(in.Entries, jobs.Entry{Job: j})
	}
	out, err := q.Accept(bg, in)
	if err != nil {
		t.Fatal(err)
	}
	var taken []*jobs.Job
	for _, o := range out {
		taken = append(taken, o.Job)
	}
	return taken
}

// begin accepts a job and takes it to RUNNING.
func begin(t testing.TB, q *jobs.Queue, j *jobs.Job) *jobs.Job {
	t.Helper()
	accept(t, q, j)
	begun, err := q.Begin(bg, []jobs.Start{{ID: j.ID, Attempt: 1, Instance: "supervisor"}})
	if err != nil || len(begun) != 1 {
		t.Fatalf("Begin gave %d jobs, error %v", len(begun), err)
	}
	return begun[0]
}

func readJob(t testing.TB, q *jobs.Queue, id string) *jobs.Job {
	t.Helper()
	j, err := q.Job(bg, id)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// same fails unless got and want print alike.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func TestQueueKeepsAllOfAJob(t *testing.T) {
	q, path := openQueue(t)
	j := pendingJob()
	j.Spelling = strings.ToUpper(j.ID)
	j.Name, j.Labels = "näctly <&>", map[string]string{"owner": "ada", "a\"b": "c\\d"}
	j.Args = []string{"", "x\ny", `q"`, "\u2028"}
	j.Priority, j.Timeout, j.Workdir = -7, 90*time.Second, "runs/a"
	j.Env = map[string]string{"EPOCHS": "10"}
	j.RawHash, j.LineAt = 1<<63+5, 1234
	taken := accept(t, q, j)[0]
	if taken.Seq == 0 {
		t.Error("the job has no Seq")
	}
	want := *j
	want.Seq = taken.Seq
	want.SubmittedAt = j.SubmittedAt.UTC().Truncate(time.Millisecond)
	same(t, "outcome", *taken, want)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "read again", *readJob(t, reopenQueue(t, path), j.ID), want)
}

func TestOpenMakesAPrivateFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there the folder's rights count")
	}
	q, path := openQueue(t)
	accept(t, q, pendingJob())
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), got)
		}
	}
}

func TestOpenMigrates(t *testing.T) {
	latest := len(jobs.Migrations)
	for version := range latest + 1 {
		t.Run(fmt.Sprintf("from schema %d", version), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jobs.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range jobs.Migrations[:version] {
				mustExec(t, db, step)
			}
			mustExec(t, db, fmt.Sprintf("PRAGMA user_version = %d", version))
			if version > 0 {
				mustExec(t, db, "INSERT INTO identity VALUES ('kept')")
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			q := reopenQueue(t, path)
			if version > 0 && q.StateID() != "kept" {
				t.Errorf("StateID is %q, want that of the older schema", q.StateID())
			}
			j := pendingJob()
			accept(t, q, j)
			same(t, "state", readJob(t, q, j.ID).State, jobs.Pending)
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			again := reopenQueue(t, path)
			same(t, "StateID", again.StateID(), q.StateID())
			if _, err := uuid.Parse(again.StateID()); err != nil && version == 0 {
				t.Error(err)
			}
		})
	}
}

func mustExec(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	newer := len(jobs.Migrations) + 6
	for _, c := range []struct{ name, query, want string }{
		{"a newer schema", fmt.Sprintf("PRAGMA user_version = %d", newer), fmt.Sprintf(
			"jobs.db was written by a newer jobrunner (schema %d, this one knows %d): use that one", newer, newer-6)},
		{"another program's", "CREATE TABLE t (a)", "jobs.db is a database of another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "jobs.db")
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, c.query)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := jobs.Open(path); err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("Open:\n got %v\nwant %s", err, c.want)
			}
			if after, err := os.ReadFile(path); err != nil || len(after) != len(before) {
				t.Errorf("the file has %d bytes, before %d (%v)", len(after), len(before), err)
			}
		})
	}
	t.Run("no database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "jobs.db")
		if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
		if q, err := jobs.Open(path); err == nil {
			q.Close()
			t.Error("Open took it")
		}
	})
}

func TestReaderOfNothing(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "jobs.db"), filepath.Join(dir, "no", "jobs.db"), empty} {
		if _, err := jobs.OpenReader(path); !errors.Is(err, jobs.ErrNoQueue) {
			t.Errorf("OpenReader(%s): got %v, want ErrNoQueue", path, err)
		}
	}
}

// After a clean end there are neither -wal nor -shm.
func TestReaderAfterACleanEnd(t *testing.T) {
	q, path := openQueue(t)
	j := pendingJob()
	accept(t, q, j)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-shm"); err == nil {
		t.Fatal("Close left jobs.db-shm")
	}
	r, err := jobs.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	same(t, "job", readJob(t, r, j.ID).ID, j.ID)
	same(t, "StateID", r.StateID(), q.StateID())
	for name, write := range map[string]func() error{
		"Accept":  func() error { _, err := r.Accept(bg, jobs.Intake{}); return err },
		"End":     func() error { _, err := r.End(bg, j.ID, 1, jobs.Ending{State: jobs.Lost}); return err },
		"PutMeta": func() error { return r.PutMeta(bg, "a", "b") },
	} {
		if err := write(); !errors.Is(err, jobs.ErrReadOnly) {
			t.Errorf("%s: got %v, want ErrReadOnly", name, err)
		}
	}
}

func TestClosedQueueTakesNothing(t *testing.T) {
	q, _ := openQueue(t)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if err := q.PutMeta(bg, "a", "b"); !errors.Is(err, jobs.ErrClosed) {
		t.Errorf("PutMeta: got %v, want ErrClosed", err)
	}
	if err := q.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// Whoever is answered while the queue is closed is answered with the truth.
func TestCloseUnderLoad(t *testing.T) {
	q, path := openQueue(t)
	var mu sync.Mutex
	var taken []string
	var group sync.WaitGroup
	started := make(chan struct{}, 1000)
	for range 8 {
		group.Go(func() {
			for {
				j := pendingJob()
				_, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}})
				if err != nil {
					return
				}
				mu.Lock()
				taken = append(taken, j.ID)
				mu.Unlock()
				select {
				case started <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 20 {
		<-started
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	again := reopenQueue(t, path)
	for _, id := range taken {
		readJob(t, again, id)
	}
	stats, err := again.Stats(bg)
	if err != nil || stats.States[jobs.Pending] < len(taken) {
		t.Errorf("counted %d, acknowledged %d (%v)", stats.States[jobs.Pending], len(taken), err)
	}
}

// tokenTime is longer than the token of a commit takes.
const tokenTime = 50 * time.Millisecond

// told waits for tokenTime and reports whether a token came.
func told(woken <-chan struct{}) bool {
	time.Sleep(tokenTime)
	select {
	case <-woken:
		return true
	default:
		return false
	}
}

func TestChangedWakesAfterCommits(t *testing.T) {
	q, _ := openQueue(t)
	woken, stop := q.Changed()
	accept(t, q, pendingJob())
	accept(t, q, pendingJob())
	time.Sleep(tokenTime)
	<-woken
	if told(woken) {
		t.Error("two tokens at once")
	}
	if _, err := q.End(bg, uuid.NewString(), 1, jobs.Ending{State: jobs.Lost}); err != nil {
		t.Fatal(err)
	}
	if told(woken) {
		t.Error("a token although nothing changed")
	}
	accept(t, q, pendingJob())
	<-woken
	stop()
	accept(t, q, pendingJob())
	if told(woken) {
		t.Error("a token after the end")
	}
}

// What an acknowledged change's survival of a power cut rests on.
func TestWriterIsDurable(t *testing.T) {
	q, _ := openQueue(t)
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "page_size": "4096",
		"wal_autocheckpoint": "1000"} {
		if got, err := q.Pragma(bg, name); got != want || err != nil {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

// A path is a path, whatever it looks like to those who read it as a URI.
func TestOpenAnyPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b#c%41&mode=ro;é")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	q := reopenQueue(t, filepath.Join(dir, "jobs.db"))
	accept(t, q, pendingJob())
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 3 {
		t.Errorf("the folder holds %q (%v), want the database and its two companions", names, err)
	}
}

func TestMeta(t *testing.T) {
	q, _ := openQueue(t)
	for _, want := range []string{"", "one", "two"} {
		if want != "" {
			if err := q.PutMeta(bg, "key", want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := q.Meta(bg, "key"); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestFailingOperationHarmsNoOther(t *testing.T) {
	q, _ := openQueue(t)
	for i, err := range q.CommitTogether(4) {
		if (err != nil) != (i == 2) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	events, err := q.Events(bg, 0, 0)
	if err != nil || len(events) != 4 {
		t.Errorf("%d events, want 4 (%v)", len(events), err)
	}
	if err := q.Healthy(); err != nil {
		t.Errorf("a refused operation is no fault of the disk: %v", err)
	}
}

// A queue that gives its memory back tells of no change, and keeps nobody from
// reading and writing at that moment.
func TestShrink(t *testing.T) {
	t.Parallel()
	q, _ := openQueue(t)
	changed, unsubscribe := q.Changed()
	defer unsubscribe()
	accept(t, q, pendingJob())
	<-changed
	if err := q.Shrink(bg); err != nil {
		t.Fatal(err)
	}
	if told(changed) {
		t.Error("it told of a change")
	}
	begun := time.Now()
	if held := jobs.HoldIdle(q, func() {
		if err := q.Shrink(bg); err != nil {
			t.Error(err)
		}
	}); held == 0 {
		t.Error("no connection is left open")
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it waited %s for connections that are in use", took)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				j := pendingJob()
				if _, err := q.Accept(bg, jobs.Intake{Entries: []jobs.Entry{{Job: j}}}); err != nil {
					t.Error(err)
				}
				if _, err := q.Job(bg, j.ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		if err := q.Shrink(bg); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
}
