package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapProgram takes the pages of the program itself, its code and its tables,
// out of this process: what only the start or a burst of work has used is not in
// its way then. What is used again is mapped again, out of the system's cache of
// the file, 64 KB at a time and within a microsecond or so.
func unmapProgram() {
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
		f := strings.Fields(lines.Text())
		var c candidate
		if len(f) >= 5 && scan(f[0], "%x-%x", &c.from, &c.to) {
			c.file = f[3] + " " + f[4]
			c.clean = strings.HasPrefix(f[1], "r-") && strings.HasSuffix(f[1], "p")
			if c.from <= here && here < c.to {
				file = c.file
			}
			all = append(all, c)
			continue
		}
		if len(f) == 3 && len(all) > 0 && f[1] != "0" && (f[0] == "Anonymous:" || f[0] == "Swap:") {
			all[len(all)-1].clean = false
		}
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
