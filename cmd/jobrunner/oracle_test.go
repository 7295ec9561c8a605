//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"jobrunner/jobs"
)

// oracle knows every request that was put in and what each job has written
// down itself, outside of all that may break, and says at the end whether the
// two fit together with what jobrunner tells of them.
//
// A job is known by its tag, its first argument, which is unique; the second
// one is the exit code that it is to end with.
type oracle struct {
	*world
	limit   int                  // jobs at once
	trace   string               // file in which jobs write when they begin and end
	view    string               // file with the jobs' lines, in the world's folder
	mayLose bool                 // an exit status may stay unknown: a supervisor is killed, or the machine
	others  func(*jobs.Job) bool // jobs that are not judged; nil means none

	rejected int // requests that are to be refused, each a REJECTED job

	mu    sync.Mutex // guards asked
	asked map[string]*asked
}

// asked is a request that was put in.
type asked struct {
	code    int
	retries int
	maybe   bool   // it need not be known: nobody has said that it was taken
	line    string // as it was appended, where a part of it may get lost; "" if it cannot
	removed bool   // somebody has asked for its end
}

// oracleConfig is for a world with an oracle; its number is the limit. Jobs of
// the type "again" are tried three times.
const oracleConfig = `listen: ""
max_concurrent: %d
types:
  trace: {interpreter: [sh], scripts: scripts}
  again: {command: [sh, scripts/trace.sh], max_retries: 2, retry_delay: 20ms}
`

// traceJob is the job that writes down what becomes of it:
// "trace.sh tag code [seconds]". Each line is one write at the end of the file. Of a
// line that a power cut has torn not all words may be left.
const traceJob = `echo "start ${1:-none} $JOBRUNNER_ATTEMPT" >> '%[1]s'
[ -z "$3" ] || sleep "$3"
echo "end ${1:-none} $JOBRUNNER_ATTEMPT ${2:-0}" >> '%[1]s'
exit "${2:-0}"
`

// newOracle gives the world, whose configuration has oracleConfig's type, the
// job that an oracle can judge.
func newOracle(w *world, limit int) *oracle {
	w.Helper()
	dir, err := os.MkdirTemp("", "jobrunner-trace-")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { os.RemoveAll(dir) })
	o := &oracle{
		world: w, limit: limit, trace: filepath.Join(dir, "trace"), view: "job_queue.txt", asked: map[string]*asked{},
	}
	w.write("scripts/trace.sh", fmt.Sprintf(traceJob, o.trace))
	w.Cleanup(func() {
		if w.Failed() {
			text, _ := os.ReadFile(o.trace)
			w.Logf("the jobs' trace ends:\n%s", text[max(0, len(text)-2000):])
		}
	})
	return o
}

// newOracleWorld is a world with an oracle and nothing else.
func newOracleWorld(t *testing.T, limit int) *oracle {
	t.Helper()
	return newOracle(newWorld(t, map[string]string{"jobrunner.yaml": fmt.Sprintf(oracleConfig, limit)}), limit)
}

// expect notes a request that is about to be put in. It may be called, as all
// that puts something in, from several goroutines.
func (o *oracle) expect(tag string, code int) *asked {
	a := &asked{code: code}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.asked[tag] != nil {
		panic("the tag " + tag + " is not unique")
	}
	o.asked[tag] = a
	return a
}

// note changes what is known of a request.
func (o *oracle) note(tag string, change func(*asked)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o.asked[tag])
}

// askLine appends a request to the queue file; more follows the exit code.
func (o *oracle) askLine(tag string, code int, more ...string) {
	o.Helper()
	o.expect(tag, code)
	o.append(strings.Join(append([]string{"trace.sh", tag, strconv.Itoa(code)}, more...), " "))
}

// askFile drops a request file, which is named as its tag.
func (o *oracle) askFile(tag string, code int, more ...string) {
	o.Helper()
	o.expect(tag, code)
	args := append([]string{strconv.Quote(tag), strconv.Itoa(code)}, more...)
	o.place("inbox/"+tag+".yaml", fmt.Sprintf("script: trace.sh\nargs: [%s]\n", strings.Join(args, ", ")))
}

// place writes a file under a name that is left alone and renames it.
func (o *oracle) place(name, text string) {
	o.Helper()
	o.write(name+".tmp", text)
	if err := os.Rename(o.path(name+".tmp"), o.path(name)); err != nil {
		o.Fatal(err)
	}
}

// killed notes that every process of a job has been killed by the test.
func (o *oracle) killed() {
	o.Helper()
	f, err := os.OpenFile(o.trace, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err == nil {
		_, err = f.WriteString("killed\n")
		f.Close()
	}
	if err != nil {
		o.Fatal(err)
	}
}

// settle returns when all that was asked for is known and has ended.
func (o *oracle) settle() {
	o.Helper()
	asked := time.Now()
	o.going(func() (bool, string) {
		all, err := o.all()
		open := o.missing(all)
		if err != nil { // the first daemon is still making the queue
			open = []string{err.Error()}
		}
		for _, j := range all {
			if !j.State.Ended() {
				open = append(open, fmt.Sprintf("%q is %s: %s", j.Args, j.State, j.Reason))
			}
		}
		words := fmt.Sprintf("%d jobs are known, %d begins and ends of jobs, %d are open", len(all), len(o.traced()), len(open))
		if time.Since(asked) > patience { // not part of the words: states may change for ever while nothing goes on
			o.Logf("still open: %s", strings.Join(open[:min(10, len(open))], "; "))
			asked = time.Now()
		}
		return len(open) == 0, words
	})
}

// going calls done until it reports that all is done, for as long as what it
// says in words changes.
func (o *oracle) going(done func() (bool, string)) {
	o.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	last, since := "", time.Now()
	for ; ; <-ticker.C {
		ok, words := done()
		switch {
		case ok:
			return
		case words != last:
			last, since = words, time.Now()
		case time.Since(since) > patience:
			o.Fatalf("nothing goes on any more: %s", words)
		}
	}
}

// check says what does not fit together. A daemon is to run, which may need a
// moment for files that it keeps.
func (o *oracle) check() {
	o.Helper()
	var found []string
	_ = within(patience, func() error {
		if found = o.faults(); len(found) > 0 {
			return errors.New("there are faults")
		}
		return nil
	})
	for _, f := range found[:min(20, len(found))] {
		o.Error(f)
	}
	if len(found) > 20 {
		o.Errorf("and %d faults more", len(found)-20)
	}
}

func (o *oracle) faults() (found []string) {
	all, err := o.all()
	if err != nil {
		return []string{err.Error()}
	}
	tr := readTrace(o.traced(), o.ends)
	found = append(found, tr.faults...)
	if tr.most > o.limit {
		found = append(found, fmt.Sprintf("%d jobs ran at once, want at most %d", tr.most, o.limit))
	}
	found = append(found, o.missing(all)...)
	found = append(found, o.doubled(all)...)
	for _, j := range all {
		found = append(found, o.judge(j, tr)...)
	}
	found = append(found, o.badLines(all)...)
	return append(found, o.badFiles(all)...)
}

// all reads every job.
func (o *oracle) all() (all []*jobs.Job, err error) {
	q, err := jobs.OpenReader(o.path(".jobrunner/" + databaseFile))
	if err != nil {
		return nil, err
	}
	defer q.Close()
	const some = 500
	for before := int64(0); ; {
		list, err := q.List(context.Background(), jobs.Filter{Before: before, Limit: some})
		if err != nil {
			return nil, err
		}
		for _, j := range list {
			if j.Attempt > 1 {
				if j, err = q.Detail(context.Background(), j.ID); err != nil {
					return nil, err
				}
			}
			all = append(all, j)
			before = j.Seq
		}
		if len(list) < some {
			return all, nil
		}
	}
}

// request gives what was asked for as j; nil if nobody has asked.
func (o *oracle) request(j *jobs.Job) *asked {
	if len(j.Args) == 0 || j.State == jobs.Rejected {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[j.Args[0]]
}

// ends reports whether the jobs of a tag come to their own end.
func (o *oracle) ends(tag string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	a := o.asked[tag]
	return a == nil || !a.removed
}

// missing says which requests have become no job.
func (o *oracle) missing(all []*jobs.Job) (found []string) {
	known := map[string]bool{}
	for _, j := range all {
		if o.request(j) != nil {
			known[j.Args[0]] = true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for tag, a := range o.asked {
		if !known[tag] && !a.maybe {
			found = append(found, fmt.Sprintf("request %s was lost", tag))
		}
	}
	slices.Sort(found)
	return found
}

// doubled says which requests have become two jobs, and which jobs nobody has
// asked for.
func (o *oracle) doubled(all []*jobs.Job) (found []string) {
	known := map[string]*jobs.Job{}
	rejected := 0
	for _, j := range all {
		if o.others != nil && o.others(j) {
			continue
		}
		if j.State == jobs.Rejected && rejected < o.rejected {
			rejected++
			continue
		}
		if o.request(j) == nil {
			found = append(found, fmt.Sprintf("nobody has asked for job %s: %q %q from %s, %s: %s", j.ID, j.Target, j.Args, j.Source, j.State, j.Reason))
			continue
		}
		tag := j.Args[0]
		if first := known[tag]; first != nil {
			found = append(found, fmt.Sprintf("request %s was accepted twice: %s from %s and %s from %s", tag, first.ID, first.Source, j.ID, j.Source))
		}
		known[tag] = j
	}
	if rejected < o.rejected {
		found = append(found, fmt.Sprintf("%d requests are REJECTED, want %d", rejected, o.rejected))
	}
	return found
}

// judge says what is not true of a job.
func (o *oracle) judge(j *jobs.Job, tr *trace) (found []string) {
	a := o.request(j)
	if a == nil || o.others != nil && o.others(j) {
		return nil
	}
	tag := j.Args[0]
	fault := func(format string, args ...any) {
		found = append(found, fmt.Sprintf("job %s (%s) ", tag, j.ID[:8])+fmt.Sprintf(format, args...))
	}
	attempts := j.Past
	if n := len(attempts); n == 0 || attempts[n-1].Attempt != j.Attempt {
		attempts = append(attempts, jobs.Attempt{Attempt: j.Attempt, State: j.State, Reason: j.Reason, ExitCode: j.ExitCode, Signal: j.Signal})
	}
	if len(attempts) != j.Attempt || j.Attempt > 1+a.retries {
		fault("is at attempt %d of %d, and %d are known", j.Attempt, 1+a.retries, len(attempts))
	}
	if a.code != 0 && j.State == jobs.Failed && j.Attempt != 1+a.retries {
		fault("was tried %d times, want %d", j.Attempt, 1+a.retries)
	}
	for _, at := range attempts {
		if words := o.untrue(at, a, tr.of(tag, at.Attempt)); words != "" {
			fault("attempt %d is %s (%s): %s", at.Attempt, at.State, at.Reason, words)
		}
	}
	return found
}

// untrue says what the trace of an attempt has against what is known of it.
func (o *oracle) untrue(at jobs.Attempt, a *asked, run deed) string {
	switch at.State {
	case jobs.Completed, jobs.Failed:
		switch {
		case at.ExitCode == nil:
			return "it has no exit code"
		case !run.ended:
			return "nothing has come to its end"
		case *at.ExitCode != run.code || run.code != a.code:
			return fmt.Sprintf("its exit code is %d, in truth %d, and %d was asked for", *at.ExitCode, run.code, a.code)
		case (at.State == jobs.Completed) != (run.code == 0):
			return fmt.Sprintf("its exit code was %d", run.code)
		}
	case jobs.Lost:
		if !o.mayLose {
			return "nothing was killed that knows its exit status"
		}
	case jobs.Cancelled:
		if !a.removed {
			return "nobody has asked for that"
		}
	default:
		return "it is to have ended"
	}
	return ""
}

// traced reads the lines of the trace.
func (o *oracle) traced() []string {
	text, err := os.ReadFile(o.trace)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
