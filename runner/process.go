package runner

import (
	"fmt"
	"os"
	"strconv"
	"sync"

	"jobrunner/jobs"
)

// Environment variables that every process of a job inherits, and by which
// those that left its session are found.
const (
	envJobID   = "JOBRUNNER_JOB_ID"
	envAttempt = "JOBRUNNER_ATTEMPT"
)

// proc is one process as a look at the process table saw it.
type proc struct {
	pid, ppid, group, session int
	start                     uint64 // start time, in units of the system; orders processes of one boot
	dead                      bool   // has ended, and its parent has not asked for its status
	name                      string
	jobID, attempt            string // of its environment; "" where that has none or cannot be read
}

func (q *proc) id() jobs.ProcessID {
	return jobs.ProcessID{PID: q.pid, Start: strconv.FormatUint(q.start, 10), Boot: bootID()}
}

// is reports whether q is the process p.
func (q *proc) is(p jobs.ProcessID) bool {
	return q.pid == p.PID && strconv.FormatUint(q.start, 10) == p.Start && bootID() == p.Boot
}

// carries reports whether q has the job's mark in its environment.
func (q *proc) carries(jobID, attempt string) bool {
	return jobID != "" && q.jobID == jobID && q.attempt == attempt
}

func (q *proc) String() string { return fmt.Sprintf("pid %d (%s)", q.pid, q.name) }

// identify returns the identity of the process that has the pid now; false if
// there is none. A process that has ended is found until its parent has asked
// for its status.
func identify(pid int) (jobs.ProcessID, bool) {
	q, ok := look(pid)
	if !ok {
		return jobs.ProcessID{}, false
	}
	return q.id(), true
}

// alive reports whether the process p is still running. It is not once it has
// ended, even if its parent has not yet asked for its status.
func alive(p jobs.ProcessID) bool {
	if p.PID <= 0 {
		return false
	}
	q, ok := look(p.PID)
	return ok && q.is(p) && !q.dead
}

// findByJob returns the running processes that carry the job's id and attempt
// in their environment, where the system lets us read that.
func findByJob(jobID string, attempt int) []jobs.ProcessID {
	var found []jobs.ProcessID
	self, word := os.Getpid(), strconv.Itoa(attempt)
	for _, q := range table.look() {
		if q.pid != self && !q.dead && q.carries(jobID, word) {
			found = append(found, q.id())
		}
	}
	return found
}

// table is the system's process table.
var table processTable

// processTable looks through all processes of the system. Callers that come
// while a look is under way share the next one, so that ending a thousand jobs
// at once takes a few looks and not a thousand.
type processTable struct {
	looking sync.Mutex // held during a look

	mu   sync.Mutex // guards next
	next *tableLook // the look that has not begun yet, or nil
}

type tableLook struct {
	once  sync.Once
	procs []proc
}

// look returns the processes that ran at some moment after the call. The
// caller must not change the slice.
func (t *processTable) look() []proc {
	t.mu.Lock()
	if t.next == nil {
		t.next = new(tableLook)
	}
	l := t.next
	t.mu.Unlock()

	l.once.Do(func() {
		t.looking.Lock()
		defer t.looking.Unlock()
		t.mu.Lock()
		t.next = nil
		t.mu.Unlock()
		l.procs = lookAll()
	})
	return l.procs
}
