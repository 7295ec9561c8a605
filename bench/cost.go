//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of the times in /proc/PID/stat, see proc_pid_stat(5): USER_HZ
// is 100 on every system that Go runs on.
const tick = 10 * time.Millisecond

// find gives the process whose command line holds both words, 0 if there is none;
// a socket in its environment counts as its command line.
func find(word, place string) int {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(word)) {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if bytes.Contains(line, []byte(place)) || bytes.Contains(environ, []byte(place)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	return 0
}

// ownTime is the processor time that processes themselves have used, without
// that of their children.
func ownTime(pids []int) (total time.Duration) {
	for _, pid := range pids {
		user, system := statTimes(pid)
		total += user + system
	}
	return total
}

func statTimes(pid int) (user, system time.Duration) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	ticks := func(n int) time.Duration { // n as the manual page counts
		v, _ := strconv.Atoi(fields[n-3])
		return time.Duration(v) * tick
	}
	return ticks(14), ticks(15)
}

// memory is what processes have resident, in bytes.
func memory(pids []int) (total int64) {
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		var size, resident int64
		if _, err := fmt.Sscan(string(text), &size, &resident); err == nil {
			total += resident * int64(os.Getpagesize())
		}
	}
	return total
}

// adopt has this process become the parent of those that lose theirs, so that
// what they have used is known once they have ended.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// reap waits for the orphans that are left, such as a supervisor, which stays for
// 10 s without work, and gives what all children of this process that have ended
// have used so far. It is to be called when no command is under way.
func reap() (time.Duration, error) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.ECHILD {
				return childTime()
			}
			if pid <= 0 {
				break
			}
		}
	}
	return 0, fmt.Errorf("a process of the system still runs")
}

func childTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
