package runner

// Written against the documentation and cross-compiled; not yet tried on
// Windows.

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// killedCode is the exit code that ending a process by force leaves, so that
// it is not taken for one of its own.
const killedCode = 0x4a524b39

// openJob returns the job object that an attempt's processes are in. As long
// as its supervisor lives it is found by its name; after that an empty one is
// made, and only descent is left to find them by.
func openJob(pid int, jobID, attempt string) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(fmt.Sprintf(`Local\jobrunner-%d-%s-%s`, pid, jobID, attempt))
	if err != nil {
		return 0, err
	}
	h, err := windows.CreateJobObject(nil, name)
	if h != 0 {
		return h, nil // also if it was there: ERROR_ALREADY_EXISTS
	}
	return 0, err
}

// jobPIDs returns the processes of a job object.
func jobPIDs(job windows.Handle) map[int]bool {
	const most = 4096
	var list struct {
		assigned, listed uint32
		pids             [most]uintptr
	}
	err := windows.QueryInformationJobObject(job, windows.JobObjectBasicProcessIdList, uintptr(unsafe.Pointer(&list)), uint32(unsafe.Sizeof(list)), nil)
	if err != nil && err != windows.ERROR_MORE_DATA {
		return nil
	}
	pids := make(map[int]bool, list.listed)
	for _, pid := range list.pids[:min(list.listed, most)] {
		pids[int(pid)] = true
	}
	return pids
}

// find returns the members that run, and the leader if it runs.
func (t *tree) find() (members []proc, leader *proc) {
	if t.leader.PID <= 0 || t.leader.Boot != bootID() {
		return nil, nil
	}
	var inJob map[int]bool
	if job, err := openJob(t.leader.PID, t.jobID, t.attempt); err == nil {
		inJob = jobPIDs(job)
		windows.CloseHandle(job)
	}
	all := table.look()
	in := make(map[int]uint64) // start time by pid
	self := os.Getpid()
	for changed := true; changed; {
		changed = false
		for i := range all {
			q := &all[i]
			if q.is(t.leader) {
				leader = q
			}
			if q.dead || q.pid == self || in[q.pid] == q.start {
				continue
			}
			parent, descends := in[q.ppid]
			seen := t.seen[q.pid] == q.start
			if seen || q.is(t.leader) || inJob[q.pid] || descends && parent <= q.start {
				in[q.pid], t.seen[q.pid] = q.start, q.start
				members = append(members, *q)
				changed = true
			}
		}
	}
	return members, leader
}

// askAll asks the leader's group to end, as Ctrl+Break does. It reaches only
// who shares our console; the others are killed when the grace is over.
func (t *tree) askAll(_ []proc, leader *proc) {
	if leader != nil {
		_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(leader.pid))
	}
}

// killAll ends processes: those of the job object at once, so that none can
// start another meanwhile, and the others one by one.
func (t *tree) killAll(procs []proc, _ *proc) {
	if job, err := openJob(t.leader.PID, t.jobID, t.attempt); err == nil {
		_ = windows.TerminateJobObject(job, killedCode)
		windows.CloseHandle(job)
	}
	for _, q := range procs {
		h, err := windows.OpenProcess(windows.PROCESS_TERMINATE|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(q.pid))
		if err != nil {
			continue // gone, or seen at the next look
		}
		// The handle keeps the pid from being given to another.
		if start, ok := createdAt(h); ok && start == q.start {
			_ = windows.TerminateProcess(h, killedCode)
		}
		windows.CloseHandle(h)
	}
}
