package runner

// Written against the manual pages and cross-compiled; not yet tried on macOS.

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// zombie is SZOMB of sys/proc.h.
const zombie = 5

// bootID names the boot of this machine.
var bootID = sync.OnceValue(func() string {
	id, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return ""
	}
	return id
})

// bootTime is when this machine was started; zero if that is not known.
func bootTime() time.Time {
	tv, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return time.Time{}
	}
	return time.Unix(tv.Unix())
}

// look returns the process that has the pid now.
func look(pid int) (proc, bool) {
	k, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(k.Proc.P_pid) != pid {
		return proc{}, false
	}
	return fromKinfo(k), true
}

// lookAll returns all processes. Environments of others cannot be read here,
// so no process carries a mark.
func lookAll() []proc {
	all, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil
	}
	procs := make([]proc, 0, len(all))
	for i := range all {
		if all[i].Proc.P_pid > 0 {
			procs = append(procs, fromKinfo(&all[i]))
		}
	}
	return procs
}

func fromKinfo(k *unix.KinfoProc) proc {
	q := proc{
		pid: int(k.Proc.P_pid), ppid: int(k.Eproc.Ppid), group: int(k.Eproc.Pgid),
		start: uint64(k.Proc.P_starttime.Nano() / int64(time.Microsecond)),
		dead:  k.Proc.P_stat == zombie,
		name:  unix.ByteSliceToString(k.Proc.P_comm[:]),
	}
	// kinfo_proc gives the session as a kernel address only.
	if sid, err := unix.Getsid(q.pid); err == nil {
		q.session = sid
	}
	return q
}

// signalProcess sends a signal to q if its pid is still q's. There is nothing
// here that would close the moment between the look and the signal.
func signalProcess(q proc, sig unix.Signal) error {
	if !running(q) {
		return unix.ESRCH
	}
	return unix.Kill(q.pid, sig)
}

// signalGroup sends a signal to the process group that q leads. A child of
// ours keeps its pid until we ask for its status.
func signalGroup(q proc, sig unix.Signal) error {
	if q.ppid != os.Getpid() {
		if now, ok := look(q.pid); !ok || now.start != q.start {
			return unix.ESRCH
		}
	}
	return unix.Kill(-q.pid, sig)
}
