package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"golang.org/x/sys/unix"

	"jobrunner/config"
)

// unmapProgram takes the pages of the program itself, its code and its tables,
// out of this process: what only the start or a burst of work has used is not in
// its way then. What is used again is mapped again, out of the system's cache of
// the file, 64 KB at a time and within a microsecond or so. Not where the file is
// on a share: should that be gone, what is not mapped could not be had again, and the
// program would be killed.
func unmapProgram() {
	if local, _, err := config.LocalFileSystem("/proc/self/exe"); err != nil || !local {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, m := range programMappings(f, reflect.ValueOf(unmapProgram).Pointer()) {
		unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED) // where it fails, the pages stay
	}
}

// mapping is a part of a process's memory, [from, to).
type mapping struct{ from, to uintptr }

// programMappings gives the mappings of the file that has the address here which
// the file alone can make again: none that may be written, nor one with a page
// that differs from the file's, as a debugger makes them, or a loader that puts
// addresses in. smaps is as in proc_pid_smaps(5).
func programMappings(smaps io.Reader, here uintptr) (found []mapping) {
	type candidate struct {
		mapping
		file  string // device and inode
		clean bool
	}
	var all []candidate
	file := ""
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		line := lines.Bytes()
		name, value, about := bytes.Cut(line, []byte(": "))
		if about && len(name) > 0 && name[0] >= 'A' && name[0] <= 'Z' { // the last mapping
			differs := string(name) == "Anonymous" || string(name) == "Swap"
			if differs && len(all) > 0 && string(bytes.TrimSpace(value)) != "0 kB" {
				all[len(all)-1].clean = false
			}
			continue
		}
		f := strings.Fields(string(line))
		var c candidate
		if len(f) < 5 || !scan(f[0], "%x-%x", &c.from, &c.to) {
			continue
		}
		c.file = f[3] + " " + f[4]
		c.clean = strings.HasPrefix(f[1], "r-") && strings.HasSuffix(f[1], "p")
		if c.from <= here && here < c.to {
			file = c.file
		}
		all = append(all, c)
	}
	if lines.Err() != nil {
		return nil // the last one may differ after all
	}
	for _, c := range all {
		if c.clean && c.file == file {
			found = append(found, c.mapping)
		}
	}
	return found
}

func scan(text, format string, into ...any) bool {
	n, err := fmt.Sscanf(text, format, into...)
	return err == nil && n == len(into)
}
