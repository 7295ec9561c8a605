package runner

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"jobrunner/jobs"
)

// patience bounds everything that a test waits for.
const patience = 2 * time.Minute

func init() {
	roles["exit"] = func(args []string) { os.Exit(number(args[0])) }
	// span notes when it began and ended.
	roles["span"] = func(args []string) {
		note(args[0], "begin", args[2])
		time.Sleep(time.Duration(number(args[1])) * time.Millisecond)
		note(args[0], "end", args[2])
	}
	// until says that it runs by making a file, and exits when another one is there.
	roles["until"] = func(args []string) {
		note(args[0]+".up", "up", os.Getenv("JOBRUNNER_ATTEMPT"))
		for !exists(args[0]) {
			time.Sleep(5 * time.Millisecond)
		}
		os.Exit(number(args[1]))
	}
	// deaf is until, but SIGTERM does not end it.
	roles["deaf"] = func(args []string) {
		signal.Ignore(os.Interrupt, syscall.SIGTERM)
		roles["until"](args)
	}
}

func number(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(98)
	}
	return n
}

func note(path string, words ...string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = fmt.Fprintf(f, "%d %s\n", time.Now().UnixNano(), strings.Join(words, " "))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(97)
	}
	f.Close()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// world is a state folder with its queue and its types.
type world struct {
	t       *testing.T
	dir     string
	state   string
	queue   *jobs.Queue
	catalog atomic.Pointer[jobs.Catalog]
	pools   map[string]jobs.SlotPool // of the next configure
	drained func()                   // of the next serve
	log     zerolog.Logger
}

// newWorld makes a world with the type "role", whose jobs run roles, and the
// limit. Whatever runs in it is killed when the test ends.
func newWorld(t *testing.T, limit int, more ...*jobs.Type) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, dir: dir, state: filepath.Join(dir, "state")}
	w.log = zerolog.New(zerolog.NewTestWriter(t)).With().Timestamp().Logger()
	if err := os.Mkdir(w.state, 0o700); err != nil {
		t.Fatal(err)
	}
	w.configure(limit, more...)
	var err error
	if w.queue, err = jobs.Open(filepath.Join(w.state, "queue.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.killAll()
		if err := w.queue.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// roleType is a type whose arguments are a role and what that takes.
func roleType(name string) *jobs.Type {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return &jobs.Type{
		Name: name, Command: []string{exe, "role"}, Args: jobs.ArgRules{Max: -1}, Umask: -1,
		KillGrace: 5 * time.Second,
		Env:       map[string]string{"GORACE": "atexit_sleep_ms=0"}, // else -race makes each job 1 s longer
	}
}

func (w *world) configure(limit int, more ...*jobs.Type) {
	c := &jobs.Catalog{Dir: w.dir, MaxConcurrent: limit, Types: map[string]*jobs.Type{}, Slots: w.pools}
	for _, typ := range append([]*jobs.Type{roleType("role")}, more...) {
		typ.Workdir = w.dir
		c.Types[typ.Name] = typ
	}
	w.catalog.Store(c)
}

func (w *world) options() Options {
	exe, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	return Options{StateDir: w.state, Queue: w.queue, Catalog: w.catalog.Load,
		Command: []string{exe, "supervise", w.state}, Log: w.log, Drained: w.drained}
}

// serve runs a Runner until stop is called or the test ends.
func (w *world) serve() (r *Runner, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	r = New(w.options())
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				w.t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			w.t.Error("Run did not return")
		}
	}
	w.t.Cleanup(stop)
	return r, stop
}

// add puts a job of type role into the queue.
func (w *world) add(args ...string) string { return w.addJob(jobs.Job{Args: args}) }

func (w *world) addJob(job jobs.Job, waits ...jobs.Wait) string {
	w.t.Helper()
	if job.Type == "" {
		job.Type = "role"
	}
	job.ID, job.Target, job.State, job.Attempt, job.Source = uuid.NewString(), job.Type, jobs.Pending, 1, "inbox:test.yaml"
	_, err := w.queue.Accept(context.Background(), jobs.Intake{Entries: []jobs.Entry{{Job: &job, Waits: waits}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return job.ID
}

func (w *world) command(action jobs.Action, ids ...string) {
	w.t.Helper()
	out, err := w.queue.Execute(context.Background(), jobs.Command{Action: action, IDs: ids})
	if err != nil || out.State != jobs.Completed {
		w.t.Fatalf("%s %s: %+v, %v", action, ids, out, err)
	}
}

func (w *world) job(id string) *jobs.Job {
	w.t.Helper()
	job, err := w.queue.Job(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return job
}

// await blocks until ok holds for the job.
func (w *world) await(id, what string, ok func(*jobs.Job) bool) *jobs.Job {
	w.t.Helper()
	changed, unsubscribe := w.queue.Changed()
	defer unsubscribe()
	timeout := time.After(patience)
	for {
		job := w.job(id)
		if ok(job) {
			return job
		}
		select {
		case <-changed:
		case <-timeout:
			w.t.Fatalf("job %s is %s %q (pid %d), not %s", id, job.State, job.Reason, job.PID, what)
		}
	}
}

func (w *world) awaitEnd(id string) *jobs.Job {
	w.t.Helper()
	return w.await(id, "ended", func(j *jobs.Job) bool { return j.State.Ended() })
}

// awaitRun blocks until the job's process is known and has said that it runs.
func (w *world) awaitRun(id, file string) *jobs.Job {
	w.t.Helper()
	job := w.await(id, "running", func(j *jobs.Job) bool { return j.Process.PID != 0 })
	w.awaitFile(file + ".up")
	return job
}

func (w *world) awaitFile(path string) {
	w.t.Helper()
	w.poll(path+" is there", func() bool { return exists(path) })
}

// poll blocks until ok holds; it is for what nothing tells of.
func (w *world) poll(what string, ok func() bool) {
	w.t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(patience)
	for !ok() {
		select {
		case <-ticker.C:
		case <-timeout:
			w.t.Fatalf("not so: %s", what)
		}
	}
}

// want compares a job's state and reason.
func (w *world) want(job *jobs.Job, state jobs.State, reason string) {
	w.t.Helper()
	if job.State != state || job.Reason != reason {
		w.t.Errorf("job %s is %s %q, want %s %q", job.ID, job.State, job.Reason, state, reason)
	}
}

// file is a path for an until role to wait for.
func (w *world) file(name string) string { return filepath.Join(w.dir, name) }

// release lets the jobs end that wait for the file.
func (w *world) release(file string) {
	w.t.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// readJournal returns what the supervisors of a state folder, the running one
// and those before it, have written down and nobody has acknowledged.
func readJournal(stateDir string) (map[key]journalEntry, error) {
	c, err := loadJournal(stateDir)
	if err != nil {
		return nil, err
	}
	return c.entries, nil
}

// supervisorPID is that of the running supervisor, 0 if there is none.
func (w *world) supervisorPID() int {
	e, err := dial(context.Background(), w.state)
	if err != nil {
		return 0
	}
	defer e.Close()
	return e.PID()
}

// killSupervisor kills the supervisor outright and waits until it is gone.
func (w *world) killSupervisor() {
	w.t.Helper()
	p, ok := identify(w.supervisorPID())
	if !ok {
		w.t.Fatal("no supervisor runs")
	}
	kill(p)
	w.poll("the supervisor is gone", func() bool { return !alive(p) })
}

func kill(p jobs.ProcessID) {
	if process, err := os.FindProcess(p.PID); err == nil && alive(p) {
		_ = process.Kill()
	}
}

// killAll kills the supervisor and every process of a job of this world.
func (w *world) killAll() {
	if p, ok := identify(w.supervisorPID()); ok {
		kill(p)
		w.poll("the supervisor is gone", func() bool { return !alive(p) })
	}
	found, err := w.queue.List(context.Background(), jobs.Filter{Limit: 500})
	if err != nil {
		w.t.Error(err)
	}
	for _, job := range found {
		if job.State == jobs.Running || job.State == jobs.Lost {
			for _, p := range findByJob(job.ID, job.Attempt) {
				kill(p)
			}
		}
	}
}
