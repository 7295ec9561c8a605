package meter

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"jobrunner/jobs"
)

// table is the system's process table. It is used by one goroutine.
type table struct {
	boot  string // id of the boot of this machine; "" if it is not known
	procs []process
	dir   []byte // buffers
	names []string
	line  []byte
}

func newTable() *table {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return &table{}
	}
	return &table{boot: strings.TrimSpace(string(boot)), dir: make([]byte, 32<<10), line: make([]byte, 1024)}
}

// root gives the start time by which a process is known in this table; false if
// it cannot be found in it.
func (t *table) root(p jobs.ProcessID) (start uint64, ok bool) {
	start, err := strconv.ParseUint(p.Start, 10, 64)
	return start, err == nil && t.boot != "" && p.Boot == t.boot && p.PID > 0
}

// look returns all processes but threads of the kernel, valid until the next
// call; nil if they cannot be looked at. It costs three system calls a process, see
// BenchmarkPass.
func (t *table) look() []process {
	proc, err := unix.Open("/proc", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(proc)
	t.procs = t.procs[:0]
	for {
		n, err := unix.ReadDirent(proc, t.dir)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return t.procs
		}
		_, _, t.names = unix.ParseDirent(t.dir[:n], -1, t.names[:0])
		for _, name := range t.names {
			if name[0] < '1' || name[0] > '9' {
				continue
			}
			if p, ok := t.read(proc, name); ok {
				t.procs = append(t.procs, p)
			}
		}
	}
}

// read reads the line of one process. In between it may end.
func (t *table) read(proc int, pid string) (process, bool) {
	fd, err := unix.Openat(proc, pid+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return process{}, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, t.line) // it comes whole, see seq_file in the kernel
	if err != nil {
		return process{}, false
	}
	return parseStat(t.line[:n])
}

// tick is the unit of processor time in /proc: USER_HZ, which is 100 on every
// system that Go knows.
const tick = time.Second / 100

var pageSize = int64(os.Getpagesize())

// parseStat reads the line of /proc/<pid>/stat, see proc_pid_stat(5). The name
// may hold blanks and parentheses; what follows its last parenthesis does not. A
// thread of the kernel is no process.
func parseStat(line []byte) (process, bool) {
	open, shut := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 2 || shut < open {
		return process{}, false
	}
	pid, err := strconv.Atoi(string(line[:open-1]))
	if err != nil {
		return process{}, false
	}
	// Fields 3 to 24: state, ppid, pgrp, session, tty, foreground group, flags, four
	// counts of faults, utime, stime, cutime, cstime, priority, nice, threads, 0,
	// start time, vsize, rss.
	var f [22]int64
	rest := bytes.TrimLeft(line[shut+1:], " ")
	for i := range f {
		var word []byte
		word, rest, _ = bytes.Cut(rest, []byte{' '})
		if len(word) == 0 {
			return process{}, false
		}
		if i > 0 {
			f[i] = number(word)
		} else {
			f[0] = int64(word[0])
		}
	}
	const kernelThread = 0x200000 // PF_KTHREAD
	return process{
		pid: pid, ppid: int(f[1]), group: int(f[2]), session: int(f[3]), start: uint64(f[19]),
		own: time.Duration(f[11]+f[12]) * tick, reaped: time.Duration(f[13]+f[14]) * tick, memory: f[21] * pageSize,
		// A main thread that has left while others run on shows as a zombie too.
		dead: (f[0] == 'Z' || f[0] == 'X') && f[17] <= 1,
	}, f[6]&kernelThread == 0
}

// number reads a decimal number; the kernel writes no other.
func number(word []byte) (n int64) {
	negative := word[0] == '-'
	for _, c := range word {
		if c >= '0' && c <= '9' {
			n = 10*n + int64(c-'0')
		}
	}
	if negative {
		return -n
	}
	return n
}
