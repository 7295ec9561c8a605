package runner

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// bootID names the boot of this machine.
var bootID = sync.OnceValue(func() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
})

// bootTime is when this machine was started; zero if that is not known.
func bootTime() time.Time {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64); err == nil {
				return time.Unix(n, 0)
			}
		}
	}
	return time.Time{}
}

// look returns the process that has the pid now, without its environment.
func look(pid int) (proc, bool) {
	var buf [1024]byte
	data, ok := readProc(pid, "stat", buf[:])
	if !ok {
		return proc{}, false
	}
	return parseStat(data)
}

// lookAll returns all processes, with the marks in their environments.
func lookAll() []proc {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	procs := make([]proc, 0, len(names))
	buf := make([]byte, 16<<10)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		data, ok := readProc(pid, "stat", buf)
		if !ok {
			continue
		}
		q, ok := parseStat(data)
		if !ok {
			continue
		}
		if !q.dead {
			buf = q.readMarks(buf)
		}
		procs = append(procs, q)
	}
	return procs
}

// readProc reads at most len(buf) bytes of a file of /proc/<pid>. It makes one
// system call a step: os.ReadFile would first ask the poller and the size.
func readProc(pid int, name string, buf []byte) ([]byte, bool) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	n := 0
	for n < len(buf) {
		m, err := unix.Read(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, false
		}
		if m == 0 {
			break
		}
		n += m
	}
	return buf[:n], true
}

// parseStat reads the line of /proc/<pid>/stat, see proc_pid_stat(5). The name
// may hold spaces and parentheses; what follows its last parenthesis does not.
// A thread of the kernel is no process.
func parseStat(line []byte) (proc, bool) {
	open, shut := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 1 || shut < open {
		return proc{}, false
	}
	f := bytes.Fields(line[shut+1:])
	if len(f) < 20 {
		return proc{}, false
	}
	num := func(b []byte) int { n, _ := strconv.Atoi(string(b)); return n }
	q := proc{
		pid:  num(bytes.TrimSpace(line[:open])),
		name: string(line[open+1 : shut]),
		ppid: num(f[1]), group: num(f[2]), session: num(f[3]),
	}
	q.start, _ = strconv.ParseUint(string(f[19]), 10, 64)
	// A main thread that has left while others run on shows as a zombie too.
	q.dead = (f[0][0] == 'Z' || f[0][0] == 'X') && num(f[17]) <= 1
	const kernelThread = 0x200000 // PF_KTHREAD
	return q, q.pid > 0 && q.start > 0 && num(f[6])&kernelThread == 0
}

// maxEnviron is how much of an environment is searched for the marks; the
// kernel's limit for arguments and environment is 6 MiB.
const maxEnviron = 8 << 20

// readMarks fills in the marks of q's environment. It returns buf, or a bigger
// one if that was too small.
func (q *proc) readMarks(buf []byte) []byte {
	data, ok := readProc(q.pid, "environ", buf)
	for ok && len(data) == len(buf) && len(buf) < maxEnviron {
		buf = make([]byte, 4*len(buf))
		data, ok = readProc(q.pid, "environ", buf)
	}
	for len(data) > 0 {
		var entry []byte
		entry, data, _ = bytes.Cut(data, []byte{0})
		if !bytes.HasPrefix(entry, []byte("JOBRUNNER_")) {
			continue
		}
		name, value, _ := strings.Cut(string(entry), "=")
		switch name {
		case envJobID:
			q.jobID = value
		case envAttempt:
			q.attempt = value
		}
	}
	return buf
}

// signalProcess sends a signal to q and to no process that may have got its
// pid since: a pidfd is opened first, and what it stands for is looked at then.
func signalProcess(q proc, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(q.pid, 0)
	if err == unix.ENOSYS {
		if !running(q) {
			return unix.ESRCH
		}
		return unix.Kill(q.pid, sig)
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if !running(q) {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(fd, sig, nil, 0)
}

// signalGroup sends a signal to the process group that q leads. For a child
// of ours kill(2) is safe, because its pid is taken until we ask for its
// status; for others it needs Linux 6.9, and an error says that it is older.
func signalGroup(q proc, sig unix.Signal) error {
	if q.ppid == os.Getpid() {
		return unix.Kill(-q.pid, sig)
	}
	fd, err := unix.PidfdOpen(q.pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if now, ok := look(q.pid); !ok || now.start != q.start {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(fd, sig, nil, unix.PIDFD_SIGNAL_PROCESS_GROUP)
}
