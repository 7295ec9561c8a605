package runner

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// limiter sets the limits of one supervisor's attempts: in a control group of
// their own where the supervisor may make some, else by what a process inherits.
type limiter struct {
	home *home // nil: no control groups can be made

	mu   sync.Mutex  // guards what follows
	used map[int]int // attempts that are bound to a processor, by its number
	left []string    // groups of attempts that have ended, with processes in them
}

// newLimiter makes a supervisor's limiter. It removes what groups the
// supervisors of the folder before this one have left.
func newLimiter(stateDir string) *limiter {
	l := &limiter{home: findHome(stateDir), used: make(map[int]int)}
	if l.home != nil {
		l.left = l.home.groups()
		l.sweep()
	}
	return l
}

// bounds are the limits of one attempt. Nil bounds limit nothing.
type bounds struct {
	limiter *limiter
	asked   limits
	group   *group // nil: no control group
	cpus    []int  // processors that it is bound to
	set     applied
}

// bind makes ready what limits an attempt. The caller calls release when that
// has ended, or has not started.
func (l *limiter) bind(sp *spec) *bounds {
	if sp.Limits.none() {
		return nil
	}
	b := &bounds{limiter: l, asked: sp.Limits}
	if b.asked.Memory > 0 || b.asked.CPU > 0 {
		b.group = l.home.make(sp.ID, sp.Attempt, b.asked)
	}
	return b
}

// fork calls fork so that the process it starts has the limits from its first
// instruction on, all but that of memory without a group. sys is what fork
// starts it with.
func (b *bounds) fork(sys *syscall.SysProcAttr, fork func() (int, error)) (int, error) {
	if b == nil {
		return fork()
	}
	if b.group != nil {
		sys.UseCgroupFD, sys.CgroupFD = true, int(b.group.folder.Fd())
		pid, err := b.onThread(fork)
		if err == nil {
			return pid, nil
		}
		// It may be the group, so once more without: clone3(2) can be shut off.
		sys.UseCgroupFD = false
		b.leaveGroup()
	}
	return b.onThread(fork)
}

// onThread calls fork on a thread that has the niceness and the processors,
// which the process inherits, and throws that thread away.
func (b *bounds) onThread(fork func() (int, error)) (pid int, err error) {
	b.pin()
	if b.asked.Nice == nil && b.cpus == nil {
		return fork()
	}
	throwAway(func() {
		b.setThread()
		pid, err = fork()
	})
	return pid, err
}

// throwAway calls fn on a thread that ends afterwards, with all that was changed
// of it.
func throwAway(fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			// The main thread stays to the end: another one, while this is held.
			throwAway(fn)
			runtime.UnlockOSThread()
			return
		}
		fn() // never unlocked: the thread ends with this goroutine
	}()
	<-done
}

// pin chooses processors for an attempt whose group does not limit them: those
// that the fewest others are bound to.
func (b *bounds) pin() {
	if b.asked.CPU <= 0 || b.group != nil && b.group.cpu || b.cpus != nil {
		return
	}
	allowed := allowedProcessors()
	n := wholeProcessors(b.asked.CPU)
	if len(allowed) == 0 || n >= len(allowed) {
		return
	}
	l := b.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortStableFunc(allowed, func(x, y int) int { return cmp.Compare(l.used[x], l.used[y]) })
	b.cpus = allowed[:n]
	for _, cpu := range b.cpus {
		l.used[cpu]++
	}
}

// allowedProcessors gives the numbers of those that this process may use.
func allowedProcessors() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil
	}
	var numbers []int
	for cpu, left := 0, set.Count(); left > 0; cpu++ {
		if set.IsSet(cpu) {
			numbers, left = append(numbers, cpu), left-1
		}
	}
	return numbers
}

// setThread gives the calling thread the niceness and the processors.
func (b *bounds) setThread() {
	if b.asked.Nice != nil {
		err := unix.Setpriority(unix.PRIO_PROCESS, 0, *b.asked.Nice)
		b.set.nice = niceWords(*b.asked.Nice, err)
	}
	if b.cpus != nil {
		var set unix.CPUSet
		for _, cpu := range b.cpus {
			set.Set(cpu)
		}
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			b.set.cpu = "cpu not limited: " + err.Error()
		}
	}
}

// started limits what can only be limited of a process that is there, and says
// what is in force.
func (b *bounds) started(pid int) string {
	if b == nil {
		return ""
	}
	inMemory, inCPU := b.group != nil && b.group.memory, b.group != nil && b.group.cpu
	var err error
	if b.asked.Memory > 0 && !inMemory {
		// Not RLIMIT_AS: CUDA, Java and Go reserve far more addresses than they use.
		most := unix.Rlimit{Cur: uint64(b.asked.Memory), Max: uint64(b.asked.Memory)}
		err = unix.Prlimit(pid, unix.RLIMIT_DATA, &most, nil)
	}
	b.set.memory = memoryWords(b.asked.Memory, inMemory, err)
	b.set.cpu = cmp.Or(b.set.cpu, cpuWords(b.asked.CPU, inCPU, len(b.cpus)))
	if b.asked.Nice != nil {
		// Where the kernel schedules by session, niceness alone counts only within one.
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(*b.asked.Nice)), 0)
	}
	return b.set.words()
}

func memoryWords(limit int64, group bool, err error) string {
	switch {
	case limit <= 0:
		return ""
	case group:
		return "memory " + jobs.ExactSize(limit) + " by cgroup"
	case err != nil:
		return "memory not limited: " + err.Error()
	}
	return "memory " + jobs.ExactSize(limit) + " for each process (rlimit)"
}

func cpuWords(limit float64, group bool, pinned int) string {
	switch {
	case limit <= 0:
		return ""
	case group:
		return "cpu " + cpuWord(limit) + " by cgroup"
	case pinned == 0:
		return "cpu not limited: there are no more than " + processors(wholeProcessors(limit))
	}
	return "cpu: " + processors(pinned) + " (affinity)"
}

// foresee says how limits would be set, and changes nothing.
func foresee(asked limits) applied {
	var set applied
	h := lookForHome()
	set.memory = memoryWords(asked.Memory, h != nil && h.memory, nil)
	pinned := wholeProcessors(asked.CPU)
	if pinned >= len(allowedProcessors()) {
		pinned = 0
	}
	set.cpu = cpuWords(asked.CPU, h != nil && h.cpu, pinned)
	if asked.Nice != nil {
		set.nice = niceWords(*asked.Nice, mayNice(*asked.Nice))
	}
	return set
}

// mayNice tells why a process may not have the niceness; nil if it may.
func mayNice(nice int) (err error) {
	throwAway(func() { err = unix.Setpriority(unix.PRIO_PROCESS, 0, nice) })
	return err
}

// release gives back what the attempt took, which has ended, and returns what
// is to be said of its end: that it ran out of memory.
func (b *bounds) release() (note string) {
	if b == nil {
		return ""
	}
	if b.group != nil && b.group.outOfMemory() {
		note = "out of memory, limit " + jobs.ExactSize(b.asked.Memory)
	}
	b.leaveGroup()
	l := b.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cpu := range b.cpus {
		l.used[cpu]--
	}
	b.cpus = nil
	return note
}

// leaveGroup gives up the attempt's group. It stays while there are processes
// in it that the attempt has left behind.
func (b *bounds) leaveGroup() {
	if b.group == nil {
		return
	}
	b.group.folder.Close()
	l := b.limiter
	l.mu.Lock()
	l.left = append(l.left, b.group.folder.Name())
	l.mu.Unlock()
	b.group = nil
	l.sweep()
}

// sweep removes the groups that nothing is left in.
func (l *limiter) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = slices.DeleteFunc(l.left, func(path string) bool {
		err := unix.Rmdir(path) // EBUSY while there is a process in it
		return err == nil || err == unix.ENOENT
	})
}
