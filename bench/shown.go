//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// shown blocks until job_queue.txt has no line any more that was not taken, and
// shows so many jobs as PENDING, for as long as that changes. The daemon cannot
// write while the file is read, so that is done for a tenth of the time at most.
func (j *jobrunner) shown(pending int) error {
	const patience, look = 2 * time.Minute, 2 * time.Millisecond
	last, since := [2]int{}, time.Now()
	for {
		began := time.Now()
		waiting, raw, err := j.lines()
		if err != nil {
			return err
		}
		if waiting == pending && raw == 0 {
			return nil
		}
		if now := [2]int{waiting, raw}; now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) > patience {
			return fmt.Errorf("job_queue.txt shows %d jobs as PENDING and %d lines that were not taken, not %d and 0; the daemon says\n%s",
				waiting, raw, pending, j.log.Bytes())
		}
		time.Sleep(max(look, 9*time.Since(began)))
	}
}

// lines counts the lines of job_queue.txt that say PENDING, and those that are as
// they were appended.
func (j *jobrunner) lines() (pending, raw int, err error) {
	f, err := os.Open(filepath.Join(j.bed.dir, "job_queue.txt"))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 256<<20) // many lines that were taken and blanked may stand before one
	for s.Scan() {
		switch fields := bytes.Fields(s.Bytes()); {
		case len(fields) == 0:
		case len(fields) < 4:
			raw++
		case string(fields[len(fields)-1]) == "PENDING":
			pending++
		}
	}
	return pending, raw, s.Err()
}
