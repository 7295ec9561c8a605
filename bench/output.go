//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Names of figures of output.
const (
	writeTime  = "s"
	writeSpeed = "MB/s"
	ownTotal   = "ms CPU, own" // the daemon and its supervisor
)

// output measures how fast a job writes, beside the same program whose output a
// shell sends to a file of the same folder.
func (b *bench) output() error {
	t := &table{
		title: fmt.Sprintf("output: a program writes %s MB to its standard output, in turn; medians of %d rounds",
			thousands(int(b.bytes/1e6)), b.rounds),
		first: "output to", base: "a shell's file", figures: []string{writeTime, writeSpeed, ownTotal},
	}
	err := b.withJobrunner(func(j *jobrunner) error {
		for round := range b.rounds {
			ways := []func(int64, *table) error{j.bed.writeByShell, j.writeByJob}
			first := round % 2 // neither always finds what the other left
			if err := errors.Join(ways[first](b.bytes, t), ways[1-first](b.bytes, t)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.print(b.out)
	return nil
}

func (j *jobrunner) writeByJob(bytes int64, t *table) error {
	used := ownTime(j.own())
	if err := j.append(fmt.Sprint("write ", bytes), 1); err != nil {
		return err
	}
	j.asked++
	if err := j.bed.await(2); err != nil {
		return err
	}
	if err := j.settle(); err != nil {
		return err
	}
	own := ownTime(j.own()) - used
	logs, err := filepath.Glob(filepath.Join(j.bed.dir, ".jobrunner", "logs", "*.log"))
	if err != nil {
		return err
	}
	f, err := j.bed.written(bytes, logs)
	if err == nil {
		f[ownTotal] = milliseconds(own)
		t.note("a job's log", f)
	}
	return err
}

func (b *bed) writeByShell(bytes int64, t *table) error {
	file := filepath.Join(b.dir, "redirected")
	cmd := exec.Command("sh", "-c", `exec "$0" write "$1" "$2" >"$3"`, b.job, b.trace, fmt.Sprint(bytes), file)
	if err := run(cmd); err != nil {
		return err
	}
	f, err := b.written(bytes, []string{file})
	if err == nil {
		t.note("a shell's file", f)
	}
	return err
}

// written gives how long the program wrote that has noted when it began and when
// it was done. The files in which all of that is are removed, and the disk is left
// at rest for what comes next.
func (b *bed) written(bytes int64, files []string) (figures, error) {
	var size int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		size += info.Size()
		if err := os.Remove(name); err != nil {
			return nil, err
		}
	}
	notes, err := b.begun()
	if err != nil {
		return nil, err
	}
	if size != bytes || len(notes) != 2 {
		return nil, fmt.Errorf("%d of %d bytes are there, and %d notes", size, bytes, len(notes))
	}
	took := (notes[1] - notes[0]).Seconds()
	return figures{writeTime: took, writeSpeed: float64(bytes) / 1e6 / took}, errors.Join(b.forget(), b.flush())
}

// flush blocks until the file system of the bed has written all.
func (b *bed) flush() error {
	dir, err := os.Open(b.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Syncfs(int(dir.Fd()))
}
