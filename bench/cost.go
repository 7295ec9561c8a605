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
		total += processorTime(pid)
	}
	return total
}

// processorTime reads the clock that the kernel has for each process; how its
// number is made is in clock_getcpuclockid(3). /proc/PID/stat counts in 10 ms, as
// much as a hundred jobs take.
func processorTime(pid int) time.Duration {
	const scheduler = 2 // CPUCLOCK_SCHED of the kernel's posix-timers.h
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &t); err != nil {
		return 0 // it has ended
	}
	return time.Duration(t.Nano())
}

// memory is what processes have resident, in bytes.
func memory(pids []int) int64 { return sum(pids, "status", "VmRSS") }

// sum adds up what a file below /proc says of processes, in bytes.
func sum(pids []int, file, field string) (total int64) {
	for _, pid := range pids {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file)) // nothing if it has ended
		for line := range strings.Lines(string(text)) {
			var kB int64
			if value, ok := strings.CutPrefix(line, field+":"); ok {
				if _, err := fmt.Sscan(value, &kB); err == nil {
					total += kB << 10
				}
			}
		}
	}
	return total
}

// calm blocks until processes use next to nothing any more.
func calm(pids []int) error {
	const look, little = time.Second, 20 * time.Millisecond
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		before := ownTime(pids)
		time.Sleep(look)
		if ownTime(pids)-before <= little {
			return nil
		}
	}
	return fmt.Errorf("processes %v do not come to rest", pids)
}

// untilShrunk is within what time jobrunner has given back, once there is nothing to
// do, what memory it can.
const untilShrunk = 12 * time.Second

// rested blocks until processes use next to nothing any more, neither of processors
// nor of memory.
func rested(pids []int) error {
	if err := calm(pids); err != nil {
		return err
	}
	time.Sleep(untilShrunk)
	return nil
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
