//go:build linux

package main

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

//go:embed job.c.txt
var jobSource []byte

// bed is a folder in which one system is measured once, with the programs that
// all have in common.
type bed struct {
	dir       string // of its own, empty at the beginning
	trace     string // where the jobs note when they began
	job       string // the job's program, whose argument is trace
	jobrunner string // the program that is measured
	width     int    // jobs at once
}

// build makes the job's program and jobrunner in dir.
func build(dir string) (job, jobrunner string, err error) {
	source := filepath.Join(dir, "job.c")
	if err := os.WriteFile(source, jobSource, 0o600); err != nil {
		return "", "", err
	}
	job, jobrunner = filepath.Join(dir, "job"), filepath.Join(dir, "jobrunner")
	for _, argv := range [][]string{
		{"cc", "-O2", "-static", "-o", job, source},
		{"go", "build", "-trimpath", "-o", jobrunner, "./cmd/jobrunner"},
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("%s: %w\n%s", argv[0], err, out)
		}
	}
	return job, jobrunner, nil
}

// lay makes a bed.
func (b *bench) lay() (*bed, error) {
	dir, err := os.MkdirTemp(b.home, "bed")
	if err != nil {
		return nil, err
	}
	return &bed{dir: dir, trace: filepath.Join(dir, "trace"), job: b.job, jobrunner: b.program, width: b.width}, nil
}

// write writes a file in the bed's folder.
func (b *bed) write(name, text string) error {
	return os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600)
}

// started is how many jobs have begun.
func (b *bed) started() int {
	info, err := os.Stat(b.trace)
	if err != nil {
		return 0
	}
	return int(info.Size() / 8)
}

// await blocks until n jobs have begun in all, for as long as jobs begin.
func (b *bed) await(n int) error {
	const patience = 2 * time.Minute // a gigabyte may be written before a job notes again
	last, since := b.started(), time.Now()
	for last < n {
		time.Sleep(200 * time.Microsecond)
		if now := b.started(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > patience {
			return fmt.Errorf("%d of %d jobs have begun, and no more do", last, n)
		}
	}
	return nil
}

// begun gives when each job began, by the system's monotonic clock, in order.
func (b *bed) begun() ([]time.Duration, error) {
	data, err := os.ReadFile(b.trace)
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for ; len(data) >= 8; data = data[8:] {
		all = append(all, time.Duration(binary.NativeEndian.Uint64(data)))
	}
	slices.Sort(all)
	return all, nil
}

// forget has the jobs' notes begin anew.
func (b *bed) forget() error { return os.Truncate(b.trace, 0) }

// monotonic is the clock that the jobs read.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(errors.New("there is no monotonic clock"))
	}
	return time.Duration(t.Nano())
}
